"""Parquet tables: one file, or a folder of shards under the same name; read whole or a row group at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.files import atomic

# No min/max statistics: they cost memory on text columns and are never used.
PARQUET_OPTIONS: dict[str, Any] = {"compression": "zstd", "write_statistics": False}


def write_parquet(
    path: str | Path, rows: pa.Table | Iterable[Mapping[str, Any]], schema: pa.Schema
) -> None:
    """Write a table, or rows, as Parquet with exactly ``schema``; the same rows give the same bytes."""
    table = (
        rows.cast(schema)
        if isinstance(rows, pa.Table)
        else pa.Table.from_pylist(list(rows), schema)
    )
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def write_row_groups(
    path: str | Path,
    tables: Iterable[pa.Table],
    schema: pa.Schema,
    metadata: Mapping[bytes, bytes] = MappingProxyType({}),
) -> None:
    """Write tables as the row groups of one Parquet file, one at a time; an empty table gives none.

    ``metadata``, and that of the tables, becomes the file's.
    """
    with (
        atomic(path) as temporary,
        pq.ParquetWriter(temporary, schema, **PARQUET_OPTIONS) as writer,
    ):
        writer.add_key_value_metadata({**metadata})
        for table in tables:
            if table.schema.metadata:
                writer.add_key_value_metadata(table.schema.metadata)
            if table.num_rows:
                writer.write_table(with_schema(table, schema), row_group_size=table.num_rows)


def shard_files(path: str | Path) -> list[Path]:
    """Return the files of a table: the one at ``path``, or the shards of the folder there, in name order."""
    path = Path(path)
    return sorted(p for p in path.glob("[!._]*.parquet")) if path.is_dir() else [path]


def read_parquet(path: str | Path, schema: pa.Schema | None = None) -> pa.Table:
    """Return the table, its columns as ``schema`` has them if given; raises BadInput where one is missing."""
    tables = []
    for file in shard_files(path):
        # pyarrow.parquet.read_table would import pandas, half a second a command.
        with open_parquet(file) as opened:
            if schema is None:
                tables.append(opened.read())
                continue
            check_columns(file, opened, schema.names)
            table = opened.read(columns=schema.names)
            tables.append(table.select(schema.names).cast(schema))
    if not tables:
        raise BadInput(f"{path}: expected a Parquet table, found a folder without one")
    return pa.concat_tables(tables)


def table_from_rows(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as a table of ``schema``; what a row lacks is null.

    By way of JSON: ``pa.array`` would import pandas, 0.2 s and 40 MB a process.

    >>> table_from_rows([{"id": "a", "n": 1}, {"id": "b"}], pa.schema({"id": pa.string(), "n": pa.int32()})).to_pylist()
    [{'id': 'a', 'n': 1}, {'id': 'b', 'n': None}]
    """
    from pyarrow import json  # noqa: PLC0415 - only those who write tables need it

    if not rows:
        return schema.empty_table()
    lines = msgspec.json.Encoder().encode_lines(rows)
    table = json.read_json(
        pa.BufferReader(lines),
        json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )
    return table.select(schema.names)


def with_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table of this schema; cast only where needed: casting imports what takes a while."""
    if not table.schema.equals(schema):
        table = table.cast(schema)
    return table.replace_schema_metadata(schema.metadata)


def open_parquet(path: str | Path) -> pq.ParquetFile:
    """Return an open Parquet file; raises BadInput where it is none. Its footer is read once."""
    try:
        now = Path(path).stat()
        footer = _footer(str(path), (now.st_ino, now.st_size, now.st_mtime_ns))
        # Buffering ahead needs threads, and they memory.
        return pq.ParquetFile(path, metadata=footer, pre_buffer=False)
    except (OSError, pa.ArrowException) as error:
        raise BadInput(f"{path}: expected a Parquet table, found {error}") from error


@lru_cache(maxsize=2)
def _footer(path: str, stamp: tuple[int, ...]) -> pq.FileMetaData:
    return pq.read_metadata(path)


def check_columns(path: Path, file: pq.ParquetFile, names: Iterable[str]) -> None:
    """Raise BadInput unless the file has all these columns."""
    found = file.schema_arrow.names
    if missing := [name for name in names if name not in found]:
        raise BadInput(f"{path}: expected the column {missing[0]!r}, found {', '.join(found)}")


class RowRange(NamedTuple):
    """The rows of one Parquet file from ``first`` to before ``last``."""

    path: str
    first: int
    last: int


def row_ranges(path: str | Path, size: int) -> list[RowRange]:
    """Return ranges of at most ``size`` rows that cover a table in order; none straddles two files."""
    found = []
    for file in shard_files(path):
        with open_parquet(file) as opened:
            count = opened.metadata.num_rows
        name = str(file.resolve())
        found += [RowRange(name, at, min(at + size, count)) for at in range(0, count, size)]
    return found


def read_batches(rows: RowRange, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the rows of a range, one row group at a time; row groups outside it are not decoded."""
    begin = 0
    with open_parquet(rows.path) as file:
        check_columns(Path(rows.path), file, columns)
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            low, high = max(begin, rows.first), min(end, rows.last)
            if low < high:
                table = file.read_row_group(group, columns=list(columns), use_threads=False)
                yield table.slice(low - begin, high - low)
            begin = end


def read_values(rows: RowRange | str | Path, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield some columns' values, row by row, of a range or of a whole table; one row group is held at a time."""
    ranges = [rows] if isinstance(rows, RowRange) else row_ranges(rows, 1 << 62)
    for each in ranges:
        for table in read_batches(each, columns):
            yield from zip(*(table[name].to_pylist() for name in columns), strict=True)
