"""Article to sentences, with ids that depend on nothing but the article's id and the offsets.

``text[start:end]`` of the article is the sentence's text, always: nothing is altered, joined or trimmed
but the white space between sentences. Furniture is cut out of a line of prose and marked, never dropped.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import DictConfig, OmegaConf

from onrecord.core.files import require
from onrecord.core.parallel import names_of, update
from onrecord.core.records import SENTENCES, sentence_id
from onrecord.core.tables import read_rows, row_shards
from onrecord.corpus import columns
from onrecord.corpus.splitter import LINE, Splitter, make, trimmed
from onrecord.corpus.unchanged import article_keys, rules_hash, unless_all

# They are part of the page's layout, but they assert something: annotators are sent them.
SAID = frozenset({"headline", "deck"})
COLUMNS = ["article_id", "group_id", "text", "furniture"]
Row = tuple[str, str, str, int, int, int, int, str, str | None]


def sentences(article: Mapping[str, Any], split: Splitter) -> list[Row]:
    """Return the sentences of one article, in order, as rows of ``sentences.parquet``, its columns in order.

    ``article`` has ``article_id``, ``group_id``, ``text`` and ``furniture``. ``paragraph`` counts the
    lines that say something, from 0.
    """
    text, name, group = article["text"], article["article_id"], article["group_id"]
    marks = article["furniture"] or []
    kinds: list[tuple[int, int, str]] = [(m["start"], m["end"], m["kind"]) for m in marks]
    rows: list[Row] = []
    paragraph, line_end, kind = -1, 0, None
    lines = LINE.finditer(text)
    for index, (start, end) in enumerate(cut(text, split(text), kinds)):
        if start >= line_end:  # what says nothing has no sentence
            paragraph += 1
            while start >= line_end:
                line_end = next(lines).end()
        if kinds:
            kind = next((k for s, e, k in kinds if s <= start and end <= e), None)
            kind = None if kind in SAID else kind
        identifier = sentence_id(name, start, end)
        rows.append((identifier, name, group, index, paragraph, start, end, text[start:end], kind))
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


def segment_shard(shard: tuple[str, int, int], *, splitter: Mapping[str, Any]) -> pa.Table:
    """Return the sentences of a shard of ``articles.parquet``."""
    split = make(splitter)
    table = read_rows(shard, COLUMNS)
    articles = zip(*(columns.values(table[name]) for name in COLUMNS), strict=True)
    named = (dict(zip(COLUMNS, article, strict=True)) for article in articles)
    rows = [row for article in named for row in sentences(article, split)]
    return columns.table_of(rows, SENTENCES)


def main(cfg: DictConfig) -> None:
    """Read ``articles.parquet`` and write ``sentences.parquet``."""
    folder = Path(cfg.workspace)
    articles = require(folder / "articles.parquet", "ingest")
    rules: Any = OmegaConf.to_container(cfg.splitter)
    path, size = folder / "sentences.parquet", int(cfg.shard_size)
    shards = row_shards(articles, size)
    keys = article_keys(articles, size, ["article_id", "group_id", "sha256", "furniture"])
    n, made = update(
        path,
        partial(segment_shard, splitter=rules),
        shards,
        SENTENCES,
        names=names_of(keys, [rules_hash(), rules]),
        engine=cfg.engine.name,
        workers=cfg.workers,
        what="segmenting",
    )
    print(f"{n} sentences in {path}{unless_all(made, len(shards))}")
