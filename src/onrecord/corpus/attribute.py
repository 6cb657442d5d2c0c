"""Who speaks in each sentence: candidates, a suggestion with its kind, the cue, and how sure it is.

Reads ``articles.parquet`` and ``sentences.parquet``, writes ``speakers.parquet``. Rules only, no model. A
sentence's speaker is the subject of its reporting cue; a quotation without a cue takes the speaker of the
quotation that it belongs to or that led into it; a block quotation without a lead-in takes the speaker
that the copy of the article in the same group gives it; all else is the author's.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from omegaconf import DictConfig

from onrecord.corpus import columns
from onrecord.corpus.credit import Article, Reading, Sentence
from onrecord.corpus.roles import kind_of_name, kind_of_nominal
from onrecord.engine import map_shards, row_shards, write_parquet_stream
from onrecord.records import SPEAKERS, BadInput, require

Row = dict[str, Any]
Known = dict[str, Row]  # letters of a sentence → the row that credits it

SPAN_COLUMNS = ["sentence_id", "article_id", "start", "end", "paragraph", "furniture"]
ARTICLE_COLUMNS = ["article_id", "group_id", "text"]
MOST_CANDIDATES = 7
LEAST_SURE = 0.5  # a copy may correct what is less sure
FEWEST_LETTERS = 20  # shorter sentences repeat by chance


def attribute_article(
    text: str,
    sentences: Sequence[Sentence],
) -> list[dict[str, Any]]:
    """Return one row a sentence: speaker, speaker_name, attribution, cue, candidates, confidence.

    >>> text = 'Mayor Ann Lee said taxes must fall. “They hurt,” she added. The vote is on Monday.'
    >>> spans = [Sentence(0, 35, 0, None), Sentence(36, 59, 0, None), Sentence(60, 82, 0, None)]
    >>> [(r["speaker"], r["speaker_name"], r["attribution"]) for r in attribute_article(text, spans)]
    [('politician', 'Ann Lee', 'indirect'), ('politician', 'Ann Lee', 'direct'), ('author', None, 'none')]
    """
    article = Article(text, sentences)
    article.attribute()
    kinds: dict[str, str | None] = {}
    speakers = _speakers(article.readings)
    return [_row(article, reading, kinds, speakers) for reading in article.readings]


def _speakers(readings: Iterable[Reading]) -> list[str]:
    """Return the article's speakers, the most often credited first, no more than can be shown."""
    counts: dict[str, int] = defaultdict(int)
    for reading in readings:
        if reading.name is not None:
            counts[reading.name] += 1
    return sorted(counts, key=lambda name: -counts[name])[:MOST_CANDIDATES]


def _row(
    article: Article, reading: Reading, kinds: dict[str, str | None], speakers: Sequence[str]
) -> dict[str, Any]:
    name, speaker = reading.name, "author"
    if reading.sentence.furniture is not None:
        return {
            "speaker": "none", "speaker_name": None, "attribution": "none", "cue": None,
            "candidates": [], "confidence": 0.95,
        }  # fmt: skip
    if name is not None:
        if name not in kinds:
            kinds[name] = _kind(article, name)
        speaker = kinds[name]  # type: ignore[assignment]
    sure = reading.confidence if name is not None else 0.6 if reading.quoted else 0.9
    return {
        "speaker": speaker,
        "speaker_name": name,
        "attribution": reading.kind if name is not None else "none",
        "cue": reading.cue,
        "candidates": _candidates(article, reading, speakers),
        "confidence": round(sure, 3),
    }


def _kind(article: Article, name: str) -> str | None:
    """Return a speaker's kind; None for a name that no word of the article tells anything of."""
    if article.roster.mentions_of(name):
        return kind_of_name(article.text, article.roster, name)
    return kind_of_nominal(name, article.text, article.roster)


