"""``compare.html``: runs side by side as a page, each with its signature. It holds no text of a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onrecord.core.html import Interval, Section, interval_plot, notice, page, table, text
from onrecord.experiment.reporting.report_page import MEASURES
from onrecord.experiment.scoring import FEWEST_GROUPS, NARROW_GROUPS

SIGNED = ("on", "data", "split", "config", "seed", "fold_by", "baseline", "onrecord")


def compare_page(found: Mapping[str, Any], reports: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page of ``compare.json``'s content; ``reports`` has the ``report.json`` of each run by name."""
    lead = (
        f"{len(reports)} runs on the same {found['n']:,} sentences in {found['n_groups']:,} groups. Intervals are "
        "95 %, by bootstrap over groups; two runs differ where the interval of their difference leaves out 0."
    )
    sections = [
        Section("Scores", [*_cautions(found), *_scores(found)]),
        Section("Differences", _differences(found)),
        Section("By label", [_labels(reports)]),
        Section("Probabilities", [_calibration(reports)]),
        Section("Signatures", [_signatures(reports, found["folders"])]),
    ]
    return page(
        "Runs side by side", lead, sections, "Labels describe a sentence, not a person's view."
    )


def verdict_words(pair: Mapping[str, Any], verdict: str) -> str:
    """Return a verdict on a pair of runs in words.

    >>> verdict_words({"first": "a", "second": "b"}, "second")
    'b is better'
    """
    words = {"none": "none", "unknown": "too few groups to tell"}
    return words.get(verdict) or f"{pair[verdict]} is better"


def _cautions(found: Mapping[str, Any]) -> list[Markup]:
    groups = found["n_groups"]
    if groups < FEWEST_GROUPS:
        return [notice(f"{groups} groups, fewer than {FEWEST_GROUPS}: no intervals.")]
    if groups < NARROW_GROUPS:
        return [notice(f"Fewer than {NARROW_GROUPS} groups: the intervals are likely too narrow.")]
    return []


def _scores(found: Mapping[str, Any]) -> list[Markup]:
    blocks = []
    for measure, words in MEASURES.items():
        scored = {name: run[measure] for name, run in found["runs"].items()}
        if any(score["value"] is not None for score in scored.values()):
            rows = [Interval(name, s["value"], s["low"], s["high"]) for name, s in scored.items()]
            blocks.append(interval_plot(rows, words))
    return blocks


def _differences(found: Mapping[str, Any]) -> list[Markup]:
    rows = [
        [
            f"{pair['first']} − {pair['second']}", MEASURES[measure],
            told["value"], told["low"], told["high"], verdict_words(pair, told["verdict"]),
        ]
        for pair in found["pairs"]
        for measure, told in pair["difference"].items()
    ]  # fmt: skip
    tests = [
        [f"{p['first']} − {p['second']}", t["only_first_right"], t["only_second_right"], f"{t['p']:.3g}"]
        for p in found["pairs"]
        for t in [p["mcnemar"]]
    ]  # fmt: skip
    return [
        table("Paired bootstrap over groups", ("runs", "score", "difference", "low", "high", "better"), rows),
        text("Second, and blind to groups: the exact McNemar test on which sentences each run gets right."),
        table("Exact McNemar", ("runs", "only the first right", "only the second right", "p"), tests),
    ]  # fmt: skip


def _labels(reports: Mapping[str, Mapping[str, Any]]) -> Markup:
    labels = next(iter(reports.values()))["labels"]
    rows = [
        [label, *(report["per_label"][label]["f1"]["value"] for report in reports.values())]
        for label in labels
    ]
    return table("F1 of each label", ("label", *reports), rows)


def _calibration(reports: Mapping[str, Mapping[str, Any]]) -> Markup:
    keys = {
        "ece": "ECE", "brier": "Brier", "cross_entropy": "cross-entropy",
        "cross_entropy_soft": "against votes",
    }  # fmt: skip
    rows = [[name, *(r["calibration"][key] for key in keys)] for name, r in reports.items()]
    return table("How far the probabilities can be believed", ("run", *keys.values()), rows)


def _signatures(reports: Mapping[str, Mapping[str, Any]], folders: Mapping[str, str]) -> Markup:
    rows: Sequence[Sequence[Any]] = [
        [name, *(_plain(report["signature"].get(key)) for key in SIGNED), folders[name]]
        for name, report in reports.items()
    ]
    return table("What each score is of", ("run", *SIGNED, "folder"), rows)


def _plain(value: Any) -> str | None:
    """Return a signature's value as it stands, not set as a number."""
    return None if value is None else str(value)
