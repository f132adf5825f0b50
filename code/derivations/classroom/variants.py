"""Every student's own numbers, drawn from a name (and from a secret, when the class has one)."""
import hashlib
import hmac
import unicodedata

import numpy as np

__all__ = ["normal_name", "personal_code", "variant"]


def normal_name(student):
    """A student's name or number in the one spelling that is compared: no outer blanks, one Unicode form, small letters.

    Examples
    --------
    >>> normal_name("  Ada01 ")
    'ada01'
    """
    return " ".join(unicodedata.normalize("NFKC", student).casefold().split())


def personal_code(secret, assignment, student):
    """The code that a teacher gives to a student when the class has a secret.

    Parameters
    ----------
    secret : str
        The class secret; with an empty one the code is empty too.
    assignment, student : str

    Returns
    -------
    str
        Twelve hexadecimal digits, or nothing.

    Examples
    --------
    >>> personal_code("", "schedules", "ada01")
    ''
    >>> len(personal_code("only the teacher knows", "schedules", "ada01"))
    12
    """
    if not secret:
        return ""
    message = f"{assignment}\n{normal_name(student)}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()[:12]


def variant(assignment, student, code=""):
    """The random generator from which an assignment draws a student's own numbers.

    The same three words give the same numbers on every machine. The grader computes them for the student whose folder
    it marks, so that a copied notebook carries the wrong ones.

    Parameters
    ----------
    assignment : str
        Name of the assignment, such as ``"schedules"``.
    student : str
        Your name or number as on the class list. Small and capital letters count as equal.
    code : str, optional
        Your personal code, if your teacher gave you one.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    ValueError
        If ``student`` is empty.

    Examples
    --------
    >>> mine = variant("schedules", "ada01")
    >>> same = variant("schedules", " ADA01")
    >>> int(mine.integers(1000)) == int(same.integers(1000))
    True
    """
    for argument, value in {"assignment": assignment, "student": student, "code": code}.items():
        if not isinstance(value, str):
            raise ValueError(f"{argument} must be text, got {argument}={value!r}")
    if not normal_name(student):
        raise ValueError(f"write your name or number, as on the class list, into the cell STUDENT = \"...\": got student={student!r}")
    words = f"{assignment}\n{normal_name(student)}\n{code.strip().lower()}"
    seed = int.from_bytes(hashlib.sha256(words.encode()).digest(), "big")
    # The bits of PCG64 are fixed for good; how Generator turns them into numbers has not changed since NumPy 1.17.
    return np.random.Generator(np.random.PCG64(seed))