def _candidates(article: Article, reading: Reading, speakers: Sequence[str]) -> list[str]:
    """Return names to choose from: the suggestion, who is named in the sentence, then the usual speakers."""
    names = [] if reading.name is None else [reading.name]
    here = article.roster.between(reading.sentence.start, reading.sentence.end)
    names += [article.roster.full(m.name) for m in here if article.roster.is_person(m.name)]
    return list(dict.fromkeys([*names, *speakers]))[:MOST_CANDIDATES]


def quoted_speakers(texts: Sequence[str], rows: Sequence[Row]) -> Known:
    """Return whom the directly quoted sentences of one article are credited to, by their letters."""
    return {
        key: row
        for text, row in zip(texts, rows, strict=True)
        if row["attribution"] == "direct"
        and row["speaker_name"] is not None
        and len(key := letters(text)) >= FEWEST_LETTERS
    }


def settle(texts: Sequence[str], rows: Sequence[Row], known: Mapping[str, Row]) -> None:
    """Give what an article credits to nobody the speaker that a copy of it gives the same words, in place.

    Only quoted words travel: a sentence that is the author's here, or credited with little confidence, and
    directly quoted in a copy is that speaker's.
    """
    for text, row in zip(texts, rows, strict=True):
        if row["speaker"] == "author" or row["confidence"] < LEAST_SURE:
            given = known.get(letters(text))
            if given is not None and given is not row:
                names = dict.fromkeys([*given["candidates"], *row["candidates"]])
                row.update(
                    speaker=given["speaker"],
                    speaker_name=given["speaker_name"],
                    attribution="direct",
                    cue=None,
                    candidates=list(names)[:MOST_CANDIDATES],
                    confidence=round(0.9 * given["confidence"], 3),
                )


def letters(text: str) -> str:
    """Return the letters and digits of a sentence in lower case: what is the same in two copies."""
    return "".join(c for c in text.lower() if c.isalnum())


class Shard(NamedTuple):
    """A run of articles and of their sentences: row ranges, half-open; the groups with copies among them."""

    articles: Path
    article_rows: tuple[int, int]
    sentences: Path
    sentence_rows: tuple[int, int]
    groups: frozenset[str]


def shards_of(articles: Path, sentences: Path, size: int) -> list[Shard]:
    """Return the work of at most ``size`` articles each that covers both tables.

    ``segment`` writes the sentences in the order of the articles; raises BadInput where they are not in it,
    or belong to other articles.
    """
    ids, groups = _column(articles, "article_id"), _column(articles, "group_id")
    members = Counter(groups)
    owners = [(owner, len(list(run))) for owner, run in groupby(_column(sentences, "article_id"))]
    found, row, at = [], 0, 0
    for _, first, last in row_shards(articles, size):
        begin = row
        for index in range(first, last):
            if at < len(owners) and owners[at][0] == ids[index]:
                row += owners[at][1]
                at += 1
        copied = frozenset(g for g in groups[first:last] if g and members[g] > 1)
        found.append(Shard(articles, (first, last), sentences, (begin, row), copied))
    if at < len(owners):
        raise BadInput(
            f"{sentences}: expected the sentences of {articles} in its order, found those of "
            f"{owners[at][0]!r} out of it: run `onrecord segment` again"
        )
    return found


def _column(path: Path, name: str) -> list[str]:
    with pq.ParquetFile(path) as file:
        if name not in file.schema_arrow.names:
            raise BadInput(f"{path}: expected the column {name!r}, found {file.schema_arrow.names}")
        return list(file.read(columns=[name])[name].to_pylist())


