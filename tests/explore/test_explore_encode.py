"""The encoder: decoding gives every frame back, and what does not move is stored once."""
import json
import zlib
from xml.etree import ElementTree

import numpy as np
from derivations.explore.encode import encode, snake_order
from derivations.explore.svg import NUMBER, canonical
from hypothesis import given
from hypothesis import strategies as st


def heads(encoded):
    """The JSON that describes the classes."""
    block = zlib.decompress(encoded.data)
    return json.loads(block[4:4 + int.from_bytes(block[:4], "little")])


def decode(encoded):
    """Undo the encoding as live-figures.js does: the elements of each frame, keyed by its number."""
    block = zlib.decompress(encoded.data)
    offset, frames = 4 + int.from_bytes(block[:4], "little"), {}
    for part in heads(encoded):
        shape = (len(part["frames"]), part["columns"])
        size = shape[0] * shape[1]
        planes = np.frombuffer(block, np.uint8, size * part["planes"], offset).reshape(part["planes"], size)
        offset += planes.size
        rows = sum(plane.astype(np.int64) << (8 * k) for k, plane in enumerate(planes))
        rows = np.where(rows & 1, -(rows >> 1) - 1, rows >> 1).reshape(shape).cumsum(axis=0)
        for j in range(2, shape[1]):
            rows[:, j] += rows[:, j - 2]
        skeleton = elements_of(part["svg"] or encoded.svg)
        for row, frame in enumerate(part["frames"]):
            frames[frame] = fill(skeleton, part, rows[row], row)
    assert offset == len(block)
    return frames


def elements_of(markup):
    """A list of (tag, attributes, text) in document order."""
    return [(e.tag, dict(e.attrib), e.text or "") for e in ElementTree.fromstring(markup).iter()]


def fill(skeleton, part, numbers, row):
    """Put the numbers and strings of one frame into the skeleton of its class."""
    elements = [(tag, dict(attributes), text) for tag, attributes, text in skeleton]
    column = 0
    for element, attribute in part["numeric"]:
        pieces = NUMBER.split(elements[element][1][attribute])
        values = numbers[column:column + len(pieces) - 1]
        column += len(values)
        shown = [f"{value / 100:.2f}".rstrip("0").rstrip(".") for value in values]
        elements[element][1][attribute] = pieces[0] + "".join(a + b for a, b in zip(shown, pieces[1:]))
    for element, attribute, strings, indices in part["tables"]:
        tag, attributes, text = elements[element]
        if attribute:
            attributes[attribute] = strings[indices[row]]
        else:
            elements[element] = (tag, attributes, strings[indices[row]])
    return elements


def check(svgs, default=0, order=None):
    """Encode frames and compare what decoding gives."""
    pictures = [canonical(svg, "demo") for svg in svgs]
    encoded = encode(pictures, default, order)
    frames = decode(encoded)
    assert sorted(frames) == list(range(len(svgs)))
    for index, picture in enumerate(pictures):
        assert frames[index] == elements_of(picture.markup())
    return encoded


numbers = st.floats(-1e9, 1e9).map(lambda x: f"{x:.6f}") | st.integers(-500, 500).map(str)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8).map(
    lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
)


@st.composite
def frames(draw):
    """A figure that may change numbers, texts, colours, the number of its vertices and of its elements."""
    vertices = " ".join(f"L {draw(numbers)} {draw(numbers)}" for _ in range(draw(st.integers(0, 3))))
    colour = draw(st.sampled_from(["red", "#000000"]))
    marks = "".join(
        f'<g><path id="m{k}" d="M {draw(numbers)} 1 {vertices}" style="fill: {colour}"/></g>'
        for k in range(draw(st.integers(1, 2)))
    )
    turn = f'transform="translate({draw(numbers)} 2) rotate({draw(numbers)})"'
    return f'<svg viewBox="0 0 10.123 5">{marks}<text {turn} x="{draw(numbers)}">{draw(words)}</text></svg>'


@given(st.lists(frames(), min_size=1, max_size=8), st.data())
def test_decoding_gives_every_frame_back(svgs, data):
    order = data.draw(st.permutations(range(len(svgs))))
    check(svgs, default=data.draw(st.sampled_from(range(len(svgs)))), order=order)


def test_numbers_are_rounded_to_hundredths_of_a_point():
    picture = canonical('<svg><path d="M 1.23456 -0.001 \nL 2 3.999 "/></svg>', "demo")
    assert picture.values[-1] == "M1.23 0L2 4"


def test_factors_of_a_transform_keep_their_digits():
    scale = '<svg><path transform="scale(0.015625)" d="M 0 0"/></svg>'
    assert "scale(0.015625)" in canonical(scale, "demo").values
    check([scale, scale.replace("0.015625", "0.017825")])


def test_numbers_beyond_32_bits_are_stored_as_text():
    check([f'<svg><path d="M 0 {y}"/></svg>' for y in (1e12, 2e12, 3e12)])


def test_large_jumps_use_more_bytes():
    near = check([f'<svg><path d="M 0 {y}"/></svg>' for y in (0, 1)])
    far = check([f'<svg><path d="M 0 {y}"/></svg>' for y in (0, 2e6, -2e6)])
    assert heads(near)[0]["planes"] == 1
    assert heads(far)[0]["planes"] == 4


def test_what_does_not_move_is_stored_once():
    still = " ".join(f"L {x} {x * x % 97}" for x in range(300))
    svgs = [f'<svg><path d="M 0 0 {still}"/><path d="M 0 {y}"/></svg>' for y in range(50)]
    encoded = check(svgs)
    assert encoded.svg.count("L299") == 1
    assert b"L299" not in zlib.decompress(encoded.data)
    assert len(encoded.data) < 400


def test_ids_are_unique_on_the_page_and_only_those_in_use():
    svg = (
        '<svg xmlns:xlink="http://www.w3.org/1999/xlink"><g id="figure_1"><defs><path id="abc" d="M 0 0"/></defs>'
        '<use xlink:href="#abc" clip-path="url(#clip)"/></g><defs><clipPath id="clip"/></defs></svg>'
    )
    markup = canonical(svg, "demo").markup()
    assert 'id="fig-demo_0"' in markup and 'href="#fig-demo_0"' in markup
    assert 'clip-path="url(#fig-demo_1)"' in markup and '<clipPath id="fig-demo_1">' in markup
    assert "figure_1" not in markup


def test_nothing_reaches_outside_the_picture():
    svg = (
        '<svg><metadata>x</metadata><defs><style type="text/css">*{stroke: red}</style></defs>'
        '<path style="stroke: #000000" d="M 0 0"/></svg>'
    )
    markup = canonical(svg, "demo").markup()
    assert "style>" not in markup and "metadata" not in markup
    assert "stroke: currentColor" in markup


def test_snake_order_takes_one_step_at_a_time():
    lengths = [3, 4, 2]
    order = snake_order(lengths)
    assert sorted(order) == list(range(24))
    places = np.array(np.unravel_index(order, lengths)).T
    assert (np.abs(np.diff(places, axis=0)).sum(axis=1) == 1).all()
