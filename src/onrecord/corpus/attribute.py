"""Who speaks in each sentence: candidates, a suggestion with its kind, the cue, and how sure it is.

Reads ``articles.parquet`` and ``sentences.parquet``, writes ``speakers.parquet``. Rules only, no model. A
sentence's speaker is the subject of its reporting cue; a quotation without a cue takes the speaker of the
quotation that it belongs to or that led into it; a block quotation without a lead-in takes the speaker
that the copy of the article in the same group gives it; all else is the author's.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import DictConfig

from onrecord.core.files import require
from onrecord.core.parallel import names_of, resumable, update, waiting
from onrecord.core.records import SPEAKERS
from onrecord.corpus import columns
from onrecord.corpus.article_shards import Copies, Known, Row, packed, shards_of, texts, unpacked
from onrecord.corpus.attribution.article import Article, Reading, Sentence
from onrecord.corpus.attribution.entities import Roster
from onrecord.corpus.attribution.speaker_types import kind_of_name, kind_of_nominal
from onrecord.corpus.unchanged import rules_hash, unless_all

COPIES = pa.schema([("known", pa.string())])
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
    kinds: dict[str | None, str | None] = {None: "author"}
    speakers = _speakers(article.readings)
    persons = _persons(article.roster)
    return [_row(article, reading, kinds, speakers, persons) for reading in article.readings]


def _speakers(readings: Iterable[Reading]) -> list[str]:
    """Return the article's speakers, the most often credited first, no more than can be shown."""
    counts: dict[str, int] = defaultdict(int)
    for reading in readings:
        if reading.name is not None:
            counts[reading.name] += 1
    return sorted(counts, key=lambda name: -counts[name])[:MOST_CANDIDATES]


def _persons(roster: Roster) -> list[str | None]:
    """Return, for each mention of an article, the fullest form of the name if it is a person's."""
    known = {name: roster.full(name) if roster.is_person(name) else None for name in roster.counts}
    return [known[mention.name] for mention in roster.mentions]


def _row(
    article: Article,
    reading: Reading,
    kinds: dict[str | None, str | None],
    speakers: Sequence[str],
    persons: Sequence[str | None],
) -> dict[str, Any]:
    name = reading.name
    if reading.sentence.furniture is not None:
        return {
            "speaker": "none", "speaker_name": None, "attribution": "none", "cue": None,
            "candidates": [], "confidence": 0.95,
        }  # fmt: skip
    if name not in kinds:
        kinds[name] = _kind(article, name)  # type: ignore[arg-type]
    sure = reading.confidence if name is not None else 0.6 if reading.quoted else 0.9
    return {
        "speaker": kinds[name],
        "speaker_name": name,
        "attribution": reading.kind if name is not None else "none",
        "cue": reading.cue,
        "candidates": _candidates(article.roster, reading, speakers, persons),
        "confidence": round(sure, 3),
    }


def _kind(article: Article, name: str) -> str | None:
    """Return a speaker's kind; None for a name that no word of the article tells anything of."""
    if article.roster.mentions_of(name):
        return kind_of_name(article.text, article.roster, name)
    return kind_of_nominal(name, article.text, article.roster)


def _candidates(
    roster: Roster, reading: Reading, speakers: Sequence[str], persons: Sequence[str | None]
) -> list[str]:
    """Return names to choose from: the suggestion, who is named in the sentence, then the usual speakers."""
    low, high = roster.places(reading.sentence.start, reading.sentence.end)
    names = dict.fromkeys([reading.name, *persons[low:high], *speakers])
    return [name for name in names if name is not None][:MOST_CANDIDATES]


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


def copies_in(work: str) -> pa.Table:
    """Return, for the groups of a shard, whom their quoted sentences are credited to: one cell, of JSON."""
    shard, _ = unpacked(work)
    known: dict[str, Known] = defaultdict(dict)
    for text in texts(shard):
        if text.group in shard.groups:
            rows = attribute_article(text.text, text.spans)
            known[text.group] = quoted_speakers(text.texts, rows) | known[text.group]
    return columns.table([{"known": json.dumps(known)}], COPIES)


def attribute_shard(work: str) -> pa.Table:
    """Return the rows of ``speakers.parquet`` for a shard, settled by what is known of its groups."""
    shard, known = unpacked(work)
    found: list[Row] = []
    for text in texts(shard):
        rows = attribute_article(text.text, text.spans)
        if text.group in known:
            settle(text.texts, rows, known[text.group])
        for identifier, row in zip(text.ids, rows, strict=True):
            row["sentence_id"] = identifier
        found += rows
    return columns.table(found, SPEAKERS)


def main(cfg: DictConfig) -> None:
    """Read the articles and their sentences, write ``speakers.parquet``."""
    folder = Path(cfg.workspace)
    articles = require(folder / "articles.parquet", "ingest")
    sentences = require(folder / "sentences.parquet", "segment")
    path, how = folder / "speakers.parquet", {"engine": cfg.engine.name, "workers": cfg.workers}
    shards = shards_of(articles, sentences, cfg.shard_size)
    names = names_of([shard.key for shard in shards], rules_hash())
    fresh = waiting(path, names, SPEAKERS)
    wanted = {g for name, s in zip(names, shards, strict=True) if name in fresh for g in s.groups}
    asked = [s._replace(groups=s.groups & wanted) for s in shards if s.groups & wanted]
    told = resumable(
        copies_in,
        [packed(shard) for shard in asked],
        folder=folder / ".copies",
        about=rules_hash(),
        what="reading copies",
        **how,
    )
    copies = Copies(folder / ".known")
    copies.fill(json.loads(part["known"][0].as_py()) for part in told)
    tally = Tally()
    n, made = update(
        path,
        attribute_shard,
        [packed(shard, copies) for shard in shards],
        SPEAKERS,
        names=names,
        what="attributing",
        taken=tally.count,
        **how,
    )
    copies.path.unlink()
    print(f"{n} sentences: {tally} → {path}{unless_all(made, len(shards))}")


class Tally:
    """Counts for the summary, taken as the tables go by."""

    def __init__(self) -> None:
        self.speakers: Counter[str] = Counter()
        self.credited = 0

    def count(self, table: pa.Table) -> None:
        """Count a table's sentences."""
        self.speakers.update(s or "unknown" for s in table["speaker"].to_pylist())
        self.credited += table.num_rows - table["speaker_name"].null_count

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {n}" for kind, n in self.speakers.most_common())
        return f"{self.credited} credited to a speaker ({kinds})"
