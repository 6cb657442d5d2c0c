"""Article to sentences, with ids that depend on nothing but the article's id and the offsets.

``text[start:end]`` of the article is the sentence's text, always: nothing is altered, joined or trimmed
but the white space between sentences. Furniture is cut out of a line of prose and marked, never dropped.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import DictConfig, OmegaConf

from onrecord.corpus import columns
from onrecord.corpus.splitter import LINE, Splitter, make, trimmed
from onrecord.corpus.unchanged import article_keys, rules_hash, unless_all
from onrecord.engine import names_of, read_rows, row_shards, update
from onrecord.records import SENTENCES, require, sentence_id

# They are part of the page's layout, but they assert something: annotators are sent them.
SAID = frozenset({"headline", "deck"})
COLUMNS = ["article_id", "group_id", "text", "furniture"]


def sentences(article: Mapping[str, Any], split: Splitter) -> list[dict[str, Any]]:
    """Return the sentences of one article, in order, as rows of ``sentences.parquet``.

    ``article`` has ``article_id``, ``group_id``, ``text`` and ``furniture``. ``paragraph`` counts the
    lines that say something, from 0.
    """
    text, name = article["text"], article["article_id"]
    marks = article["furniture"] or []
    kinds: list[tuple[int, int, str]] = [(m["start"], m["end"], m["kind"]) for m in marks]
    rows: list[dict[str, Any]] = []
    paragraph, line_end = -1, 0
    lines = LINE.finditer(text)
    for start, end in cut(text, split(text), kinds):
        while start >= line_end:
            line = next(lines)
            line_end = line.end()
            paragraph += bool(trimmed(text, *line.span()))
        kind = next((k for s, e, k in kinds if s <= start and end <= e), None)
        rows.append(
            {
                "sentence_id": sentence_id(name, start, end),
                "article_id": name,
                "group_id": article["group_id"],
                "index": len(rows),
                "paragraph": paragraph,
                "start": start,
                "end": end,
                "text": text[start:end],
                "furniture": None if kind in SAID else kind,
            }
        )
    return rows


def cut(
    text: str, spans: Sequence[tuple[int, int]], kinds: Sequence[tuple[int, int, str]]
) -> list[tuple[int, int]]:
    """Return ``spans`` cut where furniture begins or ends within one, without white space at their ends.

    >>> cut("(Ana Roe) It rained.", [(0, 20)], [(0, 9, "byline")])
    [(0, 9), (10, 20)]
    """
    edges = sorted({edge for start, end, _ in kinds for edge in (start, end)})
    pieces = []
    for start, end in spans:
        begin = start
        for edge in [e for e in edges if start < e < end] + [end]:
            if piece := trimmed(text, begin, edge):
                pieces.append(piece)
            begin = edge
    return pieces


def segment_shard(shard: tuple[str, int, int], *, splitter: Mapping[str, Any]) -> pa.Table:
    """Return the sentences of a shard of ``articles.parquet``."""
    split = make(splitter)
    rows = [row for article in read_rows(shard, COLUMNS) for row in sentences(article, split)]
    return columns.table(rows, SENTENCES)


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
