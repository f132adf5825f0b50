"""The Sphinx extension on a tiny book: what is executed again, what stops a build, what the notebooks say."""
import re

import nbformat
import pytest
import tiny_book
from tiny_book import HEADER, TOC

ONE = HEADER + r"""# One

Prose. It costs \$5 and a_b. See {eq}`eq-sum`, {prf:ref}`thm-sum`, {doc}`two` and [a site](https://example.org/).

:::{admonition} At a glance
- the value is {glue:text}`value`
:::

$$
a &= b \\
  &= c
$$ (eq-sum)

```{code-cell} ipython3
import toy
from derivations.explore import glue
glue("value", toy.CONSTANT, ".1f")
```

```{prf:theorem} Sum
:label: thm-sum
It is $x$.
```

| a | b |
|---|---|
| $x$ | 2 |

```{exercise} Title
:label: ex-one
Do it.
```

```{solution} ex-one
:class: dropdown
Done.
```
"""
TWO = HEADER + r"""# Two

Back to {eq}`eq-sum`, H{sub}`2`O and ``a`b``.

:::{error}
$$
x &< 1 \\
  &< 2
$$
:::

| norm | text |
|---|---|
| $\|y\|$ | a |

1986\. A year.

```{code-cell} ipython3
:tags: [hide-input]

print(6 * 7)
```
"""


class Book(tiny_book.Book):
    def __init__(self, folder):
        super().__init__(folder, {"one": ONE, "two": TWO})


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book that was built once, for the tests that only read it."""
    book = Book(tmp_path_factory.mktemp("built"))
    assert book.build(), book.output
    return book


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def test_code_decides_what_is_executed_again(book):
    assert book.build(), book.output
    assert book.executed() == 2 and "41.0" in book.page("one")
    assert re.search(r"\d\.\d s  chapters/one", book.output), "the report gives each chapter's time"
    assert f"the site: {book.folder / '_build/html/index.html'}" in book.output

    book.write("chapters/one.md", ONE.replace("Prose.", "Better prose."))
    assert book.build(), book.output
    assert book.executed() == 0 and "Better prose." in book.page("one")

    book.write("code/toy.py", "CONSTANT = 43\n")
    assert book.build(), book.output
    assert book.executed() == 2
    assert "43.0" in book.page("one") and "41.0" not in book.page("one")

    book.write("requirements.txt", "numpy>1\n")
    assert book.build(), book.output
    assert book.executed() == 2


def test_a_failing_cell_stops_the_build_every_time(book):
    book.write("chapters/two.md", TWO.replace("print(6 * 7)", "1 / 0  # here"))
    for _ in range(2):
        assert not book.build()
        assert book.output.count("ZeroDivisionError: division by zero") == 1, book.output
        assert "a cell failed in chapters/two" in book.output and "1 / 0  # here" in book.output


@pytest.mark.parametrize(("fault", "message"), [
    ("{eq}`eq-nowhere`", "equation not found"),
    ("[link](nowhere.md)", "nowhere.md"),
    ("{glue:text}`nothing`", "nothing"),
])
def test_a_broken_reference_stops_the_build_every_time(book, fault, message):
    book.write("chapters/two.md", TWO.replace("Back to", f"Back to {fault} and"))
    for _ in range(2):
        assert not book.build()
        assert message in book.output


def test_a_reference_broken_from_another_page_stops_the_build(book):
    book.write("chapters/index.md", "# Start\n\nSee {eq}`eq-sum`.\n")
    assert book.build(), book.output
    book.write("chapters/one.md", ONE.replace("eq-sum", "eq-total"))
    book.write("chapters/two.md", TWO.replace("eq-sum", "eq-total"))
    for _ in range(2):
        assert not book.build()
        assert "eq-sum" in book.output


def test_after_an_interruption_every_page_is_read_again(book):
    book.write("chapters/index.md", "# Start\n\n[link](nowhere.md)\n")
    assert not book.build()
    assert not (book.folder / "_build/.doctrees/ended-well").exists()
    book.write("chapters/index.md", "# Start\n")
    assert book.build(), book.output
    (book.folder / "_build/.doctrees/ended-well").unlink()  # as a killed build leaves it
    assert book.build(), book.output
    assert "[new config]" in book.output or "4 added" in book.output or "3 added" in book.output


def test_a_dead_kernel_is_reported_with_its_chapter(book):
    book.write("chapters/two.md", TWO.replace("print(6 * 7)", "import os; os._exit(3)"))
    assert not book.build()
    assert "a cell failed in chapters/two" in book.output and "DeadKernelError" in book.output
    book.write("chapters/two.md", TWO)
    assert book.build(), book.output
    assert book.executed() == 1, "the other chapter's result was kept"


def test_a_removed_chapter_leaves_the_site(book):
    assert book.build(), book.output
    (book.folder / "chapters/two.md").unlink()
    book.write("chapters/one.md", ONE.replace("{doc}`two`", "nothing"))
    book.write("_toc.yml", TOC.replace(", {file: chapters/two}", ""))
    assert book.build(), book.output
    left = {path.name for path in (book.folder / "_build/html").rglob("two.*")}
    assert not left - {"two.md"}


@pytest.mark.parametrize(("cell", "message"), [
    (":tags: [remove-input]", "lack the source of a cell"),
    (":tags: [remove-cell]", "lack 1 code cell(s)"),
])
def test_the_notebook_loses_no_cell_silently(book, cell, message):
    last = "\n```{code-cell} ipython3\nprint(7)\n```\n"
    book.write("chapters/two.md", TWO.replace(":tags: [hide-input]", cell) + last)
    assert not book.build()
    assert message in book.output


def test_a_code_cell_in_a_solution_stays_a_code_cell(book):
    book.write("chapters/two.md", TWO + """
