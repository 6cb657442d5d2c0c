"""Sections of the agreement page: the annotators, and change over time, by guidelines and by suggestions."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onrecord.campaign.agreement.aggregation import FEWEST_KNOWN
from onrecord.core.agreement_report import (
    AgreementReport,
    CountedShare,
    Difference,
    VersionChange,
)
from onrecord.core.html import Interval, interval_plot, interval_words, table, text
from onrecord.core.intervals import Score

MAX_ROWS = 30  # of a table: agreement.json has all
MAX_PEOPLE = 200  # annotators in a table of their own


def plain(name: str) -> str:
    """Return a question's name for a reader.

    >>> plain("claim_type")
    'Claim type'
    """
    return name.replace("_", " ").capitalize()


def score(found: Score | Difference | VersionChange | None) -> str:
    """Return a score with its interval; a dash where there is none."""
    return interval_words(found["value"], found["low"], found["high"]) if found else "–"


def annotators(report: AgreementReport) -> list[Markup]:
    """Return the tables of agreement with the rest, label bias, known answers, repeats, pace and skill."""
    names = list(report["questions"])
    questions = [plain(name) for name in names]
    people = report["annotators"].items()
    biases = [
        [a, plain(n), label, score(b)]
        for a, v in people
        for n, of in v.get("bias", {}).items()
        for label, b in of.items()
        if b["value"] is not None and b["low"] is not None and b["high"] is not None
        and (b["low"] > 0 or b["high"] < 0) and abs(b["value"]) >= 0.02
    ]  # fmt: skip
    models = {"dawid_skene": "Dawid-Skene", "mace": "MACE"}
    tables: list[tuple[str, list[str], list[list[Any]]]] = [
        (
            "Agreement with the rest: the share of a task’s other annotators who gave the same label",
            ["annotator", "tasks", *questions],
            [
                [a, v.get("n_tasks"), *[score(v.get("agreement_with_rest", {}).get(n)) for n in names]]
                for a, v in people
            ],
        ),
        (
            "Label bias: own share of a label less that of the rest on the same tasks, where the interval excludes 0",
            ["annotator", "question", "label", "difference"],
            biases[: 2 * MAX_ROWS],
        ),
        (
            "Known answers: accuracy", ["annotator", *questions, "tasks"],
            _shares({a: v["checks"] for a, v in people if v.get("checks")}, names),
        ),
        (
            "Labels by annotator model on known answers: how probable it claims its label to be, and how often it is right. "
            f"With {FEWEST_KNOWN} known answers or more, the model is chosen on the same ones", ["question", "claimed", "observed", "tasks"],
            [
                [plain(n), of["claimed"], of["value"], of["n"]]
                for n, bins in report.get("claimed", {}).items()
                for of in bins
            ],
        ),
        (
            "Repeats: share answered as at first", ["annotator", *questions, "tasks"],
            _shares({a: v["repeats"] for a, v in people if v.get("repeats")}, names),
        ),
        (
            "Pace", ["annotator", "median seconds", "timed tasks", "far too fast", "far too slow"],
            [
                [a, of["seconds"], of["n"], of["too_fast"], of["too_slow"]]
                for a, v in people
                if (of := v.get("pace"))
            ],
        ),
        (
            "Skill by annotator models", ["annotator", *[f"{q}, {m}" for q in questions for m in models.values()]],
            [
                [a, *[own.get(n, {}).get(m) for n in names for m in models]]
                for a, v in people
                if (own := v.get("models"))
            ],
        ),
    ]  # fmt: skip
    return [
        table(
            caption + _cut(rows), columns, rows[:MAX_PEOPLE], digits=1 if caption == "Pace" else 3
        )
        for caption, columns, rows in tables
        if rows
    ]


def _cut(rows: Sequence[object]) -> str:
    return (
        f" ({MAX_PEOPLE} of {len(rows):,}: agreement.json has all)"
        if len(rows) > MAX_PEOPLE
        else ""
    )


def _shares(
    people: Mapping[str, Mapping[str, CountedShare]], names: Sequence[str]
) -> list[list[Any]]:
    """Return a row an annotator: the share of each question, and the most tasks that one rests on."""
    return [
        [a, *[of[n]["value"] if n in of else None for n in names], max(x["n"] for x in of.values())]
        for a, of in people.items()
    ]


def change(report: AgreementReport) -> list[Markup]:
    """Return the change from one guidelines version to the next, over time, and by showing suggestions."""
    blocks = []
    questions = report["questions"].items()
    steps = [
        [plain(n), f"{c['from']} to {c['to']}", score(c), c.get("reason")]
        for n, q in questions
        for c in q.get("change", [])
    ]
    if steps:
        columns = ["question", "guidelines", "change of alpha", "no interval because"]
        blocks.append(table("From one version of the guidelines to the next", columns, steps))
    drift = [
        Interval(f"{a}, {plain(n).lower()}", d["value"], d["low"], d["high"])
        for n, q in questions
        for a, d in q.get("drift", {}).items()
        if d["value"] is not None
    ]
    if drift:
        caption = "Drift: agreement with the rest, later half of the work less the earlier"
        axis = (-0.1, 0.1)
        blocks.append(
            interval_plot(drift[:MAX_ROWS], caption, domain=axis, reference=(0.0, "no change"))
        )
    anchoring = report.get("anchoring", {})
    if "agreement" in anchoring:
        rows = [
            [f"agreement with the suggested {n.replace('_', ' ')}", score(d), *d["n"]]
            for n, d in anchoring["agreement"].items()
        ]
        rows.append(["seconds a task", score(anchoring["seconds"]), *anchoring["seconds"]["n"]])
        columns = ["shown less not shown", "difference", "not shown", "shown"]
        blocks.append(table("What showing a suggestion does", columns, rows))
    elif "reason" in anchoring:
        blocks.append(text(f"Anchoring is not measured: {anchoring['reason']}."))
    return blocks
