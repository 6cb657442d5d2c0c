"""``view``: a page of the articles, each sentence coloured by its stance, from gold or from predictions.

The page holds the articles' text, so it is written to the workspace and never committed or published.
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
from onrecord.core.records import (
    Annotation,
    ArticleRow,
    GoldRow,
    SentenceRow,
    origin_of,
    sentence_of,
)
from onrecord.core.workspace import Workspace
from onrecord.scheme.scheme import Scheme, load_scheme, questions_over, targets_of

CAVEAT = (
    "Labels describe a sentence as published, not a person's view: a reporter chose what to quote. "
    "This page holds the articles' text; it is for the workspace, not for publication."
)


Labels = dict[str, dict[str, str | None]]  # sentence_id → question → label


def labels_of_predictions(rows: Iterable[tuple[str, str]], targets: Mapping[str, str]) -> Labels:
    """Return the predicted label of each question that a model answers, by sentence.

    ``rows`` are pairs of an id and a label. ``targets`` maps the questions to their targets in words; a row
    whose id names no target answers the first of them.
    """
    found: Labels = {}
    for row_id, label in rows:
        asked, sentence = next(iter(targets)), row_id
        for question, target in targets.items():
            if sentence_of(row_id, target) != row_id:
                asked, sentence = question, sentence_of(row_id, target)
        found.setdefault(sentence, {})[asked] = label
    return found


def paragraphs(sentences: Sequence[SentenceRow], labels: Labels) -> list[list[dict[str, Any]]]:
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
    articles: Sequence[ArticleRow],
    sentences: Sequence[SentenceRow],
    labels: Labels,
    scheme: Scheme,
    *,
    title: str,
    lead: str,
    colour: str | None = None,
) -> str:
    """Return the page: filters, then one section per article; sentences in the order of their articles.

    ``colour`` is the question whose labels colour the sentences; None: the one that is learnt.
    """
    of_article: dict[str, list[SentenceRow]] = {}
    for sentence in sentences:
        of_article.setdefault(sentence["article_id"], []).append(sentence)
    question = colour or scheme.target_question
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


def gold_labels(workspace: Workspace, declared_origin: str) -> tuple[Labels, str]:
    """Return the decided labels and a sentence saying who made them; raises BadInput where there is no gold."""
    rows = read_jsonl(workspace.require(Workspace.gold), GoldRow)
    made = {"people": "", "machine": ", machine-made", "simulated": ", simulated"}
    path = workspace.annotations
    origins = [row["origin"] for row in read_jsonl(path, Annotation)] if path.exists() else []
    lead = f"Gold labels{made[origin_of(origins, declared_origin)]}."
    return {row["sentence_id"]: row["labels"] for row in rows}, lead


def predicted_labels(path: Path, targets: Mapping[str, str]) -> tuple[Labels, str]:
    """Return the labels in a table of predictions and a sentence saying so; ``targets`` by question."""
    table = pq.read_table(require(path, "predict"), columns=["id", "predicted"])
    about = path.with_name(
        Workspace.predictions_source.name
    )  # written by `predict`: has its target
    first = read_json(about)["target"] if about.exists() else None
    targets = dict(sorted(targets.items(), key=lambda pair: pair[1] != first))
    rows = zip(table["id"].to_pylist(), table["predicted"].to_pylist(), strict=True)
    return labels_of_predictions(rows, targets), "A model's predictions, not people's labels."


def main(cfg: DictConfig) -> None:
    """Write a page from the workspace's articles and its gold, or from predictions."""
    workspace, scheme = Workspace(Path(cfg.workspace)), load_scheme()
    if cfg.colour is not None and cfg.colour not in _closed(scheme):
        raise BadInput(f"colour={cfg.colour}: expected one of {', '.join(_closed(scheme))}")
    articles: list[ArticleRow] = workspace.read_articles().to_pylist()
    sentences: list[SentenceRow] = workspace.read_sentences().to_pylist()
    if cfg.labels_from == "gold":
        labels, lead = gold_labels(workspace, cfg.campaign.origin)
    elif cfg.labels_from != "predictions":
        raise BadInput(f"labels_from={cfg.labels_from}: expected gold or predictions")
    elif not cfg.predictions:
        raise BadInput("expected predictions=FILE (written by `predict` or `evaluate`), found none")
    else:
        targets = questions_over(scheme, scheme.target_question, targets_of(scheme, cfg.campaign))
        labels, lead = predicted_labels(Path(cfg.predictions), targets)
    if len(articles) > cfg.limit:
        lead += f" The first {cfg.limit:,} of {len(articles):,} articles."
    known = {sentence["sentence_id"] for sentence in sentences}
    shown = {sentence: label for sentence, label in labels.items() if sentence in known}
    title = f"{cfg.campaign.title}: the articles"
    html = view(
        articles[: cfg.limit], sentences, shown, scheme, title=title, lead=lead, colour=cfg.colour
    )
    path = workspace.articles_page
    write_text(path, html)
    count = min(len(articles), cfg.limit)
    print(f"{count} articles, {len(shown)} sentences with labels: {path}")
