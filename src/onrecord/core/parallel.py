"""One function over many shards, in the shards' order: in this process, in several, or on a Ray cluster.

A shard is whatever its function takes; it must pickle, and so must the result. :func:`write_shards` writes
what the function makes of each as a Parquet file: only shards whose inputs changed are made again, and an
interrupted run resumes.
"""

import gc
import hashlib
import pickle
import shutil
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.files import put_in_place, remove
from onrecord.core.tables import shard_files, write_row_groups

KEY = b"onrecord.shard"  # in a shard's metadata: the hash of all that it was made from
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
    are held, so that memory does not grow with the number of shards. On a terminal a progress bar shows
    ``what`` is being done. Raises BadInput for an engine that is not known or not installed.

    >>> list(map_shards(len, ["a", "bc"]))
    [1, 2]
    """
    function = partial(_with_relaxed_gc, function)
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
    pa.default_memory_pool().release_unused()


def _with_relaxed_gc(function: Callable[[Shard], Result], shard: Shard) -> Result:
    """Call the function with a relaxed garbage collector: shards create many tuples but no reference cycles."""
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


def shard_keys(contents: Iterable[object], about: object, schema: pa.Schema) -> list[str]:
    """Return the key of each shard: a hash of its ``contents`` and of ``about``, what all shards depend on.

    Both are compared by their ``repr``; ``about`` has settings, rules and versions of libraries. Shards of
    the same content get different keys.
    """
    seen = Counter[str]()
    keys = []
    for content in contents:
        named = repr((about, str(schema), content))
        seen[named] += 1
        keys.append(hashlib.sha256(f"{seen[named]} {named}".encode()).hexdigest()[:32])
    return keys


def shards_to_make(path: Path, keys: Iterable[str]) -> set[str]:
    """Return those of the keys that :func:`write_shards` would have to make."""
    return {*keys} - _shards_by_key(path).keys() - _shards_by_key(_work_folder(path)).keys()


def write_shards(
    path: Path,
    function: Callable[[Shard], Iterable[pa.Table]],
    shards: Sequence[Shard],
    schema: pa.Schema,
    *,
    keys: Sequence[str],
    engine: str = "local",
    workers: int = 1,
    what: str = "",
) -> tuple[int, int]:
    """Write what ``function`` makes of each shard; return the number of rows and of the shards made now.

    ``path`` becomes one Parquet file for one shard (or none), else a folder of files ``00003-KEY.parquet`` in
    the order of ``shards``. ``function`` yields the tables that become a shard's row groups. Workers write the
    files, each under a temporary name until it is whole; only keys and counts come back. ``keys``, from
    :func:`shard_keys`, differ from one another.

    A shard whose key the output at ``path`` has already is linked from there, and one that an interrupted run
    finished is taken as it is. The new output takes the place of the old one in one step.
    """
    work = _work_folder(path)
    if not work.is_dir():
        remove(
            work
        )  # an old output, as one in the folder is: its run was killed after the new took its place
    for old in (p for p in work.glob("*") if p.is_dir()):
        remove(old)
    work.mkdir(parents=True, exist_ok=True)
    earlier, done = _shards_by_key(path), _shards_by_key(work)
    for key in {*keys} & earlier.keys() - done.keys():
        _link(earlier[key], work / f"{key}.parquet")
    todo = [(key, s) for key, s in zip(keys, shards, strict=True) if key not in earlier | done]
    write = partial(_write_shard, function=function, schema=schema, folder=str(work.resolve()))
    for _ in map_shards(write, todo, engine=engine, workers=workers, what=what):
        pass
    if not keys:
        _write_shard(("none", None), function=lambda _: [], schema=schema, folder=str(work))
    names = _name_in_order(work, keys or ["none"])
    rows = sum(pq.read_metadata(work / name).num_rows for name in names)
    put_in_place(work if len(names) > 1 else work / names[0], path)
    remove(work)
    return rows, len(todo)


def _work_folder(path: Path) -> Path:
    return path.with_name(f".{path.name}.shards")


def _shards_by_key(path: Path) -> dict[str, Path]:
    """Return the shards of an output by key; nothing of one that is not there or not of this form."""
    found = {}
    for file in shard_files(path):
        try:
            metadata = pq.read_metadata(file).metadata or {}
        except (OSError, pa.ArrowException):
            continue
        if KEY in metadata:
            found[metadata[KEY].decode()] = file
    return found


def _link(file: Path, name: Path) -> None:
    try:
        name.hardlink_to(file)
    except OSError:  # a file system without hard links
        shutil.copyfile(file, name)


def _write_shard(
    work: tuple[str, Shard],
    *,
    function: Callable[[Shard], Iterable[pa.Table]],
    schema: pa.Schema,
    folder: str,
) -> None:
    key, shard = work
    write_row_groups(Path(folder) / f"{key}.parquet", function(shard), schema, {KEY: key.encode()})


def _name_in_order(work: Path, keys: Sequence[str]) -> list[str]:
    """Name the shards so that they sort in their order, remove all else in the folder, and return the names."""
    files = _shards_by_key(work)
    width = max(5, len(str(len(keys))))
    names = [f"{at:0{width}}-{key}.parquet" for at, key in enumerate(keys)]
    for key, name in zip(keys, names, strict=True):
        files[key].rename(work / name)
    for other in {*work.iterdir()} - {work / name for name in names}:
        remove(other)
    return names
