"""
Files to raw articles: what each format holds, before anything is made of it.

Text is kept exactly as decoded: newlines, a byte order mark and all. UTF-8 is tried first; only where it
fails is an encoding guessed, and then it is said.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from charset_normalizer import from_bytes

from onrecord.records import ARTICLE_ID, BadInput

FIELDS = ("id", "text", "title", "byline", "published", "outlet", "url")
SUFFIXES = (".txt", ".html", ".htm", ".jsonl", ".jsonl.gz", ".csv", ".parquet")


def suffix(path: Path) -> str:
    """
    Return a file's format by its name, or "" where it is none that is read.

    >>> suffix(Path("a/b.JSONL.gz"))
    '.jsonl.gz'
    """
    return next((s for s in SUFFIXES if path.name.lower().endswith(s)), "")


def article_files(source: str) -> list[Path]:
    """
    Return the article files of a folder (and the folders in it), a file or a glob, sorted by path.

    Raises BadInput where there is none. A sidecar ``articles.csv`` is no article.
    """
    path = Path(source)
    if path.is_file():
        found = [path]
    elif path.is_dir():
        found = [p for p in path.rglob("*") if p.is_file()]
    else:
        root = Path(path.anchor) if path.is_absolute() else Path()
        found = [p for p in root.glob(str(path.relative_to(path.anchor))) if p.is_file()]
    kept = sorted(
        p for p in found
        if suffix(p) and p.name != "articles.csv" and not any(s.startswith(".") for s in p.parts[-1:])
        and not (path.is_dir() and p.name.upper() in {"README.TXT", "LICENSE.TXT"})
    )  # fmt: skip
    if not kept:
        raise BadInput(
            f"{source}: expected articles ({', '.join(SUFFIXES)}), found "
            + (f"{len(found)} other files" if found else "nothing there")
        )
    return kept


def decode(data: bytes, where: str) -> tuple[str, str]:
    """
    Return ``(text, encoding)``: UTF-8 where the bytes are that, else as guessed from them.

    Raises BadInput for bytes that are no text in any likely encoding.
    """
    if not data.strip():
        raise BadInput(f"{where}: expected text, found an empty file")
    try:
        text, encoding = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        guess = (
            None if b"\x00" in data[:1024] and data[:2] not in BOM_16 else from_bytes(data).best()
        )
        if guess is None:
            raise BadInput(
                f"{where}: expected text, found bytes of no known encoding "
                f"(byte {error.start} is 0x{data[error.start]:02x})"
            ) from error
        return data.decode(guess.encoding), guess.encoding
    if "\x00" in text:
        raise BadInput(f"{where}: expected text, found NUL characters: a binary file?")
    return text, encoding


BOM_16 = (b"\xff\xfe", b"\xfe\xff")


def raw_articles(path: Path, columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """
    Yield the raw articles of one file: ``where``, ``encoding`` and those of FIELDS that it gives.

    ``columns`` maps each of FIELDS to the name it has in the file. Raises BadInput naming file and line.
    """
    kind = suffix(path)
    if kind in {".txt", ".html", ".htm"}:
        text, encoding = decode(path.read_bytes(), str(path))
        yield {"id": path.stem, "text": text, "encoding": encoding, "where": str(path)}
        return
    for number, row in rows_of(path, kind):
        where = f"{path}, line {number}" if kind != ".parquet" else f"{path}, row {number}"
        yield {"encoding": "utf-8", "where": where, **picked(row, columns, where)}


def rows_of(path: Path, kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield ``(number, row)`` of a table: the line it begins on, or the row of a Parquet file, from 1."""
    if kind == ".parquet":
        number = 0
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(256):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    elif kind == ".csv":
        text, _ = decode(path.read_bytes(), str(path))
        for row in (reader := csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))):
            yield reader.line_num, row
    else:
        with gzip.open(path, "rb") if kind.endswith(".gz") else path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, json_row(line, f"{path}, line {number}")


def json_row(line: bytes, where: str) -> Mapping[str, Any]:
    """Return the object on a line of JSON Lines; raises BadInput where it is none."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadInput(f"{where}: expected a JSON object, found {error}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{where}: expected a JSON object, found {type(row).__name__}")
    return row


def picked(row: Mapping[str, Any], columns: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return what a table's row says of FIELDS; raises BadInput where id or text is missing."""
    found: dict[str, Any] = {}
    for field in FIELDS:
        value = row.get(columns[field])
        if value is not None and not isinstance(value, str):
            value = str(value)
        found[field] = value or None
    for field in ("id", "text"):
        if found[field] is None:
            raise BadInput(
                f"{where}: expected a value in {columns[field]!r} (columns.{field}), found "
                f"{', '.join(str(k) for k in row) or 'no columns'}"
            )
    return found


def checked_id(identifier: str, where: str) -> str:
    """Return an article's id; raises BadInput where it is not one."""
    if not ARTICLE_ID.fullmatch(identifier):
        raise BadInput(
            f"{where}: expected an article id of 1 to 128 letters, digits, '.', '_' or '-', "
            f"found {identifier[:140]!r}"
        )
    return identifier
