"""A model over a campaign's sentences, and how common each label is."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.core.records import SENTENCES, sentence_id
from onrecord.core.tables import read_parquet, write_parquet
from onrecord.experiment.predict import sentence_frame, shards_by_article
from onrecord.experiment.quantification import adjusted_shares, estimate_prevalence

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


def test_predictions_and_prevalence(campaign, cli):
    told = done(cli("predict", "workspace=ws", "run=run", "target=free buses", cwd=campaign))
    assert "labels describe sentences" in told
    found = pq.read_table(campaign / "ws" / "predictions.parquet")
    assert found.column_names == ["id", "predicted", *NAMES]
    wanted = [r["sentence_id"] for r in sentences(table(seed=2)) if r["furniture"] is None]
    assert sorted(found["id"].to_pylist()) == sorted(wanted)
    prevalence = json.loads((campaign / "ws" / "prevalence.json").read_text())
    labels = prevalence["overall"]["labels"]
    assert sum(share["adjusted"] for share in labels.values()) == pytest.approx(1)
    for share in labels.values():
        assert share["low"] <= 1 / 3 <= share["high"]


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


@given(
    shares=st.lists(st.floats(0.05, 1), min_size=3, max_size=3),
    right=st.lists(st.floats(0.5, 1), min_size=3, max_size=3),
)
def test_adjusting_undoes_the_confusion(shares, right):
    true = np.array(shares) / sum(shares)
    rates = np.array(
        [[r if i == j else (1 - r) / 2 for j in range(3)] for i, r in enumerate(right)]
    )
    assert adjusted_shares(100 * rates, true @ rates) == pytest.approx(true, abs=1e-6)


def test_a_label_without_gold_is_not_adjusted(campaign):
    checked = pq.read_table(campaign / "run" / "out_of_fold.parquet").to_pandas()
    frame = checked.assign(group=checked["group_id"], outlet="", speaker="")
    found = estimate_prevalence(frame, checked[checked["label"] != "favor"], NAMES, replicates=50, seed=1)  # fmt: skip
    assert found["overall"]["labels"]["favor"]["adjusted"] is None
    assert "no gold" in found["overall"]["reason"]
