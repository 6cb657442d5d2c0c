"""A model over a campaign's sentences, and how common each label is."""

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.core.records import SENTENCES, sentence_id
from onrecord.core.tables import read_parquet, write_parquet
from onrecord.experiment.predict import sentence_frame, shards_by_article

from .conftest import done, table

NAMES = ("against", "favor", "neutral")


def sentences(rows):
    """Rows of ``table`` as sentences of articles of four, the first of each article furniture."""
    made, start = [], 0
    for i, row in enumerate(rows):
        end = start + len(row["text"])
        made.append(
            {"sentence_id": sentence_id(row["group"], start, end), "article_id": row["group"],
             "group_id": row["group"], "index": i % 4, "paragraph": 0, "start": start, "end": end,
             "text": row["text"], "furniture": "byline" if i % 4 == 0 else None}
        )  # fmt: skip
        start = end + 1
    return made


@pytest.fixture(scope="module")
def campaign(built, cli, tmp_path_factory):
    """A workspace with sentences, beside a run trained on the table."""
    folder = tmp_path_factory.mktemp("campaign")
    done(cli("train", "model=tfidf_nb", f"workspace={built / 'ws'}", "run=run", cwd=folder))
    write_parquet(folder / "ws" / "sentences.parquet", sentences(table(seed=2)), SENTENCES)
    return folder


def test_every_sentence_that_is_no_furniture_is_predicted(campaign, cli):
    printed = done(cli("predict", "workspace=ws", "run=run", "target=free buses", cwd=campaign))
    assert "uncorrected" in printed
    found = pq.read_table(campaign / "ws" / "predictions.parquet")
    assert found.column_names == ["id", "predicted", *NAMES]
    wanted = [r["sentence_id"] for r in sentences(table(seed=2)) if r["furniture"] is None]
    assert sorted(found["id"].to_pylist()) == sorted(wanted)
    source = json.loads((campaign / "ws" / "predictions.json").read_text())
    assert (source["question"], source["target"], source["folder"]) == (
        "label",
        "free buses",
        "run",
    )


def test_processes_and_shards_give_the_same_rows(campaign, cli):
    words = ("predict", "workspace=ws", "run=run", "target=free buses")
    done(cli(*words, cwd=campaign))
    path = campaign / "ws" / "predictions.parquet"
    before = path.read_bytes()
    rows = pq.read_table(path).to_pylist()
    done(cli(*words, "workers=2", "shard_size=50", cwd=campaign))
    assert len([*path.iterdir()]) > 1
    assert pq.read_table(path).to_pylist() == rows
    done(cli(*words, cwd=campaign))
    assert path.read_bytes() == before
    assert not list(path.parent.glob(".predictions*"))


def test_ray_gives_the_same_bytes(campaign, cli, onrecord_process):
    pytest.importorskip("ray", reason="Ray is for clusters and not in the lock")
    words = ("predict", "workspace=ws", "run=run", "target=free buses")
    done(cli(*words, cwd=campaign))
    before = (campaign / "ws" / "predictions.parquet").read_bytes()
    done(onrecord_process(*words, "engine=ray", "target=others", cwd=campaign))
    done(onrecord_process(*words, "engine=ray", cwd=campaign))
    assert (campaign / "ws" / "predictions.parquet").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("workspace=nowhere", "run=run"), "run `onrecord segment` first"),
        (("workspace=ws", "run=gone"), "no such run"),
        (("workspace=ws",), "run `onrecord build` first"),
        (("workspace=ws", "run=run", "workers=0"), "workers: expected a number above 0"),
    ],
)
def test_bad_input_is_one_line(campaign, cli, words, complaint):
    refused = cli("predict", *words, cwd=campaign)
    assert refused.returncode == 2
    assert complaint in refused.stderr


def test_context_stays_within_the_article(campaign):
    read = read_parquet(campaign / "ws" / "sentences.parquet", SENTENCES)
    frame = sentence_frame(read, None, {}, "t", context=2)
    text = dict(zip(frame["id"], frame["text"], strict=True))
    for _, part in frame.groupby("article"):
        ids = list(part["id"])
        assert part["before"].tolist() == ["", text[ids[0]], f"{text[ids[0]]} {text[ids[1]]}"]
        assert part["after"].tolist() == [f"{text[ids[1]]} {text[ids[2]]}", text[ids[2]], ""]


@given(size=st.integers(1, 500))
@settings(deadline=None)
def test_shards_never_part_an_article(campaign, size):
    read = read_parquet(campaign / "ws" / "sentences.parquet", SENTENCES)
    frame = sentence_frame(read, None, {}, "t", context=0)
    shards = shards_by_article(frame, size)
    assert sum(map(len, shards)) == len(frame)
    articles = [a for s in shards for a in sorted(set(s["article"]))]
    assert len(articles) == len(set(articles))
