"""The components of all pages: self-contained HTML, offline, light and dark, readable on a phone and on paper.

A page is a title, a lead and sections; a section's blocks are returned by the functions below, already
escaped. Plots are SVG whose horizontal positions are shares of the width, so that letters keep their size
at every width; each carries its figures as text for screen readers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from onrecord.core.intervals import format_number, format_score

EDGE = 1.5  # per cent of the width left free at both ends of a plot, so that no dot is cut
Tone = Literal["plain", "caution"]


@dataclass(frozen=True)
class Section:
    """A part of a page: its heading, a sentence or two, and its blocks in order."""

    title: str
    blocks: Sequence[Markup]
    lead: str = ""


@dataclass(frozen=True)
class Interval:
    """A row of an interval plot; ``low`` and ``high`` are None where there is no interval."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Line:
    """A line of a line plot, with a band where ``low`` and ``high`` are given; all of one length."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


@cache
def templates() -> Environment:
    """Return the package's templates: values are escaped unless they are Markup."""
    environment = Environment(
        loader=PackageLoader("onrecord.core"),
        autoescape=select_autoescape(("html", "svg")),
        extensions=["jinja2.ext.do"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "figure": format_number, "score": format_score}
    blocks = (text, notice, table, interval_plot, bar_plot, heat_map, line_plot, Interval, Line)
    environment.globals |= {block.__name__: block for block in blocks}
    css = (Path(__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    environment.globals["style"] = Markup(css)  # noqa: S704 (a file of this package)
    return environment


def render(template: str, **values: Any) -> Markup:
    """Return a template of this package filled in, as text that needs no further escaping."""
    return Markup(templates().get_template(template).render(**values))  # noqa: S704 (autoescaped)


def rendered_sections(template: str, **values: Any) -> list[Section]:
    """Return the sections that a template makes with ``{% call section(title, lead) %}``, in its order."""
    found: list[Section] = []

    def section(title: str, lead: str = "", *, caller: Callable[[], Markup]) -> str:
        found.append(Section(title, [caller().strip()], lead))
        return ""

    render(template, section=section, **values)
    return found


def page(title: str, lead: str, sections: Sequence[Section], note: str = "") -> str:
    """Return a whole page; ``note`` is the small print at its foot: version, seed, command.

    >>> "<h1>A &lt; B</h1>" in page("A < B", "", [])
    True
    """
    numbered = [(f"section-{i}", section) for i, section in enumerate(sections, 1)]
    return str(render("page.html", title=title, lead=lead, sections=numbered, note=note))


def text(words: str) -> Markup:
    """Return a paragraph."""
    return Markup("<p>{}</p>").format(words)


def notice(words: str, tone: Tone = "caution") -> Markup:
    """Return a highlighted line: what a reader must know before the figures."""
    return Markup('<p class="notice {}" role="note">{}</p>').format(tone, words)


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    digits: int = 3,
) -> Markup:
    """Return a table; the first cell of a row is its heading, numbers are set to ``digits`` decimals.

    None is shown as a dash. Raises ValueError where a row does not have one cell per column.
    """
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{caption}: expected {len(columns)} cells, found {len(row)}: {row}")
    numeric = [
        any(_is_number(row[i]) for row in rows)
        and all(row[i] is None or _is_number(row[i]) for row in rows)
        for i in range(len(columns))
    ]
    return render(
        "table.html", caption=caption, columns=columns, rows=rows, numeric=numeric, digits=digits
    )


def interval_plot(
    rows: Sequence[Interval],
    title: str,
    *,
    domain: tuple[float, float] = (0.0, 1.0),
    reference: tuple[float, str] | None = None,
    digits: int = 3,
) -> Markup:
    """Return one dot and bar per row over a common axis; the axis grows where a value lies outside ``domain``.

    ``reference`` is a vertical dashed line with its name, such as the baseline's score.
    """
    ends = [v for r in rows for v in (r.value, r.low, r.high) if v is not None]
    axis = _axis(min([domain[0], *ends]), max([domain[1], *ends]))
    drawn = [
        {
            "row": row,
            "words": interval_words(row.value, row.low, row.high, digits),
            "x": None if row.value is None else axis.percent(row.value),
            "from": None if row.low is None else axis.percent(row.low),
            "to": None if row.high is None else axis.percent(row.high),
        }
        for row in rows
    ]
    mark = None if reference is None else (axis.percent(reference[0]), reference[1])
    return render("interval_plot.html", title=title, rows=drawn, ticks=axis.ticks, mark=mark)


def bar_plot(
    rows: Sequence[tuple[str, float]], title: str, *, largest: float | None = None, digits: int = 0
) -> Markup:
    """Return one bar per row from zero to its value; ``largest`` is the value of a full-width bar."""
    full = largest or max((value for _, value in rows), default=1.0) or 1.0
    drawn = [(label, number(value, digits), 100 * value / full) for label, value in rows]
    return render("bar_plot.html", title=title, rows=drawn)


def heat_map(
    matrix: Sequence[Sequence[float]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    caption: str,
    *,
    corner: str = "",
    digits: int = 0,
    diagonal: bool = True,
) -> Markup:
    """Return a matrix as a table whose cells are shaded by their share of the row's sum.

    ``corner`` names rows and columns. With ``diagonal=False`` the diagonal is shown but neither shaded nor
    counted: in a confusion matrix, agreement would hide everything else.
    """
    rows = []
    for i, (label, values) in enumerate(zip(row_labels, matrix, strict=True)):
        counted = [v for j, v in enumerate(values) if diagonal or i != j]
        whole = sum(counted)
        cells = [
            (number(v, digits), 0.0 if not whole or (not diagonal and i == j) else v / whole)
            for j, v in enumerate(values)
        ]
        rows.append((label, cells))
    return render("heat_map.html", rows=rows, columns=column_labels, caption=caption, corner=corner)


def line_plot(
    lines: Sequence[Line],
    title: str,
    *,
    x_name: str,
    y_name: str,
    y_domain: tuple[float, float] | None = None,
    digits: int = 3,
) -> Markup:
    """Return up to four lines, with their bands, over common axes; lines differ in colour and dash."""
    if not 1 <= len(lines) <= 4:
        raise ValueError(f"{title}: expected one to four lines, found {len(lines)}")
    ys = [v for line in lines for part in (line.y, line.low, line.high) for v in part or ()]
    across = _axis(min(min(line.x) for line in lines), max(max(line.x) for line in lines))
    up = _axis(*(y_domain or (min(ys), max(ys))))
    drawn = [
        {
            "label": line.label,
            "points": _points(across, up, line.x, line.y),
            "dots": [(across.percent(x), 100 - up.percent(y)) for x, y in zip(line.x, line.y, strict=True)],
            "band": ""
            if line.low is None or line.high is None
            else f"{_points(across, up, line.x, line.high)} "
            + _points(across, up, line.x[::-1], line.low[::-1]),
            "words": ", ".join(
                f"{number(x, 0)}: {number(y, digits)}" for x, y in zip(line.x, line.y, strict=True)
            ),
        }
        for line in lines
    ]  # fmt: skip
    y_ticks = [(100 - percent, words) for percent, words in up.ticks]
    return render(
        "line_plot.html", title=title, lines=drawn, x_ticks=across.ticks, y_ticks=y_ticks,
        x_name=x_name, y_name=y_name,
    )  # fmt: skip


def number(value: object, digits: int = 3) -> str:
    """Return a value for a reader: numbers with a true minus, whole numbers with thousands, None as a dash.

    >>> number(-0.1234), number(12345), number(None), number(True), number("a")
    ('−0.123', '12,345', '–', 'yes', 'a')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return f"{int(value):,}".replace("-", "−")
    if not isinstance(value, Real):
        return str(value)
    figure = f"{float(value):,.{digits}f}"
    return figure[1:] if not figure.strip("-0.,") and figure[0] == "-" else figure.replace("-", "−")


def interval_words(
    value: float | None, low: float | None, high: float | None, digits: int = 3
) -> str:
    """Return a score with its interval.

    >>> interval_words(0.5, 0.25, 0.75, 2), interval_words(0.5, None, None, 2)
    ('0.50 [0.25, 0.75]', '0.50')
    """
    if value is None or low is None or high is None:
        return number(value, digits)
    return f"{number(value, digits)} [{number(low, digits)}, {number(high, digits)}]"


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]

    def percent(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(EDGE + share * (100 - 2 * EDGE), 3)


def _axis(low: float, high: float) -> _Axis:
    """Return an axis from ``low`` to ``high``, widened to round ticks, of which there are four to eight."""
    wide = high - low or abs(high) or 1.0
    power = 10.0 ** (len(f"{int(wide * 1e9)}") - 10)
    step = next(power * s for s in (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5, 5) if wide / (power * s) <= 6)
    first, last = round(low // step), round(-(-high // step))
    if first == last:
        last += 1
    digits = next(d for d in range(12) if abs(round(step, d) - step) < step * 1e-6)
    bare = _Axis(first * step, last * step, [])
    ticks = [(bare.percent(i * step), number(i * step, digits)) for i in range(first, last + 1)]
    return _Axis(bare.low, bare.high, ticks)


def _points(across: _Axis, up: _Axis, xs: Sequence[float], ys: Sequence[float]) -> str:
    return " ".join(
        f"{across.percent(x)},{round(100 - up.percent(y), 3)}" for x, y in zip(xs, ys, strict=True)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
