"""``compare.html``: runs side by side as a page, each with its signature. It holds no text of a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from markupsafe import Markup

from onrecord.core.html import Interval, Section, interval_plot, notice, page, table, text
from onrecord.core.intervals import Score, too_few_groups
from onrecord.experiment.reporting.report import Report
from onrecord.experiment.reporting.report_page import MEASURES
from onrecord.experiment.scoring import Difference, McNemar

Reports = Mapping[str, Report]
SIGNED = ("classifier", "on", "data", "split", "config", "seed", "fold_by", "baseline", "onrecord")


class Pair(TypedDict):
    """Two runs, named, on the same rows: each measure's paired difference, then McNemar."""

    first: str
    second: str
    difference: dict[str, Difference]
    mcnemar: McNemar


class Compared(TypedDict):
    """``compare.json``: each run's scores and folder by its name, and each pair of runs."""

    n: int
    n_groups: int
    baseline: str | None
    runs: dict[str, dict[str, Score]]
    pairs: list[Pair]
    folders: dict[str, str]


def compare_page(found: Compared, reports: Reports) -> str:
    """Return the page of ``compare.json``'s content; ``reports`` has the ``report.json`` of each run by name."""
    lead = (
        f"{len(reports)} runs on the same {found['n']:,} sentences in {found['n_groups']:,} groups. Intervals are "
        "95 %, over groups; two runs differ where p, corrected for the number of pairs (Holm), is below .05."
    )
    reason = too_few_groups(found["n_groups"])
    cautions = [notice(f"{reason}: no intervals.")] if reason else []
    sections = [
        Section("Scores", [*cautions, *_scores(found)]),
        Section("Differences", _differences(found)),
        Section("By label", [_labels(reports)]),
        Section("Probabilities", [_calibration(reports)]),
        Section("Signatures", [_signatures(reports, found["folders"])]),
    ]
    return page(
        "Runs side by side", lead, sections, "Labels describe a sentence, not a person's view."
    )


def verdict_words(pair: Pair, verdict: str) -> str:
    """Return a verdict on a pair of runs in words.

    >>> verdict_words({"first": "a", "second": "b"}, "second")
    'b is better'
    """
    words = {"none": "none", "unknown": "too few groups to tell"}
    better = pair["first"] if verdict == "first" else pair["second"]
    return words.get(verdict) or f"{better} is better"


def _scores(found: Compared) -> list[Markup]:
    blocks = []
    for measure, words in MEASURES.items():
        scored = {name: run[measure] for name, run in found["runs"].items()}
        if any(score["value"] is not None for score in scored.values()):
            rows = [Interval(name, s["value"], s["low"], s["high"]) for name, s in scored.items()]
            blocks.append(interval_plot(rows, words))
    return blocks


def _differences(found: Compared) -> list[Markup]:
    rows = [
        [f"{p['first']} − {p['second']}", MEASURES[k], d["value"], d["low"], d["high"], d["p"], d.get("p_holm"),
         d["detectable"], verdict_words(p, d["verdict"])]
        for p in found["pairs"]
        for k, d in p["difference"].items()
    ]  # fmt: skip
    tests = [
        [f"{p['first']} − {p['second']}", t["only_first_right"], t["only_second_right"], f"{t['p']:.3g}"]
        for p in found["pairs"]
        for t in [p["mcnemar"]]
    ]  # fmt: skip
    return [
        table(
            "Paired differences over groups: t by the jackknife; detectable: what a test set like this one shows in "
            "four cases of five",
            ("runs", "score", "difference", "low", "high", "p", f"p of {len(found['pairs'])} pairs", "detectable", "better"),
            rows,
        ),
        text("Second, and blind to groups: the exact McNemar test on which sentences each run gets right."),
        table("Exact McNemar", ("runs", "only the first right", "only the second right", "p"), tests),
    ]  # fmt: skip


def _labels(reports: Reports) -> Markup:
    labels = next(iter(reports.values()))["labels"]
    rows = [
        [label, *(report["per_label"][label]["f1"]["value"] for report in reports.values())]
        for label in labels
    ]
    return table("F1 of each label", ("label", *reports), rows)


def _calibration(reports: Reports) -> Markup:
    rows = [
        [name, c["ece"], c["brier"], c["cross_entropy"], c["cross_entropy_soft"]]
        for name, report in reports.items()
        for c in [report["calibration"]]
    ]
    columns = ("run", "ECE", "Brier", "cross-entropy", "against votes")
    return table("Calibration", columns, rows)


def _signatures(reports: Reports, folders: Mapping[str, str]) -> Markup:
    rows: Sequence[Sequence[Any]] = [
        [name, *(_plain(report["signature"].get(key)) for key in SIGNED), folders[name]]
        for name, report in reports.items()
    ]
    return table("Signatures: what each score is of", ("run", *SIGNED, "folder"), rows)


def _plain(value: Any) -> str | None:
    """Return a signature's value as it stands, not set as a number."""
    return None if value is None else str(value)
