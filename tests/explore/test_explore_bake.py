"""Baking: what a cell returns while the book is built, its budget and its errors."""
import base64
import json
import math
import re

import numpy as np
import pytest
from derivations.explore import FigureError, baked, explore, glue, log_slider, show, slider, toggle
from derivations.explore import render
from derivations.explore.svg import NotFiniteError, canonical
from derivations.figures import new_figure


def draw(k):
    figure, axes = new_figure()
    axes.plot([0, k], [0, 1])
    return figure


def make(draw=draw, *, name="demo", alt="A line to {k}.", **options):
    return explore(draw, name=name, alt=alt, **{"k": slider(1, 3, 1), **options})


def test_a_baked_figure_carries_html_picture_and_text_but_no_widget(bake):
    bundle = make(caption="Where $k$ ends.")._repr_mimebundle_()
    assert sorted(bundle) == ["image/png", "text/html", "text/plain"]
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["text/plain"] == "A line to 1."
    assert bundle["text/html"].startswith('<figure class="live-figure" id="fig-demo" data-live-figure="demo">')
    assert r'<figcaption>Where <span class="math notranslate nohighlight">\(k\)</span> ends.' in bundle["text/html"]


def test_the_default_frame_stands_in_the_page_as_svg(bake):
    picture = render.picture_of(render.draw_figure(draw, {"k": 2}), "demo")
    assert picture.markup() in make(k=slider(1, 3, 1, value=2)).markup


def test_data_cannot_end_the_script_early(bake):
    from derivations.explore import choice
    markup = make(lambda k: draw(1), k=choice(["</script>", "<b>"]), alt="{k}").markup
    assert markup.count("</script>") == 1
    data = re.search(r'<script type="application/json">(.*?)</script>', markup)[1]
    assert json.loads(data)["controls"][0]["texts"] == ["</script>", "<b>"]
    assert "<b>" not in re.sub(r"<script.*", "", markup)


def test_the_png_stands_on_white(bake):
    import io

    from matplotlib.image import imread
    corner = imread(io.BytesIO(make().png), format="png")[0, 0]
    assert np.allclose(corner[:3], 1)