````{exercise} Count
:label: ex-two
Do.
````

````{solution-start} ex-two
:class: dropdown
````

Like this:

```{code-cell} ipython3
print("solved")
```

````{solution-end}
````
""")
    assert book.build(), book.output
    cells = nbformat.read(book.folder / "_build/html/notebooks/two.ipynb", as_version=4).cells
    assert [(cell.cell_type, cell.source) for cell in cells[-2:]] == [
        ("markdown", "> **Exercise 2.1 (Count)**\n>\n> Do.\n\n**Solution to Exercise 2.1 (Count)**\n\nLike this:"),
        ("code", 'print("solved")')]


def test_output_on_stderr_stops_the_build(book):
    book.write("chapters/two.md", TWO.replace("print(6 * 7)", "import warnings; warnings.warn('careful')"))
    assert not book.build()
    assert "stderr was found in the cell outputs" in book.output


def test_an_author_can_execute_one_chapter(book):
    book.write("chapters/two.md", TWO.replace("print(6 * 7)", "1 / 0"))
    book.build(DERIVATIONS_CHAPTER="one")
    assert book.executed() == 1 and "41.0" in book.page("one")
    book.write("chapters/two.md", TWO)
    book.build(DERIVATIONS_CHAPTER="two")
    assert book.executed() == 1 and "42" in book.page("two")
    assert not book.build(DERIVATIONS_CHAPTER="three")
    assert "names no chapter" in book.output


def test_the_root_leads_to_the_start_page(built):
    index = (built.folder / "_build/html/index.html").read_text("utf8")
    assert 'url=chapters/index.html"' in index and 'lang="en"' in index


def test_a_chapter_offers_its_notebook(built):
    assert '<a href="../notebooks/one.ipynb" download="one.ipynb">' in built.page("one")
    assert "notebooks/" not in built.page("index")


def test_notebook_says_what_the_page_says(built):
    notebook = nbformat.read(built.folder / "_build/html/notebooks/one.ipynb", as_version=4)
    nbformat.validate(notebook)
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds == ["markdown", "code", "markdown"]
    two = nbformat.read(built.folder / "_build/html/notebooks/two.ipynb", as_version=4).cells[0].source
    assert two == r"""# Two

Back to [(1.1)](one.ipynb), H<sub>2</sub>O and `` a`b ``.

> **Error**
>
> $$ \begin{split}x &< 1 \\ &< 2\end{split} $$

| norm | text |
| --- | --- |
| $\vert y\vert $ | a |

1986\. A year."""
    folded = nbformat.read(built.folder / "_build/html/notebooks/two.ipynb", as_version=4).cells[-1]
    assert (folded.cell_type, folded.source) == ("code", "print(6 * 7)")
    assert notebook.cells[1].source.splitlines()[0] == "import toy" and notebook.cells[1].outputs == []
    assert notebook.cells[0].source == r"""# One

Prose. It costs \$5 and a\_b. See (1.1), Theorem 1.1, [Two](two.ipynb) and [a site](https://example.org/).

> **At a glance**
>
> - the value is 41.0

$$
\begin{split}a &= b \\
  &= c\end{split} \tag{1.1}
$$"""
    assert notebook.cells[2].source == """> **Theorem 1.1 (Sum)**
>
> It is $x$.

| a | b |
| --- | --- |
| $x$ | 2 |

> **Exercise 1.1 (Title)**
>
> Do it.

<details>
<summary>Solution to Exercise 1.1 (Title)</summary>

Done.

</details>"""
