"""Labels, captions and alt sentences."""
import pytest
from derivations.explore import choice, slider
from derivations.explore.texts import AltText, label_html, plain_text


@pytest.mark.parametrize("label, plain", [
    (r"learning rate $\eta$", "learning rate η"),
    (r"$\beta_2$", "β2"),
    (r"$\frac{\eta}{2\lambda}$", "η/2λ"),
    (r"$\mathrm{RMS}(w) \le 1$", "RMS(w) ≤ 1"),
    (r"$R_{abcd}$ & more", "Rabcd & more"),
    ("no maths", "no maths"),
])
def test_screen_readers_get_plain_text(label, plain):
    assert plain_text(label) == plain


def test_html_is_escaped_inside_and_outside_maths():
    assert label_html("a < b $c < d$") == (
        r'a &lt; b <span class="math notranslate nohighlight">\(c &lt; d\)</span>'
    )


def test_alt_formats_every_value_as_python_does():
    alt = AltText("{{x}} = {x:>6.2e}, {shape!r}", {"x": slider(0.5, 1, 0.5), "shape": choice(["a", "b"])})
    for i, x in enumerate([0.5, 1.0]):
        for j, shape in enumerate("ab"):
            assert alt.sentence({"x": i, "shape": j}) == "{{x}} = {x:>6.2e}, {shape!r}".format(x=x, shape=shape)
