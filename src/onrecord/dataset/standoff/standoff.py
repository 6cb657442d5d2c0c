"""A release without the text: offsets, hashes and labels, and the proof that no quotation is left.

Only the columns named here are taken over, so that a column added later is kept out until it is thought
about. Names of more than ``MAX_NAME_WORDS`` words are left out: their span restores them.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.records import MAX_NAME_WORDS, text_sha256
from onrecord.dataset.features import Spec, schema
from onrecord.dataset.standoff.fingerprints import anchor

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


def without_text(
    table: pa.Table, features: Mapping[str, Spec], names: Collection[str] = ()
) -> tuple[pa.Table, dict[str, Spec]]:
    """Return the table and its features without the columns of text, long names set to null.

    ``names`` are the columns of names beside NAME_COLUMNS: the scheme's other questions of kind ``name``.
    """
    kept = {name: feature for name, feature in features.items() if name not in TEXT_COLUMNS}
    columns = {}
    for name in kept:
        column = table[name]
        if name in NAME_COLUMNS or name in names:
            column = pa.array(
                [n if n is None or len(n.split()) <= MAX_NAME_WORDS else None for n in column.to_pylist()],
                pa.string(),
            )  # fmt: skip
        columns[name] = column
    return pa.table(columns, schema=schema(kept)), kept


def sentence_hashes(sentences: pa.Table, articles: Iterable[str]) -> list[dict[str, Any]]:
    """Return one row for each sentence of these articles: where it stands, and what it must hash to."""
    wanted = set(articles)
    rows = []
    for row in sentences.to_pylist():
        if row["article_id"] in wanted:
            kept = {
                name: row[name]
                for name in ("sentence_id", "article_id", "start", "end", "furniture")
            }
            rows.append(kept | {"sha256": text_sha256(row["text"])} | anchor(row["text"]))
    return rows


def article_rows(
    articles: pa.Table, used: Iterable[str], *, full: bool, quoted: set[int]
) -> list[dict[str, Any]]:
    """Return what a release says of each article: id, hash, outlet, date, address, group; never its text.

    An address that spells out a run of the article's own words (a headline as a slug) is left out of a
    stand-off release.
    """
    wanted, rows = set(used), []
    names = ("article_id", "outlet", "published", "url", "group_id", "copy_of", "sha256")
    for row in articles.to_pylist():
        if row["article_id"] in wanted:
            kept = {name: row[name] for name in names} | {"characters": len(row["text"])}
            if not full and kept["url"] and runs(kept["url"]) & quoted:
                kept["url"] = None
            rows.append(kept)
    return rows


def runs(text: str) -> set[int]:
    """Return a number for each run of eight words in ``text``, case and punctuation apart.

    >>> len(runs("one two three four five six seven eight nine"))
    2
    """
    words = re.findall(r"\w+", text.lower())
    return {
        int.from_bytes(hashlib.blake2b(" ".join(words[i : i + RUN]).encode(), digest_size=8).digest())
        for i in range(len(words) - RUN + 1)
    }  # fmt: skip


def quotations(folder: Path, quoted: set[int]) -> list[str]:
    """Return the files of ``folder`` that hold a run of words in ``quoted``, in any text or Parquet column."""
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            texts = [*_strings(table.to_pydict()), str(table.schema.metadata)]
        else:
            texts = [path.read_text(encoding="utf-8")]
        if any(runs(text) & quoted for text in texts):
            found.append(str(path.relative_to(folder)))
    return found


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [text for part in value for text in _strings(part)] if isinstance(value, list) else []
