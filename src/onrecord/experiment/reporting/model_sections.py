"""Sections of a report about the model itself: what more sentences would give it, and what it goes by."""

from collections.abc import Mapping, Sequence
from typing import Any

from onrecord.core.html import Line, Section, bar_plot, interval_words, line_plot, table, text
from onrecord.experiment.models.top_features import Top


def learning(curve: Mapping[str, Any] | None) -> list[Section]:
    """Return the section of a learning curve, as in ``curve.json``; none where there is no curve."""
    if curve is None:
        return []
    points, more = curve["points"], curve["extrapolation"]
    rows = [["measured", p["size"], p["value"], p["low"], p["high"]] for p in points]
    rows += [[f"{p['more']:,} more sentences", p["size"], p["value"], p["low"], p["high"]] for p in more]  # fmt: skip
    words = [
        f"{p['more']:,} more sentences would give about {interval_words(p['value'], p['low'], p['high'])}."
        for p in more
    ]
    lead = f"{curve['measure']} out of fold, {curve['repeats']} draws of each size; a power law leads on from what was measured."
    blocks = [line_plot([_line("measured", points), *([_line("led on", more)] if more else [])], "Learning curve", x_name="training sentences", y_name=str(curve["measure"]))]  # fmt: skip
    blocks += [text(w) for w in words]
    blocks.append(table("The curve", ("", "sentences", curve["measure"], "low", "high"), rows))
    if curve["reason"]:
        blocks.append(text(f"No intervals: {curve['reason']}."))
    return [Section("What more sentences would give", blocks, lead)]


def _line(label: str, points: Sequence[Mapping[str, Any]]) -> Line:
    banded = all(p["low"] is not None for p in points)
    return Line(
        label,
        [p["size"] for p in points],
        [p["value"] for p in points],
        [p["low"] for p in points] if banded else None,
        [p["high"] for p in points] if banded else None,
    )


def what_speaks(top: Mapping[str, Top]) -> list[Section]:
    """Return a section for each part of a model that has weights, with the features that weigh most."""
    return [
        Section(
            "What speaks for each label" + (f": {part}" if part else ""),
            [
                bar_plot([(w.replace(" ", "␣"), v) for w, v in rows if v > 0], label, digits=2)
                for label, rows in weighed.items()
            ],
            "Weights of a linear model; they are associations, not reasons.",
        )
        for part, weighed in top.items()
    ]
