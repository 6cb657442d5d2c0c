"""Tables that people bring: csv, jsonl, jsonl.gz or parquet, read into Arrow columns by one function.

Arrow reads millions of rows in seconds. Where it refuses a file, or would read over a fault, a slower pass names
the line.
"""

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json

from onrecord.core.errors import BadInput
from onrecord.core.files import parse_row
from onrecord.core.tables import read_parquet

KINDS = "csv, jsonl, jsonl.gz or parquet"
BLOCK = 1 << 24  # bytes read at a time: a row must fit in one


def read_table(path: Path, needed: Sequence[str] = ()) -> pa.Table:
    """Return a table by its file's ending; raises BadInput naming the file, and the line that is broken.

    In a csv file every column is text, and an empty field is null (``None`` is the word). In JSON Lines a column
    of several types becomes text, what is no string as JSON. ``needed`` are the columns that must be there.
    """
    if not path.is_file() and not (path.is_dir() and path.suffix == ".parquet"):
        raise BadInput(f"{path}: expected a table ({KINDS}), found no such file")
    if path.suffix == ".parquet":
        table = read_parquet(path)
    elif path.suffix == ".csv":
        table = _read_csv(path)
    elif path.name.endswith((".jsonl", ".jsonl.gz")):
        table = _read_jsonl(path)
    else:
        raise BadInput(f"{path}: expected a table as {KINDS}")
    names = table.column_names
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise BadInput(f"{path}: two columns are named {twice[0]!r}")
    for name in needed:
        if name not in names:
            raise BadInput(
                f"{path}: expected the columns {', '.join(needed)}, found no {name!r} among "
                f"{', '.join(names) or 'none'}"
            )
    return table


def _read_csv(path: Path) -> pa.Table:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            names = next(csv.reader(file), [])
        with path.open("rb") as file:
            quoted = any(b'"' in block for block in iter(lambda: file.read(BLOCK), b""))
        if quoted:  # Arrow takes an open quote, and one amid a field, as they come
            _check_csv(path)
        return pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK),
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (OSError, csv.Error, pa.ArrowException) as error:
        if isinstance(error, pa.ArrowException):
            _check_csv(path)
        found = " ".join(str(error).split())
        raise BadInput(f"{path}: expected a csv table in UTF-8, found {found}") from error


def _check_csv(path: Path) -> None:
    """Raise BadInput naming the first line with a broken quote or another number of fields than the first."""
    csv.field_size_limit(BLOCK)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            width = len(next(reader, []))
            for row in reader:
                if len(row) not in (0, width):
                    raise BadInput(
                        f"{path}, line {reader.line_num}: expected {width} fields, found {len(row)}"
                    )
        except csv.Error as error:
            raise BadInput(f"{path}, line {reader.line_num}: {error}") from error


def _read_jsonl(path: Path) -> pa.Table:
    try:
        table = pa_json.read_json(path)
        table.validate(full=True)  # Arrow does not check that it is UTF-8
        if not any(map(_misread, table.columns)):
            return table
    except (OSError, pa.ArrowException):
        pass  # the slower pass says what is wrong, or reads what Arrow cannot
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            lines = file.read().decode("utf-8-sig").split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected {KINDS} in UTF-8, found {error}") from error
    rows = [
        parse_row(line, f"{path}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _misread(column: pa.ChunkedArray) -> bool:
    """Return whether Arrow took text such as 2026-01-14 for a time, or NaN, which JSON lacks, for a number."""
    if pa.types.is_floating(column.type):
        return pc.all(pc.is_finite(column)).as_py() is False
    return "timestamp" in str(column.type)


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, OverflowError):
        plain = (str, type(None))
        texts = [v if isinstance(v, plain) else json.dumps(v, ensure_ascii=False) for v in values]
        return pa.array(texts, pa.string())
