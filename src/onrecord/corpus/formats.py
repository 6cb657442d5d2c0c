"""Files to raw articles: what each format holds, before anything is made of it.

What cannot be used is handed on as a BadInput in the place of the article, so that the caller decides
whether one bad article stops all.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.corpus.decode import decode, stream_encoding
from onrecord.records import BadInput

FIELDS = ("id", "text", "title", "byline", "published", "outlet", "url")
SINGLE = (".txt", ".html", ".htm")  # one article a file
SUFFIXES = (*SINGLE, ".jsonl", ".jsonl.gz", ".csv", ".parquet")
RANGE = 1 << 22  # bytes of a .jsonl file in one part
MB = 1 << 20
PACKED = 100  # times its packed size that a .gz file may have: text has ten at most

Raw = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A file, or a range of one: bytes of a .jsonl file, rows of a .parquet one. ``name`` is within the source."""

    path: str
    name: str
    first: int = 0
    last: int | None = None


def suffix(path: str | Path) -> str:
    """Return a file's format by its name, or "" where it is none that is read.

    >>> suffix("a/b.JSONL.gz")
    '.jsonl.gz'
    """
    return next((s for s in SUFFIXES if Path(path).name.lower().endswith(s)), "")


def article_files(source: str) -> list[tuple[Path, str]]:
    """Return the article files of a folder (and the folders in it), a file or a glob: ``(path, name)``, sorted.

    Raises BadInput where there is none. Hidden files and a sidecar ``articles.csv`` are no articles.
    """
    if not source:
        raise BadInput("articles: expected a folder, a file or a glob, found nothing")
    path = Path(source)
    if path.is_file():
        return [(path, path.name)]
    if path.is_dir():
        base, found = path, sorted(path.rglob("*"))
    else:
        base = Path(path.anchor) if path.is_absolute() else Path()
        found = sorted(base.glob(str(path.relative_to(path.anchor))))
        base = Path(
            path.anchor,
            *[p for p in path.parent.parts[len(Path(path.anchor).parts) :] if "*" not in p],
        )
    files = [p for p in found if p.is_file()]
    kept = [
        (p, p.relative_to(base).as_posix() if p.is_relative_to(base) else p.name)
        for p in files
        if suffix(p) and p.name != "articles.csv" and not p.name.startswith(".")
    ]
    if not kept:
        there = f"{len(files)} files of other kinds" if files else "nothing"
        raise BadInput(f"{source}: expected articles ({', '.join(SUFFIXES)}), found {there} there")
    return kept


def others(source: str) -> list[str]:
    """Return the names of a folder's files that are no articles of a kind that is read, such as ``x.pdf``."""
    folder = Path(source)
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    return [p.name for p in found if p.is_file() and not suffix(p) and not p.name.startswith(".")]


def shards(files: Sequence[tuple[Path, str]], size: int) -> list[tuple[Part, ...]]:
    """Return the files as pieces of work: up to ``size`` articles, or one table, or a range of a large one.

    Where a piece ends is told by what stands there, so that a file or a line more leaves the others as they are.
    """
    found: list[tuple[Part, ...]] = []
    single: list[tuple[Part, ...]] = []
    held: list[Part] = []
    for path, name in files:
        if suffix(path) in SINGLE:
            held.append(Part(str(path), name))
            if ends_piece(name.encode(), len(held), size):
                single.append(tuple(held))
                held = []
        elif suffix(path) == ".jsonl":
            found += [(Part(str(path), name, a, b),) for a, b in line_ranges(path)]
        elif suffix(path) == ".parquet":
            found += [(Part(str(path), name, a, b),) for a, b in row_ranges(path, size)]
        else:
            found.append((Part(str(path), name),))
    return [*single, tuple(held), *found] if held else [*single, *found]


