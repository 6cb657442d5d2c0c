"""``agreement.html``: the figures of agreement.json as a page, with the disputes to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onrecord.campaign.agreement.page_annotators import MOST, annotators, change, plain, score
from onrecord.campaign.agreement.page_disputes import shown_disputes
from onrecord.core.html import (
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
        blocks = [render("problem.html", row=row, texts=texts) for row in report["problems"][:8]]
        blocks += _flags(report.get("flags") or ())
        sections.append(Section("What costs most agreement", blocks))
    sections.append(Section("How much is enough", list(_enough(report))))
    if report["annotators"]:
        sections.append(Section("Annotators", list(annotators(report))))
    over_time = list(change(report))
    if over_time:
        sections.append(Section("Change and anchoring", over_time))
    if disputes:
        sections.append(
            Section(
                "Disputes to read",
                [render("disputes.html", **shown_disputes(disputes, texts))],
                "The tasks on which most annotators differ, worst first; who stands alone is in bold.",
            )
        )
    signature = " · ".join(f"{k} {v}" for k, v in report["signature"].items())
    lead = f"{title}: how far the annotators agree beyond what chance gives"
    lead += ", furniture left out first." if _of_campaign(report) else "."
    return page("Agreement", lead, sections, signature)


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
            plain(name), interval_words(q["alpha"], q["low"], q["high"]), score(q.get("percent")),
            score(q.get("ac1")), q["n_pairable"], q["n_groups"], q["unanimous"],
        ]
        for name, q in questions.items()
    ]  # fmt: skip
    title = "Without furniture" if _of_campaign(report) else "Each question"
    blocks.append(table(title, columns, lines))
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


def _of_campaign(report: Mapping[str, Any]) -> bool:
    """Return whether the labels are a campaign's: of a table from elsewhere nobody knows what is furniture."""
    return any("with_furniture" in q for q in report["questions"].values())


def _note(q: Mapping[str, Any]) -> str:
    if "reason" in q:
        return ("no interval: " if q["alpha"] is not None else "undefined: ") + str(q["reason"])
    return f"narrow: {q['n_groups']} groups, under 30" if q.get("narrow") else ""


def _flags(rows: Sequence[Mapping[str, Any]]) -> list[Markup]:
    if not rows:
        return []
    columns = ["flag", "question", "tasks flagged", "of these in dispute", "of all in dispute"]
    lines = [
        [
            row["flag"].replace("_", " ") + (f" ({row['hint']})" if row["hint"] else ""),
            plain(row["question"]), row["n_tasks"], row["disputed"], row["everywhere"],
        ]
        for row in rows
    ]  # fmt: skip
    caption = (
        "Flags, ticked by any annotator of the task: the share of tasks on which the annotators differ, "
        "among those flagged and among all. Where it is much higher, the rule behind the flag is to be cleared"
    )
    return [table(caption, columns, lines)]


def _enough(report: Mapping[str, Any]) -> list[Markup]:
    blocks = [text(line) for line in report["advice"]]
    told = {name: row for name, row in report["enough"].items() if "needed" in row}
    if told:
        numbers = sorted({m for row in told.values() for m in row["needed"]}, key=int)
        wanted = next(iter(told.values()))["wanted"]
        blocks.append(
            table(
                f"Tasks in all for an interval at most {wanted:g} wide",
                ["question", "tasks now", "width now", *(f"alpha, {m} annotators" for m in numbers), "every label’s share"],
                [
                    [
                        plain(name), row["tasks"], row["width"], *(row["needed"].get(m) for m in numbers),
                        max((n for n in row["needed_per_label"].values() if n is not None), default=None),
                    ]
                    for name, row in told.items()
                ],
            )
        )  # fmt: skip
    return blocks


def _basis(q: Mapping[str, Any]) -> str:
    return f"{q['n_annotations']:,} annotations of {q['n_tasks']:,} tasks, {q['n_pairable']:,} by two or more; labels {q.get('level', 'nominal')}."


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
    elif q["confused"]:
        blocks.append(
            table(
                "Labels that are confused: pairs of annotations of one task",
                ["labels", "pairs"],
                [[" and ".join(row["labels"]), row["pairs"]] for row in q["confused"][:MOST]],
                digits=1,
            )
        )
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
