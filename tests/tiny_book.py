"""A tiny book, to be built with the extension and settings of a test."""
import os
import re
import subprocess
import sys
from pathlib import Path

CONFIG = """
title: Tiny
author: The tests
only_build_toc_files: true
execute: {execute_notebooks: cache, timeout: 60, stderr_output: error}
sphinx:
  extra_extensions: [sphinx_proof, sphinx_exercise, derivations.book]
  config: {nb_execution_show_tb: false}
"""
TOC = """
format: jb-book
root: chapters/index
parts:
  - caption: Part
    numbered: 1
    chapters: [{file: chapters/one}, {file: chapters/two}]
"""
HEADER = """---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---

"""


class Book:
    """A book in a folder of its own, and the output of its last build."""

    def __init__(self, folder, chapters):
        self.folder = folder
        for name, text in {"_config.yml": CONFIG, "_toc.yml": TOC, "chapters/index.md": "# Start\n\nText.\n",
                           "code/toy.py": "CONSTANT = 41\n", "requirements.txt": "numpy\n"}.items():
            self.write(name, text)
        for name, text in chapters.items():
            self.write(f"chapters/{name}.md", text)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf8")

    def build(self, **environment):
        command = [str(Path(sys.executable).parent / "jupyter-book"), "build", "-W", "-n", "--keep-going", "."]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DERIVATIONS_")}
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True,
                              env={**clean, "PYTHONPATH": str(self.folder / "code"), "NO_COLOR": "1", **environment})
        self.output = done.stdout + done.stderr
        return done.returncode == 0

    def page(self, name):
        return (self.folder / "_build/html/chapters" / f"{name}.html").read_text("utf8")

    def executed(self):
        return int(re.search(r"(\d+) chapter\(s\) executed", self.output)[1])
