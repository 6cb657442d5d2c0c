"""One function over many shards, in the shards' order: in this process, in several, or on a Ray cluster.

A shard is whatever its function takes; it must pickle, and so must the result. :func:`resumable` keeps each
shard's rows in a file of their own until all are there, so that a run that was interrupted goes on.
"""

import gc
import hashlib
import pickle
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track

from onrecord.records import BadInput, atomic

Shard = TypeVar("Shard")
Result = TypeVar("Result")


def map_shards(
    function: Callable[[Shard], Result],
    shards: Sequence[Shard],
    *,
    engine: str = "local",
    workers: int = 1,
    what: str = "",
) -> Iterator[Result]:
    """Yield ``function(shard)`` for each shard, in their order, whatever the engine.

    ``function`` is a module's function or a ``functools.partial`` of one. At most ``2 * workers`` results
    wait to be taken, so that memory does not grow with the number of shards. ``what`` is being done is
    said beside a progress bar, on a terminal. Raises BadInput for an engine
    that is not known or not installed.

    >>> list(map_shards(len, ["a", "bc"]))
    [1, 2]
    """
    function = partial(_calmly, function)
    if engine == "ray":
        results = _on_ray(function, shards)
    elif engine != "local":
        raise BadInput(f"engine: expected local or ray, found {engine!r}")
    elif workers < 1:
        raise BadInput(f"workers: expected at least 1, found {workers}")
    elif workers == 1 or len(shards) < 2:
        results = map(function, shards)
    else:
        results = _in_processes(function, shards, workers)
    if what and len(shards) > 1 and sys.stderr.isatty():
        results = iter(track(results, what, len(shards), console=Console(stderr=True)))
    yield from results


def _calmly(function: Callable[[Shard], Result], shard: Shard) -> Result:
    """Call the function with a garbage collector that looks rarely: a shard makes many tuples, and no cycle."""
    gc.set_threshold(100_000, 20, 20)
    return function(shard)


def _in_processes(
    function: Callable[[Shard], Result], shards: Sequence[Shard], workers: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    with ProcessPoolExecutor(min(workers, len(shards)), mp_context=get_context("spawn")) as pool:
        try:
            for shard in shards:
                waiting.append(pool.submit(function, shard))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _on_ray(function: Callable[[Shard], Result], shards: Sequence[Shard]) -> Iterator[Result]:
    try:
        import ray.data  # noqa: PLC0415 - optional and heavy
    except ImportError as error:
        raise BadInput(
            'engine=ray needs Ray, which is not installed: pip install "onrecord[ray]"'
        ) from error
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    # Shards and results travel pickled: as columns, Ray would turn tuples into lists and tables into rows.
    items = [{"packed": pickle.dumps(shard)} for shard in shards]
    work = ray.data.from_items(items, override_num_blocks=max(1, len(items)))
    for row in work.map(_Packed(function)).iter_rows():
        yield pickle.loads(row["packed"])  # noqa: S301 - our own workers' results


class _Packed:
    """A function from shard to result as one from row to row, both pickled."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        shard = pickle.loads(row["packed"])  # noqa: S301 - pickled by us
        return {"packed": pickle.dumps(self.function(shard))}


def resumable(
    function: Callable[[Shard], pa.Table],
    shards: Sequence[Shard],
    *,
    folder: Path,
    about: object,
    engine: str = "local",
    workers: int = 1,
    what: str = "",
) -> Iterator[pa.Table]:
    """Yield the table ``function`` makes of each shard, in order, keeping what is done in ``folder``.

    ``about`` tells what the tables depend on besides the shard, such as the input's hash and the settings;
    anything that ``repr`` tells apart will do. A table kept under the same ``about`` is not made again. The
    folder goes when the last table has been taken.
    """
    names = [hashlib.sha256(repr((about, shard)).encode()).hexdigest()[:32] for shard in shards]
    folder.mkdir(parents=True, exist_ok=True)
    keep = partial(_keep, function=function, folder=str(folder.resolve()))
    work = list(zip(names, shards, strict=True))
    for name in map_shards(keep, work, engine=engine, workers=workers, what=what):
        with pq.ParquetFile(folder / f"{name}.parquet") as kept:  # read_table would import pandas
            table = kept.read()
        yield table
    shutil.rmtree(folder)


def _keep(named: tuple[str, Shard], *, function: Callable[[Shard], pa.Table], folder: str) -> str:
    name, shard = named
    path = Path(folder) / f"{name}.parquet"
    if not path.exists():
        with atomic(path) as temporary:
            pq.write_table(function(shard), temporary, compression="lz4")
    return name


def write_parquet_stream(path: str | Path, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
    """Write tables as the row groups of one Parquet file, one at a time; return the number of rows.

    The bytes depend on the tables and their order alone. An empty table gives no row group.
    """
    rows = 0
    with (
        atomic(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for table in tables:
            rows += table.num_rows
            if table.num_rows:
                writer.write_table(table.cast(schema), row_group_size=table.num_rows)
    return rows


def row_shards(path: str | Path, size: int) -> list[tuple[str, int, int]]:
    """Return ``(path, first, last)`` row ranges of at most ``size`` rows that cover a Parquet file, in order.

    Ranges never straddle a row group, so that reading one decodes no other.
    """
    shards = []
    begin = 0
    metadata = pq.read_metadata(path)
    for group in range(metadata.num_row_groups):
        end = begin + metadata.row_group(group).num_rows
        shards += [(str(path), at, min(at + size, end)) for at in range(begin, end, size)]
        begin = end
    return shards


def read_rows(
    shard: tuple[str, int, int], columns: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Return the rows of a shard of :func:`row_shards`."""
    path, first, last = shard
    begin = 0
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            if begin <= first < end:
                table = file.read_row_group(group, columns=columns)
                return list(table.slice(first - begin, last - first).to_pylist())
            begin = end
    return []
