"""
Who speaks in each sentence: candidates, a suggestion with its kind, the cue, and how sure it is.

Reads ``articles.parquet`` and ``sentences.parquet``, writes ``speakers.parquet``. Rules only, no model. A
sentence's speaker is the subject of its reporting cue; a quotation without a cue takes the speaker of the
quotation that it belongs to or that led into it; a block quotation without a lead-in takes the speaker
that the copy of the article in the same group gives it; all else is the author's.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from onrecord.corpus.credit import Article, Reading, Sentence
from onrecord.corpus.roles import kind_of_name, kind_of_nominal
from onrecord.records import ARTICLES, SENTENCES, SPEAKERS, read_parquet, require, write_parquet

MOST_CANDIDATES = 7
LEAST_SURE = 0.5  # a copy may correct what is less sure
FEWEST_LETTERS = 20  # shorter sentences repeat by chance


def attribute_article(
    text: str,
    sentences: Sequence[Sentence],
) -> list[dict[str, Any]]:
    """
    Return one row a sentence: speaker, speaker_name, attribution, cue, candidates, confidence.

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
    """Return the article's speakers, the most often credited first."""
    counts: dict[str, int] = defaultdict(int)
    for reading in readings:
        if reading.name is not None:
            counts[reading.name] += 1
    return sorted(counts, key=lambda name: -counts[name])


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


def settle_copies(
    articles: Sequence[tuple[Sequence[str], list[dict[str, Any]]]],
) -> None:
    """
    Give what one copy credits to nobody the speaker that another copy gives the same words, in place.

    ``articles`` are the copies of one group: the texts of the sentences and their rows. Only quoted words
    travel: a sentence that is the author's in one copy and directly quoted in another is that speaker's.
    """
    known: dict[str, dict[str, Any]] = {}
    for texts, rows in articles:
        for text, row in zip(texts, rows, strict=True):
            if row["attribution"] == "direct" and row["speaker_name"] is not None:
                known.setdefault(_letters(text), row)
    for texts, rows in articles:
        for text, row in zip(texts, rows, strict=True):
            open_ = row["speaker"] == "author" or row["confidence"] < LEAST_SURE
            given = known.get(_letters(text)) if open_ else None
            if given is not None and len(_letters(text)) >= FEWEST_LETTERS:
                row.update(
                    speaker=given["speaker"],
                    speaker_name=given["speaker_name"],
                    attribution="direct",
                    candidates=list(dict.fromkeys([*given["candidates"], *row["candidates"]]))[
                        :MOST_CANDIDATES
                    ],
                    confidence=round(0.9 * given["confidence"], 3),
                )


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def speaker_rows(
    articles: Iterable[Mapping[str, Any]], sentences: Mapping[str, Sequence[Mapping[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``speakers.parquet``, in the order of ``articles`` and their sentences."""
    articles = list(articles)
    rows: dict[str, list[dict[str, Any]]] = {}
    groups: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        identifier = article["article_id"]
        spans = [
            Sentence(s["start"], s["end"], s["paragraph"], s["furniture"])
            for s in sentences.get(identifier, [])
        ]
        rows[identifier] = attribute_article(article["text"], spans)
        groups[article["group_id"] or identifier].append(identifier)
    for members in groups.values():
        if len(members) > 1:
            settle_copies([([s["text"] for s in sentences.get(m, [])], rows[m]) for m in members])
    for article in articles:
        identifier = article["article_id"]
        for sentence, row in zip(sentences.get(identifier, []), rows[identifier], strict=True):
            yield {"sentence_id": sentence["sentence_id"], **row}


def main(cfg: DictConfig) -> None:
    """Read the articles and their sentences, write ``speakers.parquet``."""
    workspace = Path(cfg.workspace)
    articles = read_parquet(require(workspace / "articles.parquet", "ingest"), ARTICLES)
    sentences: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_parquet(
        require(workspace / "sentences.parquet", "segment"), SENTENCES
    ).to_pylist():
        sentences[row["article_id"]].append(row)
    rows = list(speaker_rows(articles.to_pylist(), sentences))
    write_parquet(workspace / "speakers.parquet", rows, SPEAKERS)
    named = [row["speaker_name"] for row in rows if row["speaker_name"] is not None]
    print(
        f"{len(rows)} sentences: {len(named)} credited to {len(set(named))} speakers, "
        f"{sum(row['speaker'] == 'author' for row in rows)} to the author → {workspace / 'speakers.parquet'}"
    )
