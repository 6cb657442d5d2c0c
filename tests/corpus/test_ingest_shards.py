"""Running again reads and makes only what changed, resumes after SIGKILL, and gives the same bytes."""

import gzip
import json
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onrecord.cli import app
from onrecord.core.tables import shard_files
from onrecord.corpus import ingest_shards
from onrecord.corpus.readers import sources

COMMANDS = {"ingest": "articles", "segment": "sentences", "attribute": "speakers"}
QUOTE = "“We cannot go on like this, and every rider in the valley knows it,” Pell said."


def story(number: int, draw: random.Random) -> str:
    """Return an article whose words are its own, so that it is no other's copy."""
    drawn = ["".join(draw.choices("aeioulmnrst", k=6)) for _ in range(40)]
    said = " ".join(f"{' '.join(drawn[n : n + 5])}, said Ann Lee." for n in range(0, 40, 5))
    return f"Mayor Ida Pell spoke of route {number} on Monday.\n{said}\n{QUOTE}\nIt was {number}.\n"


def write(folder: Path, texts: dict[str, str]) -> Path:
    """Write articles as files, and return their folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def made(workspace: Path, source: Path, *words: str) -> dict[str, bytes]:
    """Run the three commands and return the bytes of every shard."""
    for command in COMMANDS:
        more = [f"articles={source}", "accept_changes=true"] if command == "ingest" else []
        assert app.main([command, f"workspace={workspace}", *more, *words]) == 0
    return output(workspace)


def output(workspace: Path) -> dict[str, bytes]:
    files = [f for name in COMMANDS.values() for f in shard_files(workspace / f"{name}.parquet")]
    return {str(file.relative_to(workspace)): file.read_bytes() for file in files}


def read_parts(monkeypatch) -> list[str]:
    """Return a list that the names of the parts that are read will be added to."""
    read, seen = ingest_shards.raw_articles, []

    def spy(part, *rest, **more):
        seen.append(part.name)
        return read(part, *rest, **more)

    monkeypatch.setattr(ingest_shards, "raw_articles", spy)
    return seen


def test_a_change_makes_its_shards_again_and_the_bytes_of_a_run_from_nothing(
    tmp_path, capsys, monkeypatch
):
    draw = random.Random(7)
    texts = {f"a{n:03}": story(n, draw) for n in range(150)}
    texts["b"] = texts["a077"] + "A line more."  # a copy
    source = write(tmp_path / "in", texts)
    first = made(tmp_path / "ws", source, "shard_size=16")
    assert len(first) == 30
    texts["a040"] = texts["a040"].replace("Ida Pell", "Ada Pell")
    texts["a077"] = texts["a077"].replace("Ida Pell", "Ada Pell")
    write(source, texts)
    capsys.readouterr()
    seen = read_parts(monkeypatch)
    again = made(tmp_path / "ws", source, "shard_size=16")
    assert seen == [f"a{n:03}.txt" for n in [*range(32, 48), *range(64, 80)]]
    done = re.findall(r"(\d+) of (\d+) shards made again", capsys.readouterr().out)
    assert done == [("2", "10"), ("3", "10")]  # a copy's speakers depend on the other's
    assert again == made(tmp_path / "new", source, "shard_size=16", "workers=2")
    texts["a040"], texts["a077"] = (texts[n].replace("Ada", "Ida") for n in ("a040", "a077"))
    assert made(tmp_path / "ws", write(source, texts), "shard_size=16") == first


def test_a_changed_line_leaves_the_other_ranges_of_a_table_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "RANGE", 5_000)
    rows = [{"id": f"a{n:03}", "text": story(n, random.Random(n))} for n in range(100)]
    table, workspace = tmp_path / "t.jsonl", tmp_path / "ws"

    def ingested() -> bytes:
        table.write_text("".join(json.dumps(row) + "\n" for row in rows))
        words = [f"articles={table}", f"workspace={workspace}", "accept_changes=true"]
        assert app.main(["ingest", *words]) == 0
        return (workspace / "articles.parquet").read_bytes()

    before = ingested()
    ranges = sources.line_ranges(table)
    assert b"".join(table.read_bytes()[a:b] for a, b in ranges) == table.read_bytes()
    assert all(5_000 <= b - a < 7_000 for a, b in ranges[:-1])
    seen = read_parts(monkeypatch)
    rows[50]["text"] += "!"
    assert ingested() != before
    assert len(seen) == 1


@pytest.mark.parametrize("kind", ["csv", "jsonl.gz", "parquet"])
def test_a_changed_table_gives_the_bytes_and_complaints_of_a_run_from_nothing(tmp_path, kind):
    rows = [{"id": f"a{n:03}", "text": f"Route {n} says no.\nAnd {n}."} for n in range(200)]
    table, workspace = tmp_path / f"t.{kind}", tmp_path / "ws"

    def ingested(workspace: Path) -> tuple[dict[str, bytes], str]:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        if kind == "parquet":
            pq.write_table(pa.Table.from_pylist(rows), table)
        elif kind == "jsonl.gz":
            table.write_bytes(gzip.compress(text.encode(), mtime=0))
        else:
            cells = [[row["id"], json.dumps(row["text"])] for row in rows]
            said = "\n".join(",".join(c) for c in [["id", "text"], *cells])
            table.write_text(said.replace("\\n", "\n"))
        words = [f"articles={table}", f"workspace={workspace}", "accept_changes=true"]
        assert app.main(["ingest", "on_error=skip", "shard_size=64", *words]) == 0
        files = shard_files(workspace / "articles.parquet")
        rejected = workspace / "rejected.jsonl"
        return {f.name: f.read_bytes() for f in files}, rejected.exists() and rejected.read_text()

    assert len(ingested(workspace)[0]) == 4
    rows[77] = {**rows[77], "text": "Route 77 says yes."}
    rows.insert(20, {"id": "new/one", "text": "An id that is refused, with its line."})
    rows.insert(30, dict(rows[25]))  # an id that is there twice
    again = ingested(workspace)
    assert again == ingested(tmp_path / "new")
    assert again[1].count("\n") == 2
    assert ingested(workspace) == again


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, Path, dict[str, bytes]]:
    """A workspace, where its articles are, and the bytes of its files."""
    folder, draw = tmp_path_factory.mktemp("whole"), random.Random(7)
    source = write(folder / "in", {f"a{n:03}": story(n, draw) for n in range(120)})
    return folder / "ws", source, made(folder / "ws", source, "shard_size=1")


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_in_the_middle_it_resumes_with_the_same_bytes(whole, capsys, command):
    workspace, source, before = whole
    path = workspace / f"{COMMANDS[command]}.parquet"
    shutil.rmtree(path)
    kind = "read" if command == "ingest" else "shards"
    kept, ending = workspace / f".{path.name}.{kind}", "*.json" if kind == "read" else "*.parquet"
    words = [f"workspace={workspace}", f"articles={source}", "shard_size=1"]
    process = subprocess.Popen([sys.executable, "-m", "onrecord", command, *words])
    while len(list(kept.glob(ending))) < 9 and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    assert process.wait() < 0
    assert not path.exists()
    done = {file.name for file in kept.glob(ending)}
    assert 9 <= len(done) < 120
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        seen = read_parts(patch)
        capsys.readouterr()
        assert app.main([command, *words]) == 0
    if command == "ingest":
        assert len(seen) == 120 - len(done)
    else:
        assert f"{120 - len(done)} of 120 shards made again" in capsys.readouterr().out
    assert output(workspace) == before
    assert not list(workspace.glob(".[!s]*"))  # but .steps.json
