"""``agreement.html``: the figures of agreement.json as a page, with the disputes to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from onrecord.pages import Interval, Section, interval_plot, notice, page, table, text

MADE_BY = {
    "machine": "The annotators are language-model passes, not people: this says nothing of how people agree.",
    "simulated": "The annotators are simulated from a writer's labels by a seeded error model.",
}


def agreement_page(
    report: Mapping[str, Any], disputes: Sequence[Mapping[str, Any]], texts: Mapping[str, str]
) -> str:
    """Return the page; ``texts`` maps a task to its sentence, empty for tables from elsewhere."""
    questions = report["questions"]
    rows = [
        Interval(name, q["alpha"], q["low"], q["high"], note=q.get("reason", ""))
        for name, q in questions.items()
    ]
    blocks = [notice(MADE_BY[report["origin"]])] if report["origin"] in MADE_BY else []
    blocks += [
        interval_plot(rows, "Krippendorff's alpha, 95 % interval by bootstrap over groups of articles"),
        table(
            "What it rests on",
            ["question", "alpha", "low", "high", "percent", "AC1", "tasks", "unanimous", "with furniture"],
            [
                [
                    name, q["alpha"], q["low"], q["high"], q.get("percent"), q.get("ac1"), q["n_pairable"],
                    q["unanimous"], (q.get("with_furniture") or {}).get("alpha"),
                ]
                for name, q in questions.items()
            ],
        ),
    ]  # fmt: skip
    sections = [Section("Agreement", blocks)]
    for name, q in questions.items():
        if "labels" not in q:
            continue
        own = [
            table(
                "Each label: how often another annotator of the task gave it too",
                ["label", "given", "specific agreement"],
                [[label, v["n"], v["specific"]] for label, v in q["labels"].items()][:30],
            )
        ]
        if q["confused"]:
            own.append(
                table(
                    "Labels confused, in disagreeing pairs of annotations",
                    ["labels", "pairs"],
                    [[" and ".join(c["labels"]), c["pairs"]] for c in q["confused"][:10]],
                    digits=1,
                )
            )
        sections.append(Section(name.replace("_", " "), own))
    if report["annotators"]:
        names = list(questions)
        sections.append(
            Section(
                "Annotators",
                [
                    table(
                        "Agreement of each with the rest, and the median time a task",
                        ["annotator", "tasks", *names, "seconds"],
                        [
                            [
                                a,
                                v["n_tasks"],
                                *[v["agreement_with_rest"].get(n) for n in names],
                                v.get("seconds"),
                            ]
                            for a, v in report["annotators"].items()
                        ],
                    )
                ],
            )
        )
    if disputes:
        read = []
        for row in disputes:
            read.append(text(f"{texts.get(row['task'], '')} ({row['task']})".strip()))
            read.append(
                table(
                    "Answers",
                    ["annotator", *row["answers"]],
                    [
                        [a, *[given.get(a) for given in row["answers"].values()]]
                        for a in sorted({a for given in row["answers"].values() for a in given})
                    ],
                )
            )
        sections.append(
            Section("Disputes to read", read, "The tasks on which most annotators differ.")
        )
    signature = ", ".join(f"{k} {v}" for k, v in report["signature"].items())
    lead = "How far annotators agree beyond chance, furniture left out first."
    return page("Agreement", lead, sections, signature)
