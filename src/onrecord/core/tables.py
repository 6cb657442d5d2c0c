"""Tables: Parquet files and Arrow files, whole or by parts, so that those of any size are read and written."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.files import atomic, swept

# The least and the greatest text of each row group, held until the end, are of no use to anyone.
HOW_WRITTEN: dict[str, Any] = {"compression": "zstd", "write_statistics": False}


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


def read_parquet(path: str | Path, schema: pa.Schema | None = None) -> pa.Table:
    """Return the table, its columns as ``schema`` has them if given; raises BadInput where one is missing."""
    try:
        with pq.ParquetFile(
            path
        ) as file:  # read_table would import pandas, half a second a command
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise BadInput(f"{path}: expected a Parquet table, found {error}") from error
    if schema is None:
        return table
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise BadInput(
            f"{path}: expected the column {missing[0]!r}, found {', '.join(table.column_names)}"
        )
    return table.select(schema.names).cast(schema)


def write_parquet_stream(path: str | Path, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
    """Write tables as the row groups of one Parquet file, one at a time; return the number of rows.

    The bytes depend on the tables and their order alone. An empty table gives no row group.
    """
    rows = 0
    with (
        atomic(swept(path)) as temporary,
        pq.ParquetWriter(temporary, schema, **HOW_WRITTEN) as writer,
    ):
        for table in tables:
            rows += table.num_rows
            if table.num_rows:
                writer.write_table(as_schema(table, schema), row_group_size=table.num_rows)
    return rows


def write_arrow(path: Path, table: pa.Table) -> None:
    """Write a table as an Arrow file, as it is: for what is read again soon, and by us."""
    with (
        atomic(path) as temporary,
        pa.OSFile(str(temporary), "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)


def read_arrow(path: Path, names: Sequence[str] | None = None) -> pa.Table:
    """Return a table of :func:`write_arrow`, or some columns of it; what is not looked at is not read."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        table = reader.read_all()
    return table if names is None else table.select(names)


def as_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table of this schema; cast only where it must be: that imports what takes a while."""
    if not table.schema.equals(schema):
        table = table.cast(schema)
    return table.replace_schema_metadata(schema.metadata)


def opened(path: str | Path) -> pq.ParquetFile:
    """Return a Parquet file, open; what stands at its end is read once for all its shards."""
    now = Path(path).stat()
    footer = _footer(str(path), (now.st_ino, now.st_size, now.st_mtime_ns))
    return pq.ParquetFile(
        path, metadata=footer, pre_buffer=False
    )  # buffers need threads, and they memory


@lru_cache(maxsize=2)
def _footer(path: str, stamp: tuple[int, ...]) -> pq.FileMetaData:
    return pq.read_metadata(path)


def row_shards(path: str | Path, size: int) -> list[tuple[str, int, int]]:
    """Return ``(path, first, last)`` row ranges of at most ``size`` rows that cover a Parquet file, in order.

    Ranges never straddle a row group, so that reading one decodes no other.
    """
    shards = []
    begin = 0
    with opened(path) as file:
        metadata = file.metadata
    for group in range(metadata.num_row_groups):
        end = begin + metadata.row_group(group).num_rows
        shards += [(str(path), at, min(at + size, end)) for at in range(begin, end, size)]
        begin = end
    return shards


def read_rows(shard: tuple[str, int, int], columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of a shard of :func:`row_shards`, or some columns of them."""
    path, first, last = shard
    begin = 0
    with opened(path) as file:
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            if begin <= first < end:
                table = file.read_row_group(group, columns=columns, use_threads=False)
                return table.slice(first - begin, last - first)
            begin = end
    raise BadInput(f"{path}: expected {last} rows, found {begin}")
