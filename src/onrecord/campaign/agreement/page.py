"""``agreement.html``: the figures of agreement.json as a page, and the disputed tasks in their articles."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from markupsafe import Markup

from onrecord.campaign.agreement.measures import Dispute
from onrecord.campaign.agreement.page_annotators import MAX_ROWS, annotators, change, plain, score
from onrecord.campaign.text_context import NEAR
from onrecord.core.agreement_report import (
    AgreementReport,
    AlphaFigures,
    FlagFigures,
    QuestionFigures,
)
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
from onrecord.core.intervals import Score
from onrecord.core.records import ArticleRow, SentenceRow

MADE_BY = {
    "machine": "The annotators are runs of a language model, not people: agreement between people is not measured.",
    "simulated": "The annotators are simulated from a writer's labels by a seeded error model.",
}


def agreement_page(
    report: AgreementReport,
    disputes: Sequence[Dispute],
    texts: Mapping[str, Mapping[str, str]],
    *,
    title: str,
) -> str:
    """Return the page; ``texts`` maps a task to its text in context, empty for tables from elsewhere."""
    questions = report["questions"]
    sections = [Section("Agreement", _overview(report))]
    sections += [
        Section(plain(name), _question(q), _basis(q))
        for name, q in questions.items()
        if q["n_annotations"]
    ]
    if report["problems"]:
        blocks = [render("problem.html", row=row, texts=texts) for row in report["problems"][:8]]
        blocks += _flags(report.get("flags", []))
        sections.append(Section("Costliest confusions", blocks))
    sections.append(Section("Sample size", _sample_size(report)))
    if report["annotators"]:
        sections.append(Section("Annotators", annotators(report)))
    over_time = change(report)
    if over_time:
        sections.append(Section("Change and anchoring", over_time))
    if disputes:
        sections.append(
            Section(
                "Disputes to read",
                [render("disputes.html", **_disputes(disputes, texts))],
                "The tasks with most disagreement, worst first; an answer that nobody shares is in bold.",
            )
        )
    signature = " · ".join(f"{k} {v}" for k, v in report["signature"].items())
    lead = f"{title}: agreement between annotators beyond chance"
    lead += ", furniture left out first." if _of_campaign(report) else "."
    return page("Agreement", lead, sections, signature)


def _overview(report: AgreementReport) -> list[Markup]:
    questions = report["questions"]
    blocks = [notice(note)] if (note := MADE_BY.get(report["origin"] or "")) else []
    blocks += [
        notice(
            f"{' and '.join(row['pair'])} never differ on {row['n_tasks']} shared tasks. They may be one person, or "
            "work together; then they do not count as two annotators."
        )
        for row in report["identical"]
    ]
    rows = [
        Interval(plain(name), q["alpha"], q["low"], q["high"], note=_note(q))
        for name, q in questions.items()
    ]
    blocks.append(
        interval_plot(
            rows,
            "Krippendorff’s alpha, 95 % interval over groups of articles, for these annotators",
        )
    )
    corrected = {"ac1": "AC1", "ac2": "AC2", "fleiss": "Fleiss’ kappa"}
    if not any("ac2" in q for q in questions.values()):
        del corrected["ac2"]
    columns = [
        "question",
        "alpha",
        "for other annotators like these",
        "percent agreement",
        *corrected.values(),
    ]
    columns += ["tasks", "groups", "unanimous"]
    lines: list[list[Any]] = [
        [
            plain(name), _alpha(q), _others(q), score(q.get("percent")),
            *(score(cast(Score | None, q.get(key))) for key in corrected), q["n_pairable"], q["n_groups"], q["unanimous"],
        ]
        for name, q in questions.items()
    ]  # fmt: skip
    title = "Without furniture" if _of_campaign(report) else "Each question"
    blocks.append(table(title, columns, lines))
    furnished = {n: f for n, q in questions.items() if (f := q.get("with_furniture"))}
    if furnished:
        blocks.append(
            table(
                "With furniture, which is easy to agree on: the figures are higher",
                ["question", "alpha", "tasks", "unanimous"],
                [
                    [plain(n), _alpha(f), f["n_pairable"], f["unanimous"]]
                    for n, f in furnished.items()
                ],
            )
        )  # fmt: skip
    return blocks


def _alpha(figures: AlphaFigures) -> str:
    return interval_words(figures["alpha"], figures["low"], figures["high"])


def _others(q: AlphaFigures) -> str:
    others = q.get("others")
    if not others:
        return "–"
    return others.get("reason") or interval_words(q["alpha"], others["low"], others["high"])


def _of_campaign(report: AgreementReport) -> bool:
    """Return whether the labels are a campaign's: in any other table it is not known what is furniture."""
    return any("with_furniture" in q for q in report["questions"].values())


def _note(q: AlphaFigures) -> str:
    if "reason" in q:
        return ("no interval: " if q["alpha"] is not None else "undefined: ") + q["reason"]
    return ""


def _flags(rows: Sequence[FlagFigures]) -> list[Markup]:
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
        "Flags, ticked by any annotator of the task: the share of tasks on which annotators differ, among flagged "
        "tasks and among all. Where it is much higher, make the rule behind the flag clearer"
    )
    return [table(caption, columns, lines)]


