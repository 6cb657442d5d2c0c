"""One function over many shards, in the shards' order: in this process, in several, or on a Ray cluster.

A shard is whatever its function takes; it must pickle, and so must the result. :func:`resumable` keeps each
shard's rows in a file of their own until all are there, so that a run that was interrupted goes on;
:func:`update` also takes from an earlier output what has not changed since.
"""

import gc
import hashlib
import json
import pickle
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.files import atomic, swept
from onrecord.core.tables import HOW_WRITTEN, as_schema, opened, read_arrow, write_arrow

KEPT = ".arrow"  # the ending of a piece's file
PIECES = b"onrecord.pieces"  # in a Parquet file's metadata: the name and the rows of each row group
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
        from rich.console import Console  # noqa: PLC0415 - slow to import, and only a terminal needs it
        from rich.progress import track  # noqa: PLC0415

        results = iter(track(results, what, len(shards), console=Console(stderr=True)))
    yield from results
    pa.default_memory_pool().release_unused()  # what comes next need not stand on top of it


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
    names = names_of(shards, about)
    folder.mkdir(parents=True, exist_ok=True)
    keep = partial(_keep, function=function, folder=str(folder.resolve()))
    work = list(zip(names, shards, strict=True))
    for name in map_shards(keep, work, engine=engine, workers=workers, what=what):
        yield read_arrow(folder / f"{name}{KEPT}")
    shutil.rmtree(folder)


def _keep(named: tuple[str, Shard], *, function: Callable[[Shard], pa.Table], folder: str) -> str:
    name, shard = named
    path = Path(folder) / f"{name}{KEPT}"
    if not path.exists():
        write_arrow(path, function(shard))
    return name


def pieces_of(path: Path, schema: pa.Schema) -> dict[str, int | None]:
    """Return the names of the pieces that :func:`update` made a file of: each one's row group, None if empty."""
    try:
        with pq.ParquetFile(path) as file:
            said = (file.metadata.metadata or {}).get(PIECES, b"[]")
            if not file.schema_arrow.equals(schema):
                return {}
    except (OSError, pa.ArrowException):
        return {}
    places = count()
    return {name: next(places) if rows else None for name, rows in json.loads(said)}


def names_of(keys: Iterable[object], about: object) -> list[str]:
    """Return the names of pieces of work: hashes of their keys and of what else their rows depend on."""
    return [hashlib.sha256(repr((about, key)).encode()).hexdigest()[:32] for key in keys]


def waiting(path: Path, names: Iterable[str], schema: pa.Schema) -> set[str]:
    """Return those of the names that :func:`update` would have to make."""
    known, folder = pieces_of(path, schema), _beside(path)
    return {n for n in names if n not in known and not (folder / f"{n}{KEPT}").exists()}


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.stem}")


def update(
    path: Path,
    function: Callable[[Shard], pa.Table],
    shards: Sequence[Shard],
    schema: pa.Schema,
    *,
    names: Sequence[str],
    engine: str = "local",
    workers: int = 1,
    what: str = "",
    taken: Callable[[pa.Table], None] = lambda table: None,
) -> tuple[int, int]:
    """Write the tables that ``function`` makes of the shards as the row groups of one Parquet file.

    ``names`` tell by content what each table depends on. A table whose name the file at ``path`` bears already
    is taken from there and not made again; the others are kept in a folder beside it until all are there, so
    that a run that was interrupted goes on. The bytes depend on the tables and their names alone. ``taken``
    sees every table. Returns the number of rows, and of the tables that had to be made.
    """
    known, todo = pieces_of(path, schema), len(waiting(path, names, schema))
    folder = _beside(path)
    fresh = [(n, shard) for n, shard in zip(names, shards, strict=True) if n not in known]
    folder.mkdir(parents=True, exist_ok=True)
    keep = partial(_keep, function=function, folder=str(folder.resolve()))
    made = map_shards(keep, fresh, engine=engine, workers=workers, what=what)
    written: list[tuple[str, int]] = []
    with atomic(swept(path)) as temporary, ExitStack() as stack:
        before = stack.enter_context(opened(path)) if known else None
        writer = stack.enter_context(pq.ParquetWriter(temporary, schema, **HOW_WRITTEN))
        for name in names:
            if before is None or name not in known:
                table = read_arrow(folder / f"{next(made)}{KEPT}")
            else:
                place = known[name]
                table = (
                    schema.empty_table()
                    if place is None
                    else before.read_row_group(place, use_threads=False)
                )
            if table.num_rows:
                writer.write_table(as_schema(table, schema), row_group_size=table.num_rows)
            written.append((name, table.num_rows))
            taken(table)
        writer.add_key_value_metadata({PIECES.decode(): json.dumps(written)})
    shutil.rmtree(folder)
    return sum(rows for _, rows in written), todo
