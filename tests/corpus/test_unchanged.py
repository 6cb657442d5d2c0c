"""Running again does only what is still to be done: after a change, after SIGKILL, and with the same bytes."""

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
from onrecord.corpus import ingest_shards
from onrecord.corpus.readers import sources

VERBS = {"ingest": "articles", "segment": "sentences", "attribute": "speakers"}
QUOTE = "“We cannot go on like this, and every rider in the valley knows it,” Pell said."


def story(number: int, draw: random.Random) -> str:
    """Return an article whose words are its own, so that it is no other's copy."""
    drawn = ["".join(draw.choices("aeioulmnrst", k=6)) for _ in range(40)]
    said = " ".join(f"{' '.join(drawn[n : n + 5])}, said Ann Lee." for n in range(0, 40, 5))
    return f"Mayor Ida Pell spoke of route {number} on Monday.\n{said}\n{QUOTE}\nIt was {number}.\n"


def write(folder: Path, texts: dict[str, str], kind: str) -> Path:
    """Write articles as files or as one table; return where ``articles=`` finds them."""
    folder.mkdir(exist_ok=True)
    if kind == "jsonl":
        rows = [json.dumps({"id": name, "text": text}) for name, text in texts.items()]
        (folder / "in.jsonl").write_text("\n".join(rows))
        return folder / "in.jsonl"
    for file in folder.iterdir():
        if file.stem not in texts:
            file.unlink()
    for name, text in texts.items():
        file = folder / f"{name}.txt"
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
    return folder


def made(workspace: Path, source: Path, *words: str) -> dict[str, bytes]:
    for verb in VERBS:
        more = [f"articles={source}", "accept_changes=true"] if verb == "ingest" else []
        assert app.main([verb, f"workspace={workspace}", *more, *words]) == 0
    return {name: (workspace / f"{name}.parquet").read_bytes() for name in VERBS.values()}


def test_a_change_makes_little_anew_and_the_bytes_of_a_run_from_nothing(tmp_path, capsys):
    draw = random.Random(7)
    texts = {f"a{n:03}": story(n, draw) for n in range(150)}
    texts["copy"] = texts["a077"] + "A line more."
    source = write(tmp_path / "in", texts, "txt")
    made(tmp_path / "ws", source, "shard_size=32")
    texts["a077"] = texts["a077"].replace("Ida Pell", "Ada Pell")
    del texts["a010"]
    texts["a100b"] = story(500, draw)
    write(tmp_path / "in", texts, "txt")
    capsys.readouterr()
    again = made(tmp_path / "ws", source, "shard_size=32")
    done = re.findall(r"(\d+) of (\d+) pieces made anew", capsys.readouterr().out)
    assert len(done) == 2
    assert all(0 < int(some) < int(all_) / 2 for some, all_ in done)
    assert again == made(tmp_path / "new", source, "shard_size=32")


def test_a_line_more_leaves_the_other_ranges_of_a_table_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "RANGE", 20_000)
    texts = {f"a{n:03}": story(n, random.Random(n)) for n in range(400)}
    before = ranges(write(tmp_path / "in", texts, "jsonl"))
    texts = dict(sorted((texts | {"a200b": texts["a007"]}).items()))
    after = ranges(write(tmp_path / "in", texts, "jsonl"))
    assert b"".join(after) == (tmp_path / "in/in.jsonl").read_bytes()
    assert max(map(len, after)) < 21_000
    assert len(after) > 20
    assert len(set(after) - set(before)) <= 2


@pytest.mark.parametrize("kind", ["csv", "jsonl.gz", "parquet"])
def test_a_table_is_parsed_again_and_only_what_changed_is_made_anew(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(ingest_shards, "AT_ONCE", 32)
    rows = [{"id": f"a{n:03}", "text": f"Route {n} says no.\nAnd {n}."} for n in range(200)]
    table, workspace = tmp_path / f"t.{kind}", tmp_path / "ws"

    def ingested(workspace: Path) -> bytes:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        if kind == "parquet":
            pq.write_table(pa.Table.from_pylist(rows), table)
        elif kind == "jsonl.gz":
            table.write_bytes(gzip.compress(text.encode()))
        else:
            cells = [[row["id"], json.dumps(row["text"])] for row in rows]
            said = "\n".join(",".join(c) for c in [["id", "text"], *cells])
            table.write_text(said.replace("\\n", "\n"))
        words = [f"articles={table}", f"workspace={workspace}", "accept_changes=true"]
        assert app.main(["ingest", "on_error=skip", *words]) == 0
        return (workspace / "articles.parquet").read_bytes()

    ingested(workspace)
    before = {file.name for file in (workspace / ".ingest").glob("*.arrow")}
    rows[77] = {**rows[77], "text": "Route 77 says yes."}
    rows.insert(20, {"id": "new/one", "text": "An id that is refused, with its line."})
    again = ingested(workspace)
    after = {file.name for file in (workspace / ".ingest").glob("*.arrow")}
    assert len(before) > 12
    assert 1 <= len(after - before) <= 4
    refused = (workspace / "rejected.jsonl").read_text()
    assert again == ingested(tmp_path / "new")
    assert refused == (tmp_path / "new/rejected.jsonl").read_text()
    rows.insert(0, {"id": "first", "text": "It moves the line of the one that is refused."})
    ingested(workspace)
    moved = (workspace / "rejected.jsonl").read_text()
    ingested(tmp_path / "third")
    assert moved != refused
    assert moved == (tmp_path / "third/rejected.jsonl").read_text()


def ranges(table: Path) -> list[bytes]:
    data = table.read_bytes()
    return [data[first:last] for first, last in sources.line_ranges(table)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, Path, dict[str, bytes]]:
    """A workspace, where its articles are, and the bytes of its files."""
    folder, draw = tmp_path_factory.mktemp("whole"), random.Random(7)
    source = write(folder / "in", {f"a{n:03}": story(n, draw) for n in range(120)}, "txt")
    return folder / "ws", source, made(folder / "ws", source, "shard_size=1")


@pytest.mark.parametrize("verb", VERBS)
def test_killed_in_the_middle_it_goes_on_with_the_same_bytes(whole, capsys, verb):
    workspace, source, sources = whole
    path = workspace / f"{VERBS[verb]}.parquet"
    path.unlink()
    kept = workspace / ".ingest" if verb == "ingest" else path.with_name(f".{path.stem}")
    shutil.rmtree(kept, ignore_errors=True)
    words = [f"workspace={workspace}", f"articles={source}", "shard_size=1"]
    ending = "*.sketches" if verb == "ingest" else "*.arrow"
    process = subprocess.Popen([sys.executable, "-m", "onrecord", verb, *words])
    while len(list(kept.glob(ending))) < 9 and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    assert process.wait() < 0
    done = {file: file.stat().st_mtime_ns for file in kept.glob(ending)}
    assert 9 <= len(done) < 120
    capsys.readouterr()
    assert app.main([verb, *words]) == 0
    if verb == "ingest":  # the last may have been cut off before its note was written
        assert sum(file.stat().st_mtime_ns == at for file, at in done.items()) >= len(done) - 1
    else:
        assert f"{120 - len(done)} of 120 pieces made anew" in capsys.readouterr().out
    assert path.read_bytes() == sources[VERBS[verb]]
