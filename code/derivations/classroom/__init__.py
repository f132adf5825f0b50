"""Assignments: what a student's notebook needs, and what a teacher needs to set, collect, mark and give back.

The functions of this page need nothing beyond the course. The rest of the room stands behind the command
``derivations classroom`` and needs the extra ``derivations[classroom]`` (nbgrader, jupytext).
"""
from .notebook import student
from .variants import variant

__all__ = ["student", "variant"]
