"""Articles to sentences: exact spans, and the same bytes on every engine."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.cli.app import main
from onrecord.core.records import SENTENCES, parse_sentence_id
from onrecord.core.tables import shard_files
from onrecord.corpus.furniture.furniture import mark
from onrecord.corpus.segment import sentences
from onrecord.corpus.splitter import make_splitter

ROOT = Path(__file__).parents[2]
SPLIT = make_splitter(yaml.safe_load((ROOT / "conf/splitter/english.yaml").read_text("utf-8")))


def rows(text: str, furniture: list[dict] | None = None) -> list[dict]:
    article = {"article_id": "a", "group_id": "g", "text": text, "furniture": furniture}
    return sentences(article, SPLIT)


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


def segmented(workspace: Path, *words: str) -> dict[str, bytes]:
    assert main(["segment", f"workspace={workspace}", *words]) == 0
    return {p.name: p.read_bytes() for p in shard_files(workspace / "sentences.parquet")}


def test_every_number_of_workers_gives_the_same_bytes(workspace):
    one = segmented(workspace, "shard_size=4")
    assert len(one) == 6
    shutil.rmtree(workspace / "sentences.parquet")
    assert segmented(workspace, "shard_size=4", "workers=2") == one
    assert segmented(workspace, "shard_size=4", "workers=2", "splitter=lines") != one
    assert segmented(workspace, "shard_size=4") == one
    assert pq.read_table(workspace / "sentences.parquet").schema.equals(SENTENCES)


def test_ray_gives_the_same_bytes(workspace):
    pytest.importorskip("ray", reason="Ray is for clusters and not in the lock")
    one = segmented(workspace, "engine=ray", "shard_size=4")
    shutil.rmtree(workspace / "sentences.parquet")
    assert segmented(workspace, "shard_size=4") == one
    articles = workspace / "articles.parquet"
    before = [p.read_bytes() for p in shard_files(articles)]
    shutil.rmtree(articles)
    again = [
        f"articles={workspace.parent}/in",
        f"workspace={workspace}",
        "shard_size=4",
        "engine=ray",
    ]
    assert main(["ingest", *again]) == 0
    assert [p.read_bytes() for p in shard_files(articles)] == before


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
