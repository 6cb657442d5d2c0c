"""``report.html``: a report as a page. It shows sentences, so it stays on the machine that made it."""

from collections.abc import Mapping
from typing import Any

from onrecord.core.html import Interval, page, rendered_sections
from onrecord.experiment.models.top_features import Top
from onrecord.experiment.reporting.report import ORIGINS, Report

MEASURES = {"macro_f1": "macro-F1", "f_avg": "F_avg", "accuracy": "accuracy"}
VERDICTS = {
    "first": "better than the baseline",
    "second": "worse than the baseline",
    "none": "no difference that these data can tell",
    "unknown": "too few groups to tell",
}


def report_page(
    report: Report, campaign: str, texts: Mapping[str, str], top: Mapping[str, Top]
) -> str:
    """Return the page; ``texts`` gives each id its sentence, ``top`` each part of the model its top features."""
    signature = report["signature"]
    held_out = f"sentences predicted out of fold, by {signature['fold_by']}"
    where = "the test split" if signature["on"] == "test" else held_out
    title = f"{signature['name']}: {report['question']}"
    if report["heading"]:
        title += f" ({report['heading']})"
    lead = (
        f"{campaign[:1].upper()}{campaign[1:]}. Scored on {where}: {report['n']:,} sentences in {report['n_groups']:,} groups. "
        "Intervals are 95 %, over groups."
    )
    sections = rendered_sections(
        "report.html", report=report, texts=texts, top=top, dot=dot,
        measures=MEASURES, verdicts=VERDICTS, origins=ORIGINS,
    )  # fmt: skip
    note = ", ".join(f"{k} {v}" for k, v in signature.items() if v is not None)
    foot = f"Signature: {note}. Labels describe a sentence, not a person's view."
    return page(title, lead, sections, foot)


def dot(label: str, score: Mapping[str, Any]) -> Interval:
    """Return a score as a row of a plot."""
    return Interval(label, score["value"], score["low"], score["high"])