def ends_piece(name: bytes, count: int, most: int) -> bool:
    """Return whether a piece of ``count`` things, ``most`` at most, ends with the one of this name.

    A piece holds some fifth of what it may hold, and never less than a sixteenth.
    """
    return count >= most or (16 * count >= most and zlib.crc32(name) % max(1, most // 8) == 0)


def line_ranges(path: Path) -> list[tuple[int, int]]:
    """Return the ranges of bytes of a .jsonl file, cut where a line begins, of RANGE bytes or a line more.

    A file that cannot be read is one range, refused when it is read.
    """
    cuts, at, begins = [0], 0, True
    try:
        with path.open("rb") as file:
            while line := file.readline(MB):
                size = at - cuts[-1]
                told = zlib.crc32(line[:64]) * RANGE < 5 * len(line) << 32  # some five a RANGE
                if begins and size and (size >= RANGE or (told and 16 * size >= RANGE)):
                    cuts.append(at)
                begins = line.endswith(b"\n")
                at += len(line)
    except OSError:
        return [(0, path.stat().st_size)]
    return list(pairwise([*cuts, at]))


def row_ranges(path: Path, size: int) -> list[tuple[int, int]]:
    """Return row ranges of a Parquet file, whole row groups of ``size`` rows together or more.

    A file that is none is one range, refused when it is read.
    """
    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return [(0, 0)]
    cuts, at = [0], 0
    for group in range(metadata.num_row_groups):
        at += metadata.row_group(group).num_rows
        if at - cuts[-1] >= size:
            cuts.append(at)
    return list(pairwise(cuts if cuts[-1] == at and at else [*cuts, at]))


def raw_articles(
    part: Part, columns: Mapping[str, str], *, text_mb: float, file_mb: float
) -> Iterator[Raw | BadInput]:
    """Yield the raw articles of a part: ``where``, ``encoding`` and those of FIELDS that it gives.

    ``columns`` maps each of FIELDS to its name in a table. An article of more than ``text_mb`` and a file
    of more than ``file_mb`` are refused before they are read.
    """
    kind = suffix(part.path)
    limit = text_mb if kind in SINGLE else file_mb
    try:
        size = Path(part.path).stat().st_size
        if size > limit * MB and kind not in {".jsonl", ".parquet"}:
            raise BadInput(f"{part.name}: expected at most {limit:g} MB, found {size / MB:.0f} MB")
        if kind in SINGLE:
            yield single(part, kind)
        else:
            for where, row, encoding in TABLES[kind](part, int(text_mb * MB)):
                raw = row if isinstance(row, BadInput) else picked(row, columns, where, encoding)
                if isinstance(raw, dict) and len(raw["text"]) > text_mb * MB:
                    raw = BadInput(f"{where}: expected at most {text_mb:g} MB, found a longer text")
                yield raw
    except BadInput as error:
        yield error
    except (
        OSError,
        EOFError,
        zlib.error,
        csv.Error,
        pa.ArrowException,
        UnicodeDecodeError,
    ) as error:
        yield BadInput(
            f"{part.name}: expected {kind[1:]}, found {' '.join(str(error).split())[:200]}"
        )


def single(part: Part, kind: str) -> Raw:
    """Return the article of a .txt or .html file."""
    path = Path(part.path)
    text, encoding = decode(path.read_bytes(), part.name)
    raw = {"id": path.name[: -len(kind)], "where": part.name, "encoding": encoding}
    return raw | (page(text, part.name) if kind != ".txt" else {"text": text})


def page(html: str, where: str) -> Raw:
    """Return what trafilatura finds on a page: its text, and of its metadata what is an article's."""
    from trafilatura import bare_extraction  # noqa: PLC0415 - slow to import, and only pages need it

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


def parquet_rows(part: Part, limit: int) -> Rows:
    """Yield the rows of a range of a Parquet file."""
    at = 0
    with pq.ParquetFile(part.path) as file:
        if not file.metadata.num_rows:
            raise BadInput(f"{part.name}: expected articles, found a table without rows")
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if at + rows <= part.first or at >= (part.last or 0):
                at += rows
                continue
            for batch in file.iter_batches(256, row_groups=[group]):
                for row in batch.to_pylist():
                    if part.first <= at < (part.last or 0):
                        yield f"{part.name}, row {at + 1}", row, "utf-8"
                    at += 1


def csv_rows(part: Part, limit: int) -> Rows:
    """Yield the rows of a CSV file. A cell is text, whatever it begins with: nothing is evaluated."""
    csv.field_size_limit(limit)
    with Path(part.path).open("rb") as data:
        encoding = stream_encoding(data, part.name)
        named = "utf-8-sig" if encoding == "utf-8" else encoding
        reader = csv.DictReader(io.TextIOWrapper(data, named, newline=""))
        for row in reader:
            yield f"{part.name}, line {reader.line_num}", row, encoding


def json_rows(part: Part, limit: int) -> Rows:
    """Yield the rows of JSON Lines, or of the lines that begin within a range of bytes."""
    packed = part.path.lower().endswith(".gz")
    with cast(IO[bytes], gzip.open(part.path) if packed else Path(part.path).open("rb")) as file:
        number = at = 0
        if part.first:  # the line that the range begins in belongs to the range before
            file.seek(part.first - 1)
            at = part.first - 1 + rest_of_line(file, b"")
        while part.last is None or at < part.last:
            line = file.readline(limit + 1)
            if not line:
                return
            number += 1
            where = f"{part.name}, " + (f"byte {at}" if part.first else f"line {number}")
            at += len(line)
            if packed and at > PACKED * (Path(part.path).stat().st_size + limit):
                raise BadInput(
                    f"{where}: expected text, found what was packed {PACKED} to 1 or more"
                )
            if len(line) > limit:
                at += rest_of_line(file, line)
                long = f"{where}: expected at most {limit / MB:g} MB, found a longer line"
                yield where, BadInput(long), "utf-8"
            elif line.strip():
                yield where, json_row(line, where), "utf-8"


def rest_of_line(file: IO[bytes], begun: bytes) -> int:
    """Read to the end of the line that ``begun`` begins, keeping none of it, and return the bytes read."""
    read = 0
    while not begun.endswith(b"\n") and (begun := file.readline(MB)):
        read += len(begun)
    return read


def json_row(line: bytes, where: str) -> Mapping[str, Any] | BadInput:
    """Return the object on a line of JSON Lines, or why it is none."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadInput(f"{where}: expected a JSON object, found {error}")
    if isinstance(row, dict):
        return row
    return BadInput(f"{where}: expected a JSON object, found {type(row).__name__}")


def picked(
    row: Mapping[str, Any], columns: Mapping[str, str], where: str, encoding: str
) -> Raw | BadInput:
    """Return what a table's row says of FIELDS, or why it is no article."""
    found: Raw = {"where": where, "encoding": encoding}
    for field in FIELDS:
        value = row.get(columns[field])
        if isinstance(value, date):  # a datetime is one too
            value = value.isoformat()
        found[field] = None if value is None or value == "" else str(value)
    for field in ("id", "text"):
        if found[field] is None:
            names = ", ".join(str(name) for name in row)[:200] or "none"
            said = f"a value in the column {columns[field]!r} (columns.{field})"
            return BadInput(f"{where}: expected {said}, found the columns {names}")
    return found


TABLES = {".parquet": parquet_rows, ".csv": csv_rows, ".jsonl": json_rows, ".jsonl.gz": json_rows}
