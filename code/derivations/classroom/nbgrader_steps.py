"""Our steps in nbgrader's chains: clear the answers, and mark in the sandbox."""
import base64
import re

from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor

from .course import Course
from .marking import mark
from .sources import cleared

__all__ = ["ClearAnswers", "MarkInSandbox", "harmless"]


class ClearAnswers(NbGraderPreprocessor):
    """Put stubs in place of solutions; hidden tests stay, since nbgrader keeps them in its gradebook."""

    def preprocess(self, nb, resources):
        """Clear one notebook."""
        return cleared(nb, hidden=False), resources


class MarkInSandbox(NbGraderPreprocessor):
    """Run a notebook and its tests, in place of nbgrader's own ``Execute``, and keep the result beside the course."""

    def preprocess(self, nb, resources):
        """Mark one notebook."""
        names = resources["nbgrader"]
        course = Course.of(self.config)
        if not course.settings.unsafe_no_sandbox:
            course.check_place()
        teachers = course.teachers_notebook(names["assignment"])
        marking = mark(nb, teachers, names["student"], secret=course.settings.secret, others=course.students(),
                       limits=course.settings.limits, locked=not course.settings.unsafe_no_sandbox)
        for number, cell in enumerate(nb.cells):
            if cell.cell_type != "code":
                cell.source = harmless(cell.source, cell.get("attachments", ()))
                continue
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in marking.tests:
                cell.outputs = _test_outputs(marking.tests[name])
            else:
                cell.outputs = _cell_outputs(marking.cells[number])
        course.keep_marking(names["assignment"], names["student"], marking)
        return nb, resources


def harmless(text, attachments=()):
    """Markdown in which no HTML is left, and no formula that makes a link: it is shown in the marker's browser, and
    nbgrader's pages pass HTML on as it is.

    Parameters
    ----------
    text : str
    attachments : iterable of str
        Names of the pictures that are attached; the page of a picture that is missing could not be written.

    Returns
    -------
    str
        A blank stands behind every ``<`` that could begin a tag, in front of the address of every link that leads to
        no web page, picture or place on the page, and behind the ``!`` of every picture that is not attached (it would
        be fetched from somewhere); formulas mean the same with it.

    Examples
    --------
    >>> harmless("$a<b$ <script>")
    '$a< b$ < script>'
    """
    text = re.sub(r"<(?=[A-Za-z/!?])", "< ", text)
    text = re.sub(r"\](?=\(\s*(?!https?://|attachment:|#)|\s*:)", "] ", text)
    attached = "|".join(map(re.escape, attachments)) or "(?!)"
    text = re.sub(rf"!(?=\[(?![^\[\]]*\]\(attachment:(?:{attached})\)))", "! ", text)
    return re.sub(r"\\(href|class|style|cssId|require|mmlToken|bbox)(?![A-Za-z])", r"\\text{\1}", text)


def _error(name, text):
    return new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}" if name else text])


def _test_outputs(result):
    # nbgrader gives full points to a cell without output, none to one with an error.
    return [] if result.passed else [_error("Not passed", result.message)]


def _cell_outputs(answer):
    outputs = []
    if answer["printed"]:
        outputs.append(new_output("stream", name="stdout", text=answer["printed"]))
    if answer["value"] is not None:
        outputs.append(new_output("execute_result", data={"text/plain": answer["value"]}, execution_count=None))
    for png in answer["pictures"]:
        outputs.append(new_output("display_data", data={"image/png": base64.b64encode(png).decode(),
                                                         "text/plain": "a figure"}))
    if answer["error"]:
        outputs.append(_error("", answer["error"]))
    return outputs
