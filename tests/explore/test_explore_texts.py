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
    (r"$\log_{10}\eta$", "log10 η"),
    (r"$\sin\theta$", "sin θ"),
    (r"$\frac{\beta_{1}}{2}$", "β1/2"),
    (r"$\hat m_t$, $\bar{v}$, $m_t$", "hat mt, bar v, mt"),
    (r"$\left(\operatorname{sign} \mathbf{g}\right)$", "(sign g)"),
    (r"$x_{\mathrm{max}}$", "xmax"),
    (r"\$5 for $x$", "$5 for x"),
])
def test_screen_readers_get_plain_text(label, plain):
    assert plain_text(label) == plain


def test_html_is_escaped_inside_and_outside_maths():
    assert label_html("a < b $c < d$") == (
        r'a &lt; b <span class="math notranslate nohighlight">\(c &lt; d\)</span>'
    )


def test_an_escaped_dollar_is_a_dollar():
    assert label_html(r"It costs \$5 and \$6; $x$") == (
        r'It costs $5 and $6; <span class="math notranslate nohighlight">\(x\)</span>'
    )


def test_alt_formats_every_value_as_python_does():
    alt = AltText("{{x}} = {x:>6.2e}, {shape!r}", {"x": slider(0.5, 1, 0.5), "shape": choice(["a", "b"])})
    for i, x in enumerate([0.5, 1.0]):
        for j, shape in enumerate("ab"):
            assert alt.sentence({"x": i, "shape": j}) == f"{{x}} = {x:>6.2e}, {shape!r}"
