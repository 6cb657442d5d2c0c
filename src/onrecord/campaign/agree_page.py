"""``agreement.html``: the figures of agreement.json as a page, with the disputes to read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onrecord.pages import (
    Interval,
    Section,
    heat_map,
    interval_plot,
    interval_words,
    notice,
    page,
    render,
    table,
    text,
)

MADE_BY = {
    "machine": "The annotators are language-model passes, not people: this says nothing of how people agree.",
    "simulated": "The annotators are simulated from a writer's labels by a seeded error model.",
}
MOST = 30  # rows of a table: more are in agreement.json


def contexts(
    sentences: Sequence[Mapping[str, Any]], articles: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """Return ``sentence_id → text, before, after, title``: each with the sentence on either side."""
    about = {
        a["article_id"]: " · ".join(filter(None, [a["outlet"], a["title"], a["published"]]))
        for a in articles
    }
    found = {}
    for i, own in enumerate(sentences):
        near = {}
        for name, j in (("before", i - 1), ("after", i + 1)):
            other = sentences[j] if 0 <= j < len(sentences) else None
            same = other is not None and other["article_id"] == own["article_id"]
            near[name] = str(other["text"]) if same and other is not None else ""
        found[own["sentence_id"]] = {
            "text": own["text"], **near, "title": about.get(own["article_id"], ""),
        }  # fmt: skip
    return found


def agreement_page(
    report: Mapping[str, Any],
    disputes: Sequence[Mapping[str, Any]],
    texts: Mapping[str, Mapping[str, str]],
    *,
    title: str,
) -> str:
    """Return the page; ``texts`` maps a task to its text in context, empty for tables from elsewhere."""
    questions = report["questions"]
    sections = [Section("Agreement", list(_overview(report)))]
    sections += [
        Section(plain(name), list(_question(q)), _basis(q))
        for name, q in questions.items()
        if q["n_annotations"]
    ]
    if report["problems"]:
        blocks = [text(line) for line in report["advice"]]
        blocks += [render("problem.html", row=row, texts=texts) for row in report["problems"][:8]]
        sections.append(Section("What costs most agreement", blocks))
    if report["annotators"]:
        sections.append(Section("Annotators", list(_annotators(report))))
    over_time = list(_change(report))
    if over_time:
        sections.append(Section("Change and anchoring", over_time))
    if disputes:
        sections.append(
            Section(
                "Disputes to read",
                [render("disputes.html", **_disputes(disputes, texts))],
                "The tasks on which most annotators differ, worst first; who stands alone is in bold.",
            )
        )
    signature = " · ".join(f"{k} {v}" for k, v in report["signature"].items())
    lead = (
        f"{title}: how far the annotators agree beyond what chance gives, furniture left out first."
    )
    return page("Agreement", lead, sections, signature)


def plain(name: str) -> str:
    """Return a question's name for a reader.

    >>> plain("claim_type")
    'Claim type'
    """
    return name.replace("_", " ").capitalize()


def _overview(report: Mapping[str, Any]) -> list[Markup]:
    questions = report["questions"]
    blocks = [notice(MADE_BY[report["origin"]])] if report["origin"] in MADE_BY else []
    blocks += [
        notice(
            f"{' and '.join(row['pair'])} never differ on {row['n_tasks']} shared tasks: one person under "
            "two pseudonyms, or working together? Their agreement is then no agreement of two."
        )
        for row in report["identical"]
    ]
    rows = [
        Interval(plain(name), q["alpha"], q["low"], q["high"], note=_note(q))
        for name, q in questions.items()
    ]
    blocks.append(
        interval_plot(
            rows, "Krippendorff’s alpha, 95 % interval by bootstrap over groups of articles"
        )
    )
    columns = ["question", "alpha", "percent agreement", "AC1", "tasks", "groups", "unanimous"]
    lines = [
        [
            plain(name), interval_words(q["alpha"], q["low"], q["high"]), _score(q.get("percent")),
            _score(q.get("ac1")), q["n_pairable"], q["n_groups"], q["unanimous"],
        ]
        for name, q in questions.items()
    ]  # fmt: skip
    blocks.append(table("Without furniture", columns, lines))
    furnished = {n: q["with_furniture"] for n, q in questions.items() if q.get("with_furniture")}
    if furnished:
        blocks.append(
            table(
                "With furniture left in: easy to agree on, so the figures are higher",
                ["question", "alpha", "tasks", "unanimous"],
                [
                    [plain(n), interval_words(f["alpha"], f["low"], f["high"]), f["n_pairable"], f["unanimous"]]
                    for n, f in furnished.items()
                ],
            )
        )  # fmt: skip
    return blocks


def _note(q: Mapping[str, Any]) -> str:
    if "reason" in q:
        return ("no interval: " if q["alpha"] is not None else "undefined: ") + str(q["reason"])
    return f"narrow: {q['n_groups']} groups, under 30" if q.get("narrow") else ""


def _score(found: Mapping[str, Any] | None) -> str:
    return interval_words(found["value"], found["low"], found["high"]) if found else "–"


def _basis(q: Mapping[str, Any]) -> str:
    return f"{q['n_annotations']:,} annotations of {q['n_tasks']:,} tasks, {q['n_pairable']:,} by two or more."


def _question(q: Mapping[str, Any]) -> list[Markup]:
    if "labels" not in q:
        return [notice(str(q["reason"]))]
    ranked = sorted(q["labels"].items(), key=lambda item: -item[1]["n"])[:MOST]
    blocks = [
        interval_plot(
            [
                Interval(f"{label} ({v['n']:,})", v["specific"]["value"], v["specific"]["low"], v["specific"]["high"])
                for label, v in ranked
                if v["specific"]["value"] is not None
            ],
            "Each label (times given): how often another annotator of the task gave it too",
        )
    ]  # fmt: skip
    confusion = q.get("confusion")
    if confusion and 2 <= len(confusion["labels"]) <= 12:
        names = confusion["labels"]
        blocks.append(
            heat_map(
                confusion["pairs"], names, names,
                "Confusion: pairs of annotations of one task (the diagonal agrees and is not shaded)",
                corner="one ↓ other →", digits=1, diagonal=False,
            )
        )  # fmt: skip
    if q["pairs"]:
        blocks.append(
            table(
                "Pairs of annotators",
                ["pair", "Cohen’s kappa", "shared tasks"],
                [[" and ".join(p["pair"]), p["kappa"], p["n_tasks"]] for p in q["pairs"][:MOST]],
            )
        )
    for fact, says in (
        ("guidelines", "By guidelines version"),
        ("week", "By week"),
        ("outlet", "By outlet"),
    ):
        slices = q.get(f"by_{fact}") or {}
        if len(slices) > 1:
            rows = [
                Interval(name, s["alpha"], s["low"], s["high"], note=_note(s))
                for name, s in slices.items()
            ]
            blocks.append(interval_plot(rows[:MOST], f"{says}: alpha"))
    return blocks


def _annotators(report: Mapping[str, Any]) -> list[Markup]:
    names = list(report["questions"])
    people = report["annotators"].items()
    blocks = [
        table(
            "Agreement with the rest: the share of a task’s other annotators who gave the same label",
            ["annotator", "tasks", *map(plain, names)],
            [
                [a, v.get("n_tasks"), *[_score((v.get("agreement_with_rest") or {}).get(n)) for n in names]]
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


def _change(report: Mapping[str, Any]) -> list[Markup]:
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


def _disputes(
    disputes: Sequence[Mapping[str, Any]], texts: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    shown = []
    for row in disputes:
        counts = {q: Counter(given.values()) for q, given in row["answers"].items()}
        split = [q for q, n in counts.items() if len(n) > 1]
        people = sorted({a for given in row["answers"].values() for a in given})
        shown.append(
            {
                "task": row["task"], "title": "", "before": "", "text": "", "after": "",
                **texts.get(row["task"], {}),
                "questions": [plain(q) for q in row["answers"]],
                "answers": [
                    (a, [(given.get(a), q in split and counts[q][given.get(a, "")] == 1) for q, given in row["answers"].items()])
                    for a in people
                ],
                "keys": {
                    "question": [plain(q) for q in split],
                    "label": sorted({label for q in split for label in counts[q]}),
                    "annotator": sorted({a for q in split for a, v in row["answers"][q].items() if counts[q][v] == 1}),
                },
            }
        )  # fmt: skip
    filters = {
        name: sorted({choice for row in shown for choice in row["keys"][name]})[:200]
        for name in ("question", "label", "annotator")
    }
    return {"disputes": shown, "filters": filters}
