"""The parts of the agreement page on the annotators, and on what changes: over time, by guidelines, by suggestions."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from onrecord.core.html import Interval, interval_plot, interval_words, table, text

MOST = 30  # rows of a table: more are in agreement.json


def plain(name: str) -> str:
    """Return a question's name for a reader.

    >>> plain("claim_type")
    'Claim type'
    """
    return name.replace("_", " ").capitalize()


def score(found: Mapping[str, Any] | None) -> str:
    """Return a score of agreement.json with its interval, in words; a dash where there is none."""
    return interval_words(found["value"], found["low"], found["high"]) if found else "–"


def annotators(report: Mapping[str, Any]) -> list[Markup]:
    """Return the tables of who agrees with whom, leanings, known answers, repeats, pace and skills."""
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
    leanings = [
        [a, plain(n), label, interval_words(b["value"], b["low"], b["high"])]
        for a, v in people
        for n, of in (v.get("bias") or {}).items()
        for label, b in of.items()
        if b["low"] is not None and (b["low"] > 0 or b["high"] < 0) and abs(b["value"]) >= 0.02
    ]
    if leanings:
        blocks.append(
            table(
                "Leanings: own share of a label less that of the rest on the same tasks, where the interval leaves out 0",
                ["annotator", "question", "label", "difference"],
                leanings[: 2 * MOST],
            )
        )
    for part, says in (
        ("checks", "Known answers: share right"),
        ("repeats", "Repeats: share answered as at first"),
    ):
        rows = [
            [a, *[(v[part].get(n) or {}).get("value") for n in names], max(x["n"] for x in v[part].values())]
            for a, v in people
            if v.get(part)
        ]  # fmt: skip
        if rows:
            blocks.append(table(says, ["annotator", *map(plain, names), "tasks"], rows))
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


def change(report: Mapping[str, Any]) -> list[Markup]:
    """Return what changes from one version of the guidelines to the next, over time, and by suggestions."""
    blocks = []
    steps = [
        [plain(n), f"{c['from']} to {c['to']}", interval_words(c["value"], c["low"], c["high"]), c.get("reason")]
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
                drift[:MOST],
                "Drift: agreement with the rest, later half of the work less the earlier",
                domain=(-0.1, 0.1),
                reference=(0.0, "no change"),
            )
        )
    anchoring = report.get("anchoring") or {}
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


def _arms(found: Mapping[str, Any]) -> list[Any]:
    return [interval_words(found["value"], found["low"], found["high"]), *found["n"]]
