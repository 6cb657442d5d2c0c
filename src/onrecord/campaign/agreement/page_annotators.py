"""Sections of the agreement page: the annotators, and change over time, by guidelines and by suggestions."""

from typing import Any

from markupsafe import Markup

from onrecord.core.agreement_report import AgreementReport, Difference, VersionChange
from onrecord.core.html import Interval, interval_plot, interval_words, table, text
from onrecord.core.intervals import Score

MAX_ROWS = 30  # of a table: agreement.json has all


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
    people = report["annotators"].items()
    blocks = [
        table(
            "Agreement with the rest: the share of a task’s other annotators who gave the same label",
            ["annotator", "tasks", *map(plain, names)],
            [
                [a, v.get("n_tasks"), *[score((v.get("agreement_with_rest") or {}).get(n)) for n in names]]
                for a, v in people
            ],
        )
    ]  # fmt: skip
    biases = [
        [a, plain(n), label, score(b)]
        for a, v in people
        for n, of in (v.get("bias") or {}).items()
        for label, b in of.items()
        if b["value"] is not None and b["low"] is not None and b["high"] is not None
        and (b["low"] > 0 or b["high"] < 0) and abs(b["value"]) >= 0.02
    ]  # fmt: skip
    if biases:
        blocks.append(
            table(
                "Label bias: own share of a label less that of the rest on the same tasks, where the interval excludes 0",
                ["annotator", "question", "label", "difference"],
                biases[: 2 * MAX_ROWS],
            )
        )
    for caption, shares in (
        ("Known answers: accuracy", {a: v["checks"] for a, v in people if v.get("checks")}),
        (
            "Repeats: share answered as at first",
            {a: v["repeats"] for a, v in people if v.get("repeats")},
        ),
    ):
        rows = [
            [
                a,
                *[of[n]["value"] if n in of else None for n in names],
                max(x["n"] for x in of.values()),
            ]
            for a, of in shares.items()
        ]
        if rows:
            blocks.append(table(caption, ["annotator", *map(plain, names), "tasks"], rows))
    rows = [
        [a, v["pace"]["seconds"], v["pace"]["n"], v["pace"]["too_fast"], v["pace"]["too_slow"]]
        for a, v in people
        if v.get("pace")
    ]
    if rows:
        columns = ["annotator", "median seconds", "timed tasks", "far too fast", "far too slow"]
        blocks.append(table("Pace", columns, rows, digits=1))
    skills = [
        [a, *[(v["models"].get(n) or {}).get(m) for n in names for m in ("dawid_skene", "mace")]]
        for a, v in people
        if v.get("models")
    ]
    if skills:
        columns = [
            "annotator",
            *[f"{plain(n)}, {m}" for n in names for m in ("Dawid-Skene", "MACE")],
        ]
        blocks.append(table("Skill by annotator models", columns, skills))
    return blocks


def change(report: AgreementReport) -> list[Markup]:
    """Return the change from one guidelines version to the next, over time, and by showing suggestions."""
    blocks = []
    steps = [
        [plain(n), f"{c['from']} to {c['to']}", score(c), c.get("reason")]
        for n, q in report["questions"].items()
        for c in q.get("change") or ()
    ]  # fmt: skip
    if steps:
        columns = ["question", "guidelines", "change of alpha", "no interval because"]
        blocks.append(table("From one version of the guidelines to the next", columns, steps))
    drift = [
        Interval(f"{a}, {plain(n).lower()}", d["value"], d["low"], d["high"])
        for n, q in report["questions"].items()
        for a, d in (q.get("drift") or {}).items()
        if d["value"] is not None
    ]
    if drift:
        blocks.append(
            interval_plot(
                drift[:MAX_ROWS],
                "Drift: agreement with the rest, later half of the work less the earlier",
                domain=(-0.1, 0.1),
                reference=(0.0, "no change"),
            )
        )
    anchoring = report.get("anchoring", {})
    if "agreement" in anchoring:
        rows = [
            [f"agreement with the suggested {n.replace('_', ' ')}", *_arms(d)]
            for n, d in anchoring["agreement"].items()
        ]
        rows.append(["seconds a task", *_arms(anchoring["seconds"])])
        columns = ["shown less not shown", "difference", "not shown", "shown"]
        blocks.append(table("What showing a suggestion does", columns, rows))
    elif "reason" in anchoring:
        blocks.append(text(f"Anchoring is not measured: {anchoring['reason']}."))
    return blocks


def _arms(found: Difference) -> list[Any]:
    return [score(found), *found["n"]]
