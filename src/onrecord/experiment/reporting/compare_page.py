"""``compare.html``: runs side by side as a page, each with its signature. It holds no text of a sentence."""

from collections.abc import Mapping
from typing import TypedDict

from onrecord.core.html import page, rendered_sections
from onrecord.core.intervals import Score, too_few_groups
from onrecord.experiment.reporting.report import Report
from onrecord.experiment.reporting.report_page import MEASURES, dot
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
    sections = rendered_sections(
        "compare.html", found=found, reports=reports, measures=MEASURES, signed=SIGNED, dot=dot,
        too_few=too_few_groups(found["n_groups"]), verdict_words=verdict_words,
    )  # fmt: skip
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
