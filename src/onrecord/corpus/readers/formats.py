"""Files to raw articles: what each format holds, before anything is made of it.

What cannot be used is handed on as a BadInput in the place of the article, so that the caller decides
whether one bad article stops all.
"""

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import isnan
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.corpus.readers.decode import decode, detect_utf16_32, refuse_binary, stream_encoding
from onrecord.corpus.readers.sources import MB, SINGLE, Part, suffix

FIELDS = ("id", "text", "title", "byline", "published", "outlet", "url")
PACKED = 100  # times its packed size that a .gz or .parquet file may have: text has ten at most
TIGHT = f"what was packed {PACKED} to 1 or more"
TAGS = 100_000  # that a page may have: what finds the article takes the square of their number
AT_ONCE = 256  # rows of a Parquet file held at a time …
HELD = 64 * MB  # … or, of long texts, as many as this holds

Raw = dict[str, Any]


def raw_articles(
    part: Part, columns: Mapping[str, str], *, text_mb: float, file_mb: float
) -> Iterator[Raw | BadInput]:
    """Yield the raw articles of a part: ``where``, ``encoding`` and those of FIELDS that it gives.

    ``columns`` maps each of FIELDS to its name in a table. An article of more than ``text_mb`` and a file
    of more than ``file_mb`` are refused before they are read.
    """
    kind, read = suffix(part.path), 0
    limit = text_mb if kind in SINGLE else file_mb
    try:
        status = Path(part.path).stat()
        if not S_ISREG(status.st_mode):
            raise BadInput(f"{part.name}: expected a file, found a pipe or a device")
        size = status.st_size
        if size > limit * MB and kind not in {".jsonl", ".parquet"}:
            raise BadInput(f"{part.name}: expected at most {limit:g} MB, found {size / MB:.0f} MB")
        if kind in SINGLE:
            yield single(part, kind)
            return
        for where, row, encoding in TABLES[kind](part, columns, text_mb * MB):
            read += 1
            raw = row if isinstance(row, BadInput) else picked(row, columns, where, encoding)
            if isinstance(raw, dict) and len(raw["text"]) > text_mb * MB:
                raw = BadInput(f"{where}: expected at most {text_mb:g} MB, found a longer text")
            yield raw
        if not read and not part.first and (part.last or size) >= size:
            raise BadInput(f"{part.name}: expected articles, found a table without rows")
    except BadInput as error:
        yield error
    except (OSError, EOFError, zlib.error, csv.Error, pa.ArrowException, UnicodeError) as error:
        found = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        after = f" after {read} rows" if read else ""
        yield BadInput(f"{part.name}: expected {kind[1:]}, found{after} {found}")


def single(part: Part, kind: str) -> Raw:
    """Return the article of a .txt or .html file."""
    path = Path(part.path)
    text, encoding = decode(path.read_bytes(), part.name)
    raw = {"id": path.name[: -len(kind)], "where": part.name, "encoding": encoding}
    if kind != ".txt":
        return raw | page(text, part.name)
    if text.lstrip("\ufeff \t\r\n")[:14].lower().startswith(("<!doctype html", "<html")):
        raise BadInput(f"{part.name}: expected text, found a page: give it as .html")
    return raw | {"text": text}


def page(html: str, where: str) -> Raw:
    """Return what trafilatura finds on a page: its text, and of its metadata what is an article's."""
    from trafilatura import bare_extraction  # noqa: PLC0415 - slow to import, and only pages need it

    if (tags := html.count("<")) > TAGS:
        raise BadInput(f"{where}: expected a page of at most {TAGS} tags, found {tags}")
    found: Any = bare_extraction(
        html, with_metadata=True, include_comments=False, include_tables=False
    )
    if found is None or not (found.text or "").strip():
        raise BadInput(f"{where}: expected a page with an article, found no text that is one")
    return {
        "text": found.text,
        "title": found.title,
        "byline": found.author,
        "published": found.date,
        "outlet": found.sitename,
        "url": found.url,
    }


Rows = Iterator[tuple[str, Mapping[str, Any] | BadInput, str]]  # where, the row, the encoding


