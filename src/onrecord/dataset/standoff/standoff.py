"""A release without the text: offsets, hashes and labels, and the check that no quotation is left.

Columns of text are listed, as are columns of names. Names of more than ``MAX_NAME_WORDS`` words are left out:
their span restores them.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.records import MAX_NAME_WORDS, text_sha256
from onrecord.core.text_normalization import normalized_words
from onrecord.dataset.features import Features, Tables, arrow_schema
from onrecord.dataset.standoff.fingerprints import Fingerprint, fingerprint

RUN = 8  # words in a row that count as a quotation
TEXT_COLUMNS = {"text", "context_before", "context_after", "comment"}
NAME_COLUMNS = {"speaker_name", "suggested_speaker_name"}

SENTENCE_HASHES = pa.schema(
    [
        ("sentence_id", pa.string()),
        ("article_id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("furniture", pa.string()),
        ("sha256", pa.string()),
        ("folded_sha256", pa.string()),
        ("folded_length", pa.int32()),
        ("head", pa.uint16()),
        ("simhash", pa.uint64()),
    ]
)


class SentenceHash(Fingerprint):
    """A row of a release's ``sentences.parquet``: where a sentence is, and what its text must hash to."""

    sentence_id: str
    article_id: str
    start: int
    end: int
    furniture: str | None
    sha256: str


class ReleasedArticle(TypedDict):
    """A line of a release's ``articles.jsonl``; ``characters`` is the length of the text in code points."""

    article_id: str
    outlet: str | None
    published: str | None
    url: str | None
    group_id: str
    copy_of: str | None
    sha256: str
    characters: int


def without_text(
    tables: Tables, features: Features, name_columns: Collection[str] = ()
) -> tuple[Tables, Features]:
    """Return the tables and features without the columns of text, long names set to null.

    ``name_columns`` are columns of names beside NAME_COLUMNS: the scheme's other questions of kind ``name``.
    """
    kept = {
        config: {name: f for name, f in columns.items() if name not in TEXT_COLUMNS}
        for config, columns in features.items()
    }
    short = NAME_COLUMNS | set(name_columns)
    return {
        config: {split: _without_long_names(rows.select(list(kept[config])), short).cast(arrow_schema(kept[config]))
                 for split, rows in by_split.items()}
        for config, by_split in tables.items()
    }, kept  # fmt: skip


def _without_long_names(rows: pa.Table, name_columns: Collection[str]) -> pa.Table:
    for position, name in enumerate(rows.column_names):
        if name in name_columns:
            names = [
                n if n is None or len(n.split()) <= MAX_NAME_WORDS else None
                for n in rows[name].to_pylist()
            ]
            rows = rows.set_column(position, name, pa.array(names, pa.string()))
    return rows


def sentence_hashes(sentences: pa.Table, articles: Collection[str]) -> list[SentenceHash]:
    """Return one row for each sentence of these articles."""
    return [
        SentenceHash(
            sentence_id=row["sentence_id"], article_id=row["article_id"], start=row["start"], end=row["end"],
            furniture=row["furniture"], sha256=text_sha256(row["text"]), **fingerprint(row["text"]),
        )
        for row in sentences.to_pylist() if row["article_id"] in articles
    ]  # fmt: skip


def released_articles(
    articles: pa.Table, used: Collection[str], *, quoted: Collection[int] = frozenset()
) -> list[ReleasedArticle]:
    """Return what is published of each article that is used: no text, no title.

    An address that holds a run of words in ``quoted`` is set to null: some addresses spell the headline.
    """
    return [
        ReleasedArticle(
            article_id=row["article_id"], outlet=row["outlet"], published=row["published"],
            url=None if row["url"] and word_runs(row["url"]).intersection(quoted) else row["url"],
            group_id=row["group_id"], copy_of=row["copy_of"], sha256=row["sha256"], characters=len(row["text"]),
        )
        for row in articles.to_pylist() if row["article_id"] in used
    ]  # fmt: skip


def word_runs(text: str) -> set[int]:
    """Return a hash for each run of eight normalised words in ``text``.

    >>> len(word_runs("one two three four five six seven eight nine"))
    2
    """
    words = normalized_words(text)
    return {
        int.from_bytes(hashlib.blake2b(" ".join(words[i : i + RUN]).encode(), digest_size=8).digest())
        for i in range(len(words) - RUN + 1)
    }  # fmt: skip


def texts_of(path: Path) -> list[str]:
    """Return the texts that a file holds: a Parquet file's strings and metadata, else the whole file."""
    if path.suffix != ".parquet":
        return [path.read_text(encoding="utf-8", errors="replace")]
    table = pq.read_table(path)
    return [*_strings(table.to_pydict()), str(table.schema.metadata)]


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [text for part in value for text in _strings(part)] if isinstance(value, list) else []


def quoting_files(paths: Iterable[Path], quoted: Collection[int]) -> list[Path]:
    """Return the files that hold a run of words in ``quoted``."""
    return [
        path for path in paths if any(word_runs(text).intersection(quoted) for text in texts_of(path))
    ]  # fmt: skip


def check_no_quotation(folder: Path, quoted: Collection[int], exempt: Collection[str] = ()) -> None:
    """Raise BadInput naming the files, save those ``exempt``, that hold eight words in a row of the articles."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    names = [str(path.relative_to(folder)) for path in quoting_files(files, quoted)]
    if found := [name for name in names if name not in exempt]:
        raise BadInput(
            f"a stand-off release must not quote: eight words in a row of the articles are in {', '.join(found)}"
        )
