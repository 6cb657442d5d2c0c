"""``view``: each article with speakers and stances coloured per sentence, from gold or from predictions.

The page holds the articles' text, so it stands in the workspace and is never committed or published.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from markupsafe import Markup
from omegaconf import DictConfig

from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, read_jsonl, require, write_text
from onrecord.core.html import Section, notice, page, render
from onrecord.core.records import Annotation, GoldRow, origin_of, sentence_of
from onrecord.core.workspace import Workspace
from onrecord.scheme.scheme import Scheme, load_scheme, questions_over, targets_of

CAVEAT = (
    "Labels describe a sentence as published, not a person's view: a reporter chose what to quote. "
    "This page holds the articles' text; it is for the workspace, not for publication."
)


def labels_of_gold(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str | None]]:
    """Return sentence_id → its decided answers."""
    return {row["sentence_id"]: dict(row["labels"]) for row in rows}


def labels_of_predictions(
    rows: Iterable[Mapping[str, Any]], targets: Mapping[str, str]
) -> dict[str, dict[str, str | None]]:
    """Return sentence_id → the predicted label of each question that a model answers.

    ``targets`` maps those questions, the first one learnt, to their targets in words, by which a
    row that has one in its id is known.
    """
    found: dict[str, dict[str, str | None]] = {}
    for row in rows:
        asked, sentence = next(iter(targets)), row["id"]
        for question, target in targets.items():
            if sentence_of(row["id"], target) != row["id"]:
                asked, sentence = question, sentence_of(row["id"], target)
        found.setdefault(sentence, {})[asked] = row["predicted"]
    return found


def paragraphs(
    sentences: Sequence[Mapping[str, Any]], labels: Mapping[str, Mapping[str, str | None]]
) -> list[list[dict[str, Any]]]:
    """Return an article's paragraphs as lists of sentences, each with its labels (none if it has none)."""
    return [
        [
            {
                "text": sentence["text"],
                "furniture": sentence["furniture"],
                "labels": {k: v for k, v in labels.get(sentence["sentence_id"], {}).items() if v},
            }
            for sentence in group
        ]
        for _, group in groupby(sentences, key=lambda s: s["paragraph"])
    ]


def view(
    articles: Sequence[Mapping[str, Any]],
    sentences: Sequence[Mapping[str, Any]],
    labels: Mapping[str, Mapping[str, str | None]],
    scheme: Scheme,
    *,
    title: str,
    lead: str,
    colour: str | None = None,
) -> str:
    """Return the page: filters, then a section an article; sentences in the order of their articles.

    ``colour`` is the question whose labels colour the sentences; None: the one that is learnt.
    """
    of_article: dict[str, list[Mapping[str, Any]]] = {}
    for sentence in sentences:
        of_article.setdefault(sentence["article_id"], []).append(sentence)
    question = colour or scheme.learnt
    names = sorted(
        {v for one in labels.values() for k, v in one.items() if v and k not in _closed(scheme)}
    )
    choices = {name: scheme.questions[name].names for name in _closed(scheme)}
    choices |= {q.name: names for q in scheme.questions.values() if q.kind == "name" and names}
    choices = {k: v for k, v in choices.items() if any(k in one for one in labels.values())}
    filters = render("view_filters.html", choices=choices, colours=scheme.questions[question].names)
    sections = [Section("Show", [notice(CAVEAT, "plain"), filters])]
    for article in articles:
        body: Markup = render(
            "view_article.html",
            paragraphs=paragraphs(of_article.get(article["article_id"], []), labels),
            question=question,
            colours=scheme.questions[question].names,
        )
        about = ", ".join(
            filter(None, [article["outlet"], article["byline"], article["published"]])
        )
        sections.append(Section(article["title"] or article["article_id"], [body], about))
    return page(title, lead, sections)


def _closed(scheme: Scheme) -> list[str]:
    return [q.name for q in scheme.questions.values() if q.kind == "label"]


def main(cfg: DictConfig) -> None:
    """Write ``articles.html`` from the workspace's articles and its gold, or from predictions."""
    workspace = Path(cfg.workspace)
    scheme = load_scheme()
    if cfg.colour is not None and cfg.colour not in _closed(scheme):
        raise BadInput(f"colour={cfg.colour}: expected one of {', '.join(_closed(scheme))}")
    articles = Workspace(workspace).read_articles().to_pylist()
    sentences = Workspace(workspace).read_sentences().to_pylist()
    if cfg.labels_from == "gold":
        labels = labels_of_gold(
            read_jsonl(require(workspace / "gold.jsonl", "adjudicate"), GoldRow)
        )
        made = {"people": "", "machine": ", machine-made", "simulated": ", simulated"}
        path = workspace / "annotations.jsonl"
        origins = [row["origin"] for row in read_jsonl(path, Annotation)] if path.exists() else []
        lead = f"Gold labels{made[origin_of(origins, cfg.campaign.origin)]}."
    elif cfg.labels_from == "predictions":
        if not cfg.predictions:
            raise BadInput(
                "expected predictions=FILE (what `predict` or `evaluate` wrote), found none"
            )
        path = require(cfg.predictions, "predict")
        rows = pq.read_table(path, columns=["id", "predicted"])
        targets = questions_over(scheme, scheme.learnt, targets_of(scheme, cfg.campaign))
        about = path.with_name("prevalence.json")  # of `predict`: which target it was toward
        toward = read_json(about)["target"] if about.exists() else None
        targets = dict(sorted(targets.items(), key=lambda pair: pair[1] != toward))
        labels = labels_of_predictions(rows.to_pylist(), targets)
        lead = "A model's predictions, not people's labels."
    else:
        raise BadInput(f"labels_from={cfg.labels_from}: expected gold or predictions")
    if len(articles) > cfg.limit:
        lead += f" The first {cfg.limit:,} of {len(articles):,} articles."
        articles = articles[: cfg.limit]
    known = {sentence["sentence_id"] for sentence in sentences}
    shown = {key: value for key, value in labels.items() if key in known}
    html = view(
        articles, sentences, shown, scheme, title=f"{cfg.campaign.title}: the articles", lead=lead,
        colour=cfg.colour,
    )  # fmt: skip
    write_text(workspace / "articles.html", html)
    print(
        f"{len(articles)} articles, {len(shown)} sentences with labels: {workspace / 'articles.html'}"
    )