def _rows(path: Path, rows: tuple[int, int], columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a half-open range, decoding only the row groups that it meets."""
    begin = 0
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            low, high = max(begin, rows[0]), min(end, rows[1])
            if low < high:
                table = file.read_row_group(group, columns=columns)
                yield from table.slice(low - begin, high - low).to_pylist()
            begin = end


class Text(NamedTuple):
    """An article with its sentences: ids, texts and spans."""

    group: str
    text: str
    ids: list[str]
    texts: list[str]
    spans: list[Sentence]


def _texts(shard: Shard) -> Iterator[Text]:
    own: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(shard.sentences, shard.sentence_rows, SPAN_COLUMNS):
        own[row["article_id"]].append(row)
    for article in _rows(shard.articles, shard.article_rows, ARTICLE_COLUMNS):
        text, rows = article["text"], own[article["article_id"]]
        yield Text(
            article["group_id"],
            text,
            [r["sentence_id"] for r in rows],
            [text[r["start"] : r["end"]] for r in rows],
            [Sentence(r["start"], r["end"], r["paragraph"], r["furniture"]) for r in rows],
        )


# What goes to another process or machine is JSON, so that every engine hands over the same.


def copies_in(work: str) -> str:
    """Return, for each group with copies in a shard, whom its quoted sentences are credited to."""
    shard, _ = _unpacked(work)
    known: dict[str, Known] = defaultdict(dict)
    for text in _texts(shard):
        if text.group in shard.groups:
            rows = attribute_article(text.text, text.spans)
            known[text.group] = quoted_speakers(text.texts, rows) | known[text.group]
    return json.dumps(known)


def attribute_shard(work: str) -> pa.Table:
    """Return the rows of ``speakers.parquet`` for a shard, settled by what is known of its groups."""
    shard, known = _unpacked(work)
    found: list[Row] = []
    for text in _texts(shard):
        rows = attribute_article(text.text, text.spans)
        if text.group in known:
            settle(text.texts, rows, known[text.group])
        found += [{"sentence_id": i, **row} for i, row in zip(text.ids, rows, strict=True)]
    return columns.table(found, SPEAKERS)


def packed(shard: Shard, known: Mapping[str, Known]) -> str:
    """Return a shard and what is known of its groups as JSON."""
    paths = str(shard.articles), str(shard.sentences)
    groups = sorted(shard.groups)
    ranges = shard.article_rows, shard.sentence_rows
    return json.dumps([paths, ranges, groups, {g: known[g] for g in groups if g in known}])


def _unpacked(work: str) -> tuple[Shard, dict[str, Known]]:
    (articles, sentences), (article_rows, sentence_rows), groups, known = json.loads(work)
    shard = Shard(
        Path(articles),
        tuple(article_rows),
        Path(sentences),
        tuple(sentence_rows),
        frozenset(groups),
    )
    return shard, known


def main(cfg: DictConfig) -> None:
    """Read the articles and their sentences, write ``speakers.parquet``."""
    folder = Path(cfg.workspace)
    articles = require(folder / "articles.parquet", "ingest")
    sentences = require(folder / "sentences.parquet", "segment")
    run = partial(map_shards, engine=cfg.engine.name, workers=cfg.workers, what="attributing")
    shards = shards_of(articles, sentences, cfg.shard_size)
    known: dict[str, Known] = defaultdict(dict)
    for part in run(copies_in, [packed(shard, {}) for shard in shards if shard.groups]):
        for group, rows in json.loads(part).items():
            known[group] = rows | known[group]  # the first copy's word stands
    work = [packed(shard, known) for shard in shards]
    tally = Tally()
    n = write_parquet_stream(
        folder / "speakers.parquet", tally.count(run(attribute_shard, work)), SPEAKERS
    )
    print(f"{n} sentences: {tally} → {folder / 'speakers.parquet'}")


class Tally:
    """Counts for the summary, taken as the tables go by."""

    def __init__(self) -> None:
        self.speakers: Counter[str] = Counter()
        self.credited = 0

    def count(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Yield the tables, counting."""
        for table in tables:
            self.speakers.update(s or "unknown" for s in table["speaker"].to_pylist())
            self.credited += table.num_rows - table["speaker_name"].null_count
            yield table

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {n}" for kind, n in self.speakers.most_common())
        return f"{self.credited} credited to a speaker ({kinds})"
