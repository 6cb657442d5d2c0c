"""``estimates.html``: corrected figures beside those of people alone and of predictions alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onrecord.core.html import Interval, Section, interval_plot, notice, page, table, text

ROW = Mapping[str, Any]
TITLES = {
    "share": "How common each label is",
    "difference": "Differences",
    "trend": "Trends",
    "coefficient": "Regression",
}


def estimates_page(found: Sequence[ROW], design: ROW, title: str, signature: str) -> str:
    """Return the page of ``estimate``'s figures."""
    lead = (
        f"{design['n_labelled']:,} of {design['n']:,} sentences carry a label; {design['words']}. "
        "Intervals are 95 % confidence intervals for the whole corpus."
    )
    sections = [_overall(found)]
    for column in dict.fromkeys(c for one in found for c in one["by"]):
        of = [one for one in found if column in one["by"]]
        sections.append(
            Section(f"By {column}", [*_forest([o for o in of if o["kind"] == "share"], column),
                                     *_forest([o for o in of if o["kind"] == "difference"], column)])
        )  # fmt: skip
    for kind in ("trend", "coefficient"):
        of = [one for one in found if one["kind"] == kind]
        if of:
            sections.append(Section(TITLES[kind], _forest(of, None)))
    sections.append(_correction(found, design))
    return page(f"{title}: estimates", lead, sections, f"signature {signature}")


def _overall(found: Sequence[ROW]) -> Section:
    rows = [one for one in found if one["kind"] == "share" and not one["by"]]
    top = max(
        rows, key=lambda one: one["value"] if one["value"] is not None else one["naive"] or 0.0
    )
    if top["value"] is None:
        lead = (
            "There is no corrected figure: "
            + str(top["reason"])
            + ". The plot shows the uncorrected share."
        )
    elif top["low"] is None:
        lead = f"The most common label is {top['label']}; no interval: {top['reason']}."
    else:
        lead = (
            f"The most common label is {top['label']}: {top['value']:.1%} of sentences, "
            f"between {top['low']:.1%} and {top['high']:.1%}."
        )
    return Section(TITLES["share"], _forest(rows, None), lead)


def _forest(rows: Sequence[ROW], column: str | None) -> list[Markup]:
    blocks = []
    for label in dict.fromkeys(one["label"] for one in rows) if column else [None]:
        of = [one for one in rows if label is None or one["label"] == label]
        if not of:
            continue
        kind = of[0]["kind"]
        intervals = [
            Interval(
                _name(one, column), one["naive"] if one["value"] is None else one["value"], one["low"], one["high"],
                _note(one),
            )
            for one in of
        ]  # fmt: skip
        zero = kind != "share"
        blocks.append(
            interval_plot(
                intervals, f"{TITLES[kind]}{'' if label is None else ': ' + label}",
                domain=(0.0, 0.0) if zero else (0.0, 1.0), reference=(0.0, "no difference") if zero else None,
            )
        )  # fmt: skip
    return blocks


def _name(one: ROW, column: str | None) -> str:
    if column:
        versus = f" less {one['versus']}" if one.get("versus") else ""
        return f"{one['by'][column]}{versus}"
    term = f", {one['term']} ({one['unit']})" if one.get("term") else ""
    return f"{one['label']}{term}"


def _note(one: ROW) -> str:
    parts = [f"{one['n_labelled']:,} of {one['n']:,} labelled"]
    people = one["people_only"]
    if people["low"] is not None and one["power"]:
        parts.append(
            f"people alone {people['value']:.3f} [{people['low']:.3f}, {people['high']:.3f}]"
        )
    if one["naive"] is not None and one["value"] is not None:
        parts.append(f"uncorrected {one['naive']:.3f}")
    if one["reason"]:
        parts.append(one["reason"])
    return "; ".join(parts)


def _correction(found: Sequence[ROW], design: ROW) -> Section:
    """Return what the correction did: how far predictions alone are off, and how much narrower intervals are."""
    rows = []
    for one in found:
        people = one["people_only"]
        if one["by"] or None in (one["low"], people["low"], one["naive"]):
            continue
        narrower = (
            (one["high"] - one["low"]) / (people["high"] - people["low"])
            if people["high"] > people["low"]
            else None
        )
        worth = None if not narrower else round(one["n_labelled"] / narrower**2)
        rows.append(
            (
                one["label"],
                one.get("term") or one["kind"],
                one["naive"],
                one["value"],
                narrower,
                worth,
            )
        )
    blocks: list[Markup] = []
    if design["n_labelled_without_probability"]:
        blocks.append(
            notice(
                f"{design['n_labelled_without_probability']:,} labelled sentences have no inclusion probability: "
                "they are not part of the sample and were not used."
            )
        )
    if rows:
        blocks.append(
            table(
                "What the correction did",
                ("label", "figure", "predictions alone", "corrected", "width against people alone", "labels it was worth"),
                rows,
            )
        )  # fmt: skip
    blocks.append(
        text(
            "Predictions alone repeat the model's errors; no interval around them allows for that. The corrected figure "
            "adds, from the labelled sample, how far the model is off. Labels describe sentences, not people's views."
        )
    )
    return Section("What the correction did", blocks)
