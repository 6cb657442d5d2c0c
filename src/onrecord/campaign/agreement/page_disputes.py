"""The disputes of the agreement page: each task in its article, with every answer, to be filtered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from onrecord.campaign.agreement.page_annotators import plain
from onrecord.campaign.labelstudio.tasks import NEAR


def contexts(
    sentences: Sequence[Mapping[str, Any]], articles: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, str]]:
    """Return ``sentence_id → text, before, after, title``, with the NEAR sentences of its article on either side.

    ``sentences`` stand in the order of their articles.
    """  # fmt: skip
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


def shown_disputes(
    disputes: Sequence[Mapping[str, Any]], texts: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return what ``disputes.html`` shows: each dispute with its text and answers, and the filters' choices."""
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
