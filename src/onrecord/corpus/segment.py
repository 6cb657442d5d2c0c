"""Article to sentences, with ids that depend on nothing but the article's id and the offsets.

``text[start:end]`` of the article is the sentence's text, always: nothing is altered, joined or trimmed
but the white space between sentences. Furniture is cut out of a line of prose and marked, never dropped.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import DictConfig, OmegaConf

from onrecord.core.parallel import shard_keys, write_shards
from onrecord.core.records import SENTENCES, ArticleText, SentenceRow, sentence_id
from onrecord.core.tables import RowRange, read_batches, row_ranges, table_from_rows
from onrecord.core.workspace import Workspace
from onrecord.corpus.article_shards import range_hashes, rules_hash, text_column, unless_all
from onrecord.corpus.languages import NOTE, language
from onrecord.corpus.splitter import LINE, Splitter, make_splitter, trimmed

# Part of the page's layout, but they assert something: annotators are sent them.
ASSERTED = frozenset({"headline", "deck"})
COLUMNS = ["article_id", "group_id", "text", "furniture"]


def sentences(article: ArticleText, split: Splitter) -> list[SentenceRow]:
    """Return the sentences of one article, in order; ``paragraph`` counts its lines that are not blank, from 0."""
    text, name, group = article["text"], article["article_id"], article["group_id"]
    marks = article["furniture"] or []
    kinds: list[tuple[int, int, str]] = [(m["start"], m["end"], m["kind"]) for m in marks]
    rows: list[SentenceRow] = []
    paragraph, line_end, kind = -1, 0, None
    lines = LINE.finditer(text)
    for index, (start, end) in enumerate(cut(text, split(text), kinds)):
        if start >= line_end:  # what says nothing has no sentence
            paragraph += 1
            while start >= line_end:
                line_end = next(lines).end()
        if kinds:
            kind = next((k for s, e, k in kinds if s <= start and end <= e), None)
            kind = None if kind in ASSERTED else kind
        rows.append(
            {
                "sentence_id": sentence_id(name, start, end), "article_id": name, "group_id": group,
                "index": index, "paragraph": paragraph, "start": start, "end": end,
                "text": text[start:end], "furniture": kind,
            }
        )  # fmt: skip
    return rows


def cut(
    text: str, spans: Sequence[tuple[int, int]], kinds: Sequence[tuple[int, int, str]]
) -> list[tuple[int, int]]:
    """Return ``spans`` cut where furniture begins or ends within one, without white space at their ends.

    ``spans`` have none there themselves.

    >>> cut("(Ana Roe) It rained.", [(0, 20)], [(0, 9, "byline")])
    [(0, 9), (10, 20)]
    """
    edges = sorted({edge for start, end, _ in kinds for edge in (start, end)})
    pieces = []
    for start, end in spans:
        within = edges[bisect_right(edges, start) : bisect_left(edges, end)]
        if not within:
            pieces.append((start, end))
            continue
        begin = start
        for edge in [*within, end]:
            if piece := trimmed(text, begin, edge):
                pieces.append(piece)
            begin = edge
    return pieces


def sentence_tables(rows: RowRange, *, splitter: Mapping[str, Any]) -> Iterator[pa.Table]:
    """Yield the sentences of a range of articles, as many articles at a time as a row group has."""
    split = make_splitter(splitter)
    for table in read_batches(rows, COLUMNS):
        articles: Any = table.to_pylist()
        yield table_from_rows([s for a in articles for s in sentences(a, split)], SENTENCES)


def main(cfg: DictConfig) -> None:
    """Read ``articles.parquet`` and write ``sentences.parquet``."""
    workspace = Workspace(Path(cfg.workspace))
    articles = workspace.require(Workspace.articles)
    splitter: Any = language(cfg.language) if cfg.language else OmegaConf.to_container(cfg.splitter)
    schema = SENTENCES.with_metadata({NOTE: splitter.get("attributor") or ""})
    shards = row_ranges(articles, int(cfg.shard_size))
    contents = range_hashes(shards, ["article_id", "group_id", text_column(articles), "furniture"])
    n, made = write_shards(
        workspace.sentences,
        partial(sentence_tables, splitter=splitter),
        shards,
        schema,
        keys=shard_keys(contents, [rules_hash(), splitter], schema),
        engine=cfg.engine.name,
        workers=cfg.workers,
        what="segmenting",
    )
    print(f"{n} sentences in {workspace.sentences}{unless_all(made, len(shards))}")
