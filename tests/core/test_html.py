"""The look of all pages: escaped, self-contained, whole figures in words beside every plot."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.core.html import (
    Interval,
    Line,
    Section,
    bar_plot,
    heat_map,
    interval_plot,
    line_plot,
    number,
    page,
    table,
    text,
)

PAYLOAD = "<img src=x onerror=alert(1)>\"'&"


def everything(word: str) -> str:
    blocks = [
        text(word),
        table(word, [word, "n"], [[word, 1], ["b", None]]),
        interval_plot([Interval(word, 0.5, 0.4, 0.6, word), Interval("b", None)], word, reference=(0.6, word)),
        bar_plot([(word, 3.0)], word),
        heat_map([[1, 2], [0, 0]], [word, "b"], [word, "b"], word, corner=word, diagonal=False),
        line_plot([Line(word, [1, 2], [0.1, 0.2], [0, 0.1], [0.2, 0.3])], word, x_name=word, y_name=word),
    ]  # fmt: skip
    return page(word, word, [Section(word, blocks, word)] * 4, word)


def test_whatever_is_put_into_a_page_is_escaped():
    assert "<img" not in everything(PAYLOAD)
    assert "&lt;img src=x" in everything(PAYLOAD)


def test_a_page_reaches_for_nothing_outside_itself():
    whole = everything("a")
    assert not re.search(r"(?:src|href)=\"(?!#)|@import|url\(|<link|https?://", whole)


def test_text_keeps_a_contrast_of_at_least_4_5_in_light_and_dark():
    css = everything("a")
    for theme in re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)[:2]:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
        pairs = [
            (ink, ground)
            for ink in ("ink", "quiet", "accent")
            for ground in ("paper", "raised")
        ] + [("caution", "caution-paper"), ("ink", "heat")]  # fmt: skip
        pairs += [(series, "paper") for series in colours if re.fullmatch(r"s\d", series)]
        for ink, ground in pairs:
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    """WCAG 2.1: (L1 + 0.05) / (L2 + 0.05) of the relative luminances."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_an_axis_grows_to_hold_a_value_outside_its_domain():
    drawn = interval_plot([Interval("a", -0.3, -0.5, 0.1)], "t")
    assert "−0.5" in drawn
    assert all(0 <= float(x) <= 100 for x in re.findall(r'(?:x1|x2|cx)="([-\d.]+)%"', drawn))


finite = st.floats(-1e6, 1e6).map(lambda v: round(v, 6))


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=6))
def test_a_line_never_leaves_its_plot(points):
    xs, ys = zip(*points, strict=True)
    drawn = line_plot([Line("a", xs, ys)], "t", x_name="x", y_name="y")
    places = re.findall(r'cx="([-\d.e+]+)%" cy="([-\d.e+]+)%"', drawn)
    assert len(places) == len(points)
    assert all(-0.01 <= float(v) <= 100.01 for place in places for v in place)


def test_numpy_numbers_are_numbers_and_truths_are_words():
    row = ["a", np.float64(0.5), np.int64(3), True, None]
    assert re.findall(r"<td.*?>(.*?)</td>", table("t", list("abcde"), [row])) == [
        "0.500", "3", "yes", "–",
    ]  # fmt: skip
    assert number(np.int64(12000)) == "12,000"


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        pytest.param(lambda: table("t", ["a", "b"], [["x"]]), "expected 2 cells", id="short row"),
        pytest.param(
            lambda: line_plot([], "t", x_name="x", y_name="y"), "one to four", id="no line"
        ),
        pytest.param(lambda: heat_map([[1]], ["a", "b"], ["a"], "t"), "zip", id="labels amiss"),
    ],
)
def test_a_plot_refuses_what_it_cannot_draw(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()
