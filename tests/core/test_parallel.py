"""Shards: one file or a folder, made again only where inputs changed, whole whenever a run is killed."""

import os
import sys
from functools import partial
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from onrecord.core.errors import BadInput
from onrecord.core.parallel import map_shards, shard_keys, write_shards
from onrecord.core.tables import read_parquet, table_from_rows

SCHEMA = pa.schema([("n", pa.int64())])
FILE_ACTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.link", "os.mkdir", "ctypes.dlsym"}


def numbers(shard: list[int], seen: Path | None = None):
    if seen is not None:
        with seen.open("a") as file:
            file.write(f"{shard} ")
    for number in shard:
        yield table_from_rows([{"n": number}], SCHEMA)


def write(path: Path, shards: list[list[int]], function=numbers, **how) -> tuple[int, int]:
    keys = shard_keys(shards, "settings", SCHEMA)
    return write_shards(path, function, shards, SCHEMA, keys=keys, **how)


def rows(path: Path) -> list[int]:
    return read_parquet(path, SCHEMA)["n"].to_pylist()


def contents(path: Path) -> dict[str, bytes]:
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.parametrize("engine", ["spark", ""])
def test_unknown_engines_are_refused(engine):
    with pytest.raises(BadInput, match="local or ray"):
        list(map_shards(len, ["a"], engine=engine))


def test_an_error_in_a_worker_reaches_the_caller():
    with pytest.raises(TypeError):
        list(map_shards(len, [1, 2, 3], workers=2))


def test_one_shard_is_a_file_and_more_are_a_folder_in_order(tmp_path):
    path = tmp_path / "t.parquet"
    assert write(path, []) == (0, 0)
    assert path.is_file()
    assert rows(path) == []
    assert write(path, [[3, 1]]) == (2, 1)
    assert path.is_file()
    shards = [[n, n + 1] for n in range(30, 0, -2)]
    assert write(path, shards) == (30, 15)
    assert path.is_dir()
    assert rows(path) == [*chain(*shards)]
    assert pd.read_parquet(path)["n"].tolist() == [*chain(*shards)]
    assert write(path, [[3, 1]]) == (2, 1)
    assert path.is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


def test_only_changed_shards_are_made_and_history_changes_no_byte(tmp_path):
    path, new = tmp_path / "t.parquet", tmp_path / "new.parquet"
    seen = tmp_path / "seen"
    spy = partial(numbers, seen=seen)
    write(path, [[1], [2], [3]])
    first = contents(path)
    assert write(path, [[1], [2, 2], [4], [3]], spy) == (5, 2)
    assert seen.read_text() == "[2, 2] [4] "
    write(new, [[1], [2, 2], [4], [3]])
    assert contents(path) == contents(new)
    write(path, [[1], [2], [3]])
    assert contents(path) == first
    seen.unlink()
    assert write(path, [[1], [2], [3]], spy) == (3, 0)
    assert not seen.exists()


def test_equal_shards_are_both_there(tmp_path):
    path = tmp_path / "t.parquet"
    assert write(path, [[1], [1], [1]]) == (3, 3)
    assert rows(path) == [1, 1, 1]


def test_an_error_leaves_the_old_output_and_what_is_done(tmp_path):
    path = tmp_path / "t.parquet"
    write(path, [[1]])
    with pytest.raises(pa.ArrowException):
        write(path, [[1], [2], ["no number"], [3]])
    assert rows(path) == [1]
    assert write(path, [[1], [2], [3]]) == (3, 1)
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


def test_an_output_that_is_damaged_or_of_another_form_is_made_again(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1 half of it")
    assert write(path, [[1], [2]]) == (2, 2)
    (path / "00000-x.parquet").write_bytes(b"")
    assert write(path, [[1], [2]]) == (2, 0)
    assert rows(path) == [1, 2]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param([[1], [2]], [[1], [3], [2]], id="folder to folder"),
        pytest.param([[1]], [[1], [2]], id="file to folder"),
        pytest.param([[1], [2]], [[2]], id="folder to file"),
        pytest.param([[1]], [[2]], id="file to file"),
        pytest.param(None, [[1], [2]], id="nothing to folder"),
    ],
)
def test_killed_at_any_moment_the_output_is_the_old_or_the_new_one(tmp_path, old, new):
    whole = tmp_path / "whole" / "t.parquet"
    write(whole, new)
    for moment in range(1, 500):
        path = tmp_path / str(moment) / "t.parquet"
        if old:
            write(path, old)
        ended = killed_at(moment, path, new)
        if old or path.exists():
            assert rows(path) in ([*chain(*(old or new))], [*chain(*new)])
        write(path, new)
        assert contents(path) == contents(whole)
        assert [p.name for p in path.parent.iterdir()] == ["t.parquet"]
        if ended:
            return
    pytest.fail("the run never ended")


def killed_at(moment: int, path: Path, shards: list[list[int]]) -> bool:
    """Write in a process that dies before its n-th act on the file system; return whether it came to its end."""
    child = os.fork()
    if not child:
        acts = 0

        def die(event: str, _: object) -> None:
            nonlocal acts
            if event in FILE_ACTS:
                acts += 1
                if acts == moment:
                    os._exit(9)

        sys.addaudithook(die)
        write(path, shards)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
