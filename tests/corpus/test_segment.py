"""Articles to sentences, on every engine the same bytes; shards that cover a table; streams of row groups."""

import os
import subprocess
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.cli.app import main
from onrecord.core.errors import BadInput
from onrecord.core.parallel import map_shards, resumable
from onrecord.core.records import ARTICLES, SENTENCES, parse_sentence_id
from onrecord.core.tables import read_rows, row_shards, write_parquet_stream
from onrecord.corpus.furniture.furniture import mark
from onrecord.corpus.segment import sentences
from onrecord.corpus.splitter import make

ROOT = Path(__file__).parents[2]
SPLIT = make(yaml.safe_load((ROOT / "conf/splitter/english.yaml").read_text("utf-8")))


def rows(text: str, furniture: list[dict] | None = None) -> list[dict]:
    article = {"article_id": "a", "group_id": "g", "text": text, "furniture": furniture}
    return [dict(zip(SENTENCES.names, row, strict=True)) for row in sentences(article, SPLIT)]


def test_rows_of_an_article():
    text = "Buses to be free\n\n(Ana Roe, The Ledger) It rained. It poured.\nCOMMENTS"
    found = rows(text, mark(text))
    assert [(r["paragraph"], r["text"], r["furniture"]) for r in found] == [
        (0, "Buses to be free", None),  # a headline says something: it is annotated
        (1, "(Ana Roe, The Ledger)", "byline"),
        (1, "It rained.", None),
        (1, "It poured.", None),
        (2, "COMMENTS", "comments"),
    ]
    assert [r["index"] for r in found] == [0, 1, 2, 3, 4]
    assert found[2]["sentence_id"] == "a:40-50"
    assert {r["group_id"] for r in found} == {"g"}


@settings(deadline=None)
@given(st.text(), st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9))))
def test_rows_are_spans_of_the_text_whatever_is_marked(text, marks):
    furniture = [{"start": s, "end": s + n, "kind": "promo"} for s, n in sorted(marks)]
    at = 0
    for row in rows(text, furniture):
        assert at <= row["start"] < row["end"]
        assert text[row["start"] : row["end"]] == row["text"] == row["text"].strip()
        assert parse_sentence_id(row["sentence_id"]) == ("a", row["start"], row["end"])
        at = row["end"]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for n in range(23):
        (tmp_path / f"in/a{n:02}.txt").write_text(
            f"Article {n}. It says “{'yes. No' * (n % 5)}”.\n\nThe end.\n" * n + "."
        )
    assert (
        main(["ingest", f"articles={tmp_path}/in", f"workspace={tmp_path}/ws", "shard_size=4"]) == 0
    )
    return tmp_path / "ws"


def segmented(workspace: Path, *words: str) -> bytes:
    assert main(["segment", f"workspace={workspace}", *words]) == 0
    return (workspace / "sentences.parquet").read_bytes()


def test_every_number_of_workers_gives_the_same_bytes(workspace):
    one = segmented(workspace, "shard_size=4")
    assert segmented(workspace, "shard_size=4", "workers=2") == one
    assert pq.read_table(workspace / "sentences.parquet").schema.equals(SENTENCES)


def test_ray_gives_the_same_bytes(workspace):
    pytest.importorskip("ray", reason="Ray is for clusters and not in the lock")
    assert segmented(workspace, "engine=ray", "shard_size=9") == segmented(
        workspace, "shard_size=9"
    )
    before = (workspace / "articles.parquet").read_bytes()
    again = [
        f"articles={workspace.parent}/in",
        f"workspace={workspace}",
        "shard_size=4",
        "engine=ray",
    ]
    assert main(["ingest", *again]) == 0
    assert (workspace / "articles.parquet").read_bytes() == before


def test_without_ray_the_engine_says_so(workspace, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    monkeypatch.setitem(__import__("sys").modules, "ray.data", None)
    assert main(["segment", f"workspace={workspace}", "engine=ray"]) == 2
    assert 'pip install "onrecord[ray]"' in capsys.readouterr().err


def test_segment_before_ingest_names_the_verb(tmp_path, capsys):
    assert main(["segment", f"workspace={tmp_path}"]) == 2
    assert "run `onrecord ingest` first" in capsys.readouterr().err


def test_another_splitter_is_a_file(workspace):
    segmented(workspace, "splitter=lines")
    texts = pq.read_table(workspace / "sentences.parquet")["text"].to_pylist()
    assert "The end." in texts
    assert any(t.startswith("Article 3. It says") for t in texts)


@pytest.mark.parametrize("engine", ["spark", ""])
def test_unknown_engines_are_refused(engine):
    with pytest.raises(BadInput, match="local or ray"):
        list(map_shards(len, ["a"], engine=engine))


def test_an_error_in_a_worker_reaches_the_caller():
    with pytest.raises(TypeError):
        list(map_shards(len, [1, 2, 3], workers=2))


def table_of(number: int, seen: Path) -> pa.Table:
    with seen.open("a") as file:
        file.write(f"{number} ")
    if number == 3 and len(seen.read_text().split()) == 4:
        raise KeyboardInterrupt
    return pa.table({"n": [number]})


def test_interrupted_work_goes_on_where_it_stopped(tmp_path):
    seen = tmp_path / "seen"
    how = {"folder": tmp_path / "kept", "about": "settings"}
    with pytest.raises(KeyboardInterrupt):
        list(resumable(partial(table_of, seen=seen), range(6), **how))
    tables = list(resumable(partial(table_of, seen=seen), range(6), **how))
    assert [t["n"][0].as_py() for t in tables] == [0, 1, 2, 3, 4, 5]
    assert seen.read_text().split() == ["0", "1", "2", "3", "3", "4", "5"]
    assert not (tmp_path / "kept").exists()


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=5), st.integers(1, 7))
def test_shards_cover_a_table_in_order(tmp_path_factory, groups, size):
    path = tmp_path_factory.mktemp("t") / "t.parquet"
    schema = pa.schema([("n", pa.int64())])
    parts = [pa.table({"n": list(range(10 * i, 10 * i + n))}, schema) for i, n in enumerate(groups)]
    assert write_parquet_stream(path, iter(parts), schema) == sum(groups)
    shards = row_shards(path, size)
    assert all(0 < last - first <= size for _, first, last in shards)
    read = [n for shard in shards for n in read_rows(shard)["n"].to_pylist()]
    assert read == pq.read_table(path)["n"].to_pylist()


def test_what_a_killed_run_left_half_written_goes_and_what_another_writes_stays(tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    left, others = tmp_path / f".t.{dead.pid}.tmp", tmp_path / f".t.{os.getppid()}.tmp"
    left.write_text("half")
    others.write_text("half")
    write_parquet_stream(tmp_path / "t", [], ARTICLES)
    assert sorted(tmp_path.iterdir()) == [others, tmp_path / "t"]


def test_a_stream_that_fails_leaves_what_was_there(tmp_path):
    def broken():
        yield pa.Table.from_pylist([{"article_id": "a"}], ARTICLES)
        raise BadInput("stop")

    (tmp_path / "t").write_text("old")
    with pytest.raises(BadInput):
        write_parquet_stream(tmp_path / "t", broken(), ARTICLES)
    assert (tmp_path / "t").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["t"]