def _sample_size(report: AgreementReport) -> list[Markup]:
    blocks = [text(line) for line in report["advice"]]
    sizes = {name: row for name, row in report["enough"].items() if "needed" in row}
    if sizes:
        numbers = sorted({m for row in sizes.values() for m in row["needed"]}, key=int)
        wanted = next(iter(sizes.values()))["wanted"]
        blocks.append(
            table(
                f"Tasks in all for an interval at most {wanted:g} wide",
                ["question", "tasks now", "width now", *(f"alpha, {m} annotators" for m in numbers), "every label’s share"],
                [
                    [
                        plain(name), row["tasks"], row["width"], *(row["needed"].get(m) for m in numbers),
                        max(row["needed_per_label"].values(), default=None),
                    ]
                    for name, row in sizes.items()
                ],
            )
        )  # fmt: skip
    return blocks


def _basis(q: QuestionFigures) -> str:
    missing = (
        f" {n:,} rows without a label are missing annotations." if (n := q.get("n_missing")) else ""
    )
    return (
        f"{q['n_annotations']:,} annotations of {q['n_tasks']:,} tasks, {q['n_pairable']:,} by two or more; labels "
        f"{q.get('level', 'nominal')}.{missing}"
    )


def _question(q: QuestionFigures) -> list[Markup]:
    if "labels" not in q:
        return [notice(q["reason"])]
    ranked = sorted(q["labels"].items(), key=lambda item: -item[1]["n"])[:MAX_ROWS]
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
                [[" and ".join(row["labels"]), row["pairs"]] for row in q["confused"][:MAX_ROWS]],
                digits=1,
            )
        )
    without = q.get("without_annotator", {})
    if len(without) > 2 and q["alpha"] is not None:
        apart = {a: v - q["alpha"] for a, v in without.items() if v is not None}
        most = sorted(apart, key=lambda a: -abs(apart[a]))[:MAX_ROWS]
        blocks.append(
            table(
                f"Alpha without each annotator: {len(most)} of {len(without)} annotators, the greatest influence first",
                ["annotator", "alpha without", "change"],
                [[a, without[a], apart[a]] for a in most],
            )
        )
    if not q["pairs"]:
        blocks.append(text(f"{len(without)} annotators: pairs are too many to list."))
    else:
        blocks.append(
            table(
                "Pairs of annotators",
                [
                    "pair",
                    "Cohen’s kappa" + ("" if q["level"] == "nominal" else ", quadratic weights"),
                    "shared tasks",
                ],
                [
                    [" and ".join(p["pair"]), p["kappa"], p["n_tasks"]]
                    for p in q["pairs"][:MAX_ROWS]
                ],
            )
        )
    for caption, slices in (
        ("By guidelines version", q.get("by_guidelines", {})),
        ("By week", q.get("by_week", {})),
        ("By outlet", q.get("by_outlet", {})),
    ):
        if len(slices) > 1:
            rows = [
                Interval(name, s["alpha"], s["low"], s["high"], note=_note(s))
                for name, s in slices.items()
            ]
            blocks.append(interval_plot(rows[:MAX_ROWS], f"{caption}: alpha"))
    return blocks


def contexts(
    sentences: Sequence[SentenceRow], articles: Sequence[ArticleRow]
) -> dict[str, dict[str, str]]:
    """Return ``sentence_id → text, before, after, title``, with NEAR sentences of its article on either side.

    ``sentences`` are in the order of their articles.
    """
    about = {
        a["article_id"]: " · ".join(filter(None, [a["outlet"], a["title"], a["published"]]))
        for a in articles
    }
    found = {}
    for i, own in enumerate(sentences):
        article = own["article_id"]
        near = {"before": sentences[max(0, i - NEAR) : i], "after": sentences[i + 1 : i + 1 + NEAR]}
        found[own["sentence_id"]] = {
            "text": own["text"], "title": about.get(article, ""),
            **{side: " ".join(s["text"] for s in rows if s["article_id"] == article) for side, rows in near.items()},
        }  # fmt: skip
    return found


def _disputes(
    disputes: Sequence[Dispute], texts: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return the values of ``disputes.html``: each dispute with its text and answers, and the filters' choices."""
    shown: list[dict[str, Any]] = []
    for row in disputes:
        counts = {q: Counter(given.values()) for q, given in row.answers.items()}
        split = [q for q, n in counts.items() if len(n) > 1]
        people = sorted({a for given in row.answers.values() for a in given})
        shown.append(
            {
                "task": row.task, "title": "", "before": "", "text": "", "after": "",
                **texts.get(row.task, {}),
                "questions": [plain(q) for q in row.answers],
                "answers": [
                    (a, [(given.get(a), q in split and counts[q][given.get(a, "")] == 1) for q, given in row.answers.items()])
                    for a in people
                ],
                "keys": {
                    "question": [plain(q) for q in split],
                    "label": sorted({label for q in split for label in counts[q]}),
                    "annotator": sorted({a for q in split for a, v in row.answers[q].items() if counts[q][v] == 1}),
                },
            }
        )  # fmt: skip
    filters = {
        name: sorted({choice for row in shown for choice in row["keys"][name]})[:200]
        for name in ("question", "label", "annotator")
    }
    return {"disputes": shown, "filters": filters}