def parquet_rows(part: Part, columns: Mapping[str, str], limit: float) -> Rows:
    """Yield the rows of a range of a Parquet file: of their columns those that are wanted."""
    at = 0
    with pq.ParquetFile(part.path) as file:
        if not file.metadata.num_rows:
            raise BadInput(f"{part.name}: expected articles, found a table without rows")
        wanted = columns_found(part, file.schema_arrow.names, columns)
        for group in range(file.num_row_groups):
            about = file.metadata.row_group(group)
            if at + about.num_rows <= part.first or at >= (part.last or 0):
                at += about.num_rows
                continue
            if about.total_byte_size > PACKED * Path(part.path).stat().st_size + limit:
                raise BadInput(f"{part.name}, row {at + 1}: expected text, found {TIGHT}")
            most = max(1, min(AT_ONCE, HELD * about.num_rows // max(1, about.total_byte_size)))
            for batch in file.iter_batches(most, row_groups=[group], columns=wanted):
                where = f"{part.name}, row {at + 1}"
                try:
                    rows = batch.to_pylist()
                except (ValueError, LookupError, OverflowError) as error:
                    raise BadInput(f"{where} or one soon after: expected text, {error}") from error
                for row in rows:
                    if part.first <= at < (part.last or 0):
                        yield f"{part.name}, row {at + 1}", row, "utf-8"
                    at += 1


def columns_found(part: Part, names: Sequence[str], columns: Mapping[str, str]) -> list[str]:
    """Return which of a table's columns are wanted; raises BadInput where one lacks or is there twice."""
    counts = Counter(names)
    for field in ("id", "text"):
        if not counts[columns[field]]:
            listed = ", ".join(names)[:200] or "none"
            column = f"the column {columns[field]!r} (columns.{field})"
            raise BadInput(f"{part.name}: expected {column}, found the columns {listed}")
    wanted = [columns[field] for field in FIELDS if counts[columns[field]]]
    if twice := [name for name in wanted if counts[name] > 1]:
        raise BadInput(f"{part.name}: expected columns that differ, found {twice[0]!r} twice")
    return wanted


def csv_rows(part: Part, columns: Mapping[str, str], limit: float) -> Rows:
    """Yield the rows of a CSV file. A cell is text, whatever it begins with: nothing is evaluated."""
    csv.field_size_limit(int(limit))
    with Path(part.path).open("rb") as data:
        encoding = stream_encoding(data, part.name)
        utf8 = encoding.startswith("utf-8")
        codec, errors = ("utf-8-sig", "replace") if utf8 else (encoding, "strict")
        text = io.TextIOWrapper(data, codec, errors=errors, newline="")
        reader = csv.DictReader(text, strict=True)
        columns_found(part, reader.fieldnames or [], columns)
        try:
            for row in reader:
                where, more = f"{part.name}, line {reader.line_num}", row.pop(None, ())
                if more:
                    n = len(reader.fieldnames or [])
                    found = BadInput(f"{where}: expected {n} cells, found {n + len(more)}")
                yield where, found if more else row, encoding
        except csv.Error as error:
            where = f"{part.name}, line {reader.line_num}"
            raise BadInput(f"{where}: expected csv, found {error}; no more was read") from error


def json_rows(part: Part, columns: Mapping[str, str], limit: float) -> Rows:
    """Yield the rows of JSON Lines, or of the lines that begin within a range of bytes."""
    packed, limit = part.path.lower().endswith(".gz"), int(limit)
    most = PACKED * Path(part.path).stat().st_size + limit if packed else None
    with cast(IO[bytes], gzip.open(part.path) if packed else Path(part.path).open("rb")) as file:
        number = at = 0
        if part.first:  # the line that the range begins in belongs to the range before
            file.seek(part.first - 1)
            at = part.first - 1 + rest_of_line(file, b"")
        while part.last is None or at < part.last:
            line = file.readline(limit + 1)
            if not line:
                return
            if not at:
                refuse_binary(line, part.name)
                if found := detect_utf16_32(line):
                    raise BadInput(f"{part.name}: expected lines in UTF-8, found {found}")
            number += 1
            where = f"{part.name}, " + (f"byte {at}" if part.first else f"line {number}")
            at += len(line)
            if most and at > most:
                raise BadInput(f"{where}: expected text, found {TIGHT}")
            if len(line) > limit:
                at += rest_of_line(file, line)
                long = f"{where}: expected at most {limit / MB:g} MB, found a longer line"
                yield where, BadInput(long), "utf-8"
            elif line.strip():
                yield where, *json_row(line, where)


def rest_of_line(file: IO[bytes], begun: bytes) -> int:
    """Read to the end of the line that ``begun`` begins, keeping none of it, and return the bytes read."""
    read = 0
    while not begun.endswith(b"\n") and (begun := file.readline(MB)):
        read += len(begun)
    return read


def json_row(line: bytes, where: str) -> tuple[Mapping[str, Any] | BadInput, str]:
    """Return the object on a line of JSON Lines, or why it is none, and the encoding of the line."""
    encoding = "utf-8"
    try:
        try:
            row = json.loads(line)
        except UnicodeDecodeError:
            text, encoding = decode(line, where)
            row = json.loads(text)
    except BadInput as error:
        return error, encoding
    except (ValueError, RecursionError) as error:
        return BadInput(f"{where}: expected a JSON object, found {error}"), encoding
    if isinstance(row, dict):
        return row, encoding
    return BadInput(f"{where}: expected a JSON object, found {type(row).__name__}"), encoding


def picked(
    row: Mapping[str, Any], columns: Mapping[str, str], where: str, encoding: str
) -> Raw | BadInput:
    """Return what a table's row says of FIELDS, or why it is no article."""
    found: Raw = {"where": where, "encoding": encoding}
    for field in FIELDS:
        value = row.get(columns[field])
        try:
            found[field] = cell(value, field)
        except TypeError as error:
            column = f"in the column {columns[field]!r} (columns.{field})"
            return BadInput(f"{where}: expected text {column}, found {error}")
    for field in ("id", "text"):
        if found[field] is None:
            names = ", ".join(str(name) for name in row)[:200] or "none"
            column = f"a value in the column {columns[field]!r} (columns.{field})"
            return BadInput(f"{where}: expected {column}, found the columns {names}")
    return found


def cell(value: Any, field: str) -> str | None:
    """Return a table's value as the text of a field, None for an empty one; raises TypeError where it is no text.

    A date is written as ISO 8601, a whole number may be an id, a list of names a by-line; NaN is empty.

    >>> cell(["Ana Roe", "Lee Po"], "byline")
    'Ana Roe, Lee Po'
    """
    if isinstance(value, str):
        return value or None
    if value is None or (isinstance(value, float) and isnan(value)):
        return None
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool) and field != "text":
        return str(value)
    if field == "byline" and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return ", ".join(value) or None
    raise TypeError(
        {"dict": "an object", "bytes": "bytes"}.get(type(value).__name__, str(value)[:40])
    )


TABLES = {".parquet": parquet_rows, ".csv": csv_rows, ".jsonl": json_rows, ".jsonl.gz": json_rows}