@pytest.mark.parametrize("call, message", [
    (lambda: make(name="Bad Name"), "name must be small letters, digits and single hyphens, got name='Bad Name'"),
    (lambda: make(name=3), "name must be .* got name=3"),
    (lambda: make(alt=""), "alt must be a sentence that says what the figure shows, got alt=''"),
    (lambda: make(alt="to {q}"), r"alt names \{q\}, but the controls are k"),
    (lambda: make(alt="to {k:zz}"), r"alt: \{k:zz\} cannot write k=1"),
    (lambda: make(alt="to {k:{w}}"), "alt must not nest fields"),
    (lambda: make(alt="to {k"), "alt must be a valid format string"),
    (lambda: make(alt="to {}"), r"alt names \{\}"),
    (lambda: make(k=3), "k must be made with slider, log_slider, choice or toggle, got k=3"),
    (lambda: make(q=toggle()), "draw does not take q; its parameters are k"),
    (lambda: make(lambda k, w: None), "draw needs w: add a control for it"),
    (lambda: explore(draw, name="demo", alt="x"), "explore needs at least one control"),
    (lambda: show(draw(1), name="demo", alt=" "), "alt must be a sentence"),
    (lambda: show("figure", name="demo", alt="x"), "figure must be a matplotlib Figure, got figure='figure'"),
    (lambda: make(lambda k: None), "draw must return a matplotlib Figure, got NoneType at k=1"),
    (lambda: make(caption=3), "caption must be a str, got caption=3"),
    (lambda: show(draw(1), name="demo", alt="x", caption=None), "caption must be a str, got caption=None"),
    (lambda: make(caption="$$x$$"), "caption must write its maths between single dollar signs, got caption="),
    (lambda: make(lambda k: 1 // (k - 2)), "draw must return a matplotlib Figure, got int at k=1"),
])
def test_bad_arguments_are_named(bake, call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_drawing_that_fails_names_the_values_and_keeps_the_cause(bake):
    def fails(k, w):
        return draw(1 // (3 - k))

    with pytest.raises(FigureError, match="draw failed at k=3, w=0.5: ZeroDivisionError") as caught:
        make(fails, w=slider(0.5, 1, 0.5))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_drawing_may_take_any_keyword(bake):
    assert make(lambda **values: draw(values["k"])).alt == "A line to 1."


def test_a_coordinate_that_is_not_finite_names_the_values(bake, monkeypatch):
    written = render.render_svg
    monkeypatch.setattr(render, "render_svg", lambda figure: written(figure).replace("<use ", '<use y1="nan" ', 1))
    with pytest.raises(FigureError, match="figure 'demo' cannot be written at k=1: NotFiniteError: use has y1='nan'") as caught:
        make()
    assert isinstance(caught.value.__cause__, NotFiniteError)


@pytest.mark.parametrize("style", ["linewidth", "markeredgewidth"])
def test_a_style_that_is_not_finite_names_the_values(bake, style):
    def broken(k):
        figure, axes = new_figure()
        axes.plot([0, 1], marker="o", **{style: math.nan if k == 2 else 1})
        return figure

    with pytest.raises(FigureError, match="at k=2: NotFiniteError: .* has style='.*nan.*, which is not finite"):
        make(broken)


@pytest.mark.parametrize("baking", ["0", "1"])
def test_figures_of_pyplot_are_refused(bake, monkeypatch, baking):
    import matplotlib.pyplot as plt

    monkeypatch.setenv("DERIVATIONS_BAKE", baking)
    with pytest.raises(FigureError, match="^draw made the figure with pyplot; use derivations.figures.new_figure"):
        make(lambda k: plt.figure())
    with pytest.raises(FigureError, match="^the cell made the figure with pyplot"):
        show(plt.figure(), name="still", alt="Nothing.")
    plt.close("all")


def test_broken_maths_names_the_values(bake):
    def broken(k):
        figure, axes = new_figure()
        axes.set_title(r"$\frac{1}$" if k == 2 else "fine")
        return figure

    with pytest.raises(FigureError, match=r"(?s)figure 'demo' cannot be written at k=2: .*Expected"):
        make(broken)


def test_missing_data_are_not_an_error(bake):
    def gap(k):
        figure, axes = new_figure()
        axes.plot([0, 1, 2], [0, math.nan, k])
        axes.set_title("nan and inf are words here")
        return figure

    assert make(gap).alt == "A line to 1."


def test_names_are_unique_on_a_page(bake):
    make()
    with pytest.raises(ValueError, match="name must be unique on a page, but name='demo' is already taken"):
        show(draw(1), name="demo", alt="A line.")


def test_the_budget_counts_all_figures_of_a_page(bake):
    make(lambda k, w: draw(k), name="first", k=slider(1, 3, 1), w=slider(1, 4, 1))
    with pytest.raises(ValueError, match=(
        r"figure 'second' has k \(3 steps\) x w \(3 steps\) = 9 frames and 12 frames stand before it on the page: "
        r"21 in all, more than max_frames=20"
    )):
        make(lambda k, w: draw(k), name="second", max_frames=20, k=slider(1, 3, 1), w=log_slider(1, 4, 3))
    make(lambda k, w: draw(k), name="second", max_frames=21, k=slider(1, 3, 1), w=log_slider(1, 4, 3))


def test_the_budget_is_400_frames(bake):
    with pytest.raises(ValueError, match=r"k \(401 steps\) = 401 frames: 401 in all, more than max_frames=400"):
        make(k=slider(0, 400, 1))


def test_progress_is_written_where_asked(bake, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DERIVATIONS_BAKE_PROGRESS", str(tmp_path / "progress"))
    make()
    assert re.fullmatch(r"demo: 3 frames, \d+\.\d s CPU, \d+\.\d kB\n", (tmp_path / "progress").read_text())
    assert capsys.readouterr() == ("", "")


def test_baking_twice_gives_the_same_bytes(bake, monkeypatch):
    first = make().markup
    monkeypatch.setattr(baked, "_report", lambda *_: None)
    from derivations import explore as package
    monkeypatch.setattr(package, "_session", baked.Session())
    assert make().markup == first


def test_a_faster_renderer_draws_what_matplotlib_draws():
    import io

    from matplotlib.backends.backend_svg import FigureCanvasSVG
    figure, axes = new_figure()
    axes.plot([0, 1], label="$x^2$")
    axes.set(title="two\nlines", xlabel="x")
    axes.legend()
    ours = canonical(render.render_svg(figure), "demo").markup()
    buffer = io.StringIO()
    with render._style():
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    assert ours == canonical(buffer.getvalue(), "demo").markup()


def test_the_resolution_of_a_figure_is_left_alone():
    figure = draw(1)
    before = figure.dpi
    render.render_svg(figure)
    assert figure.dpi == before


def published(monkeypatch):
    """Collect what glue displays."""
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append((data, options)))
    return shown


def test_glue_emits_the_record_that_myst_nb_reads(bake, monkeypatch):
    from myst_nb.ext.glue import extract_glue_data_cell
    from nbformat import NotebookNode
    shown = published(monkeypatch)
    glue("rms", 0.12, ".3f")
    (data, options), = shown
    assert data == {"application/papermill.record/text/plain": "'0.120'"}
    output = NotebookNode(output_type="display_data", data=data, metadata=NotebookNode(options["metadata"]))
    (key, found), = extract_glue_data_cell(NotebookNode(outputs=[output]))
    assert (key, found["data"]) == ("rms", {"text/plain": "'0.120'"})


def test_glue_shows_nothing_in_a_notebook(monkeypatch):
    shown = published(monkeypatch)
    assert glue("rms", 1.0) is None
    assert shown == []


@pytest.mark.parametrize("arguments, message", [
    (("", 1), "name must be a non-empty string, got name=''"),
    (("rms", math.nan), "value must be finite, got value=nan for name='rms'"),
    (("rms", np.float32("-inf"), ".3f"), "value must be finite, got value=.*inf.* for name='rms'"),
    (("rms", "text", ".3f"), "fmt must fit the value 'text' .* got fmt='.3f'"),
])
def test_glue_names_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        glue(*arguments)
