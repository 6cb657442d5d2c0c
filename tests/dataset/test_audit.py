"""The audit catches planted leaks of each kind, and all of them; findings are figures, not impressions."""

import json
from pathlib import Path

import pytest

from onrecord.cli.app import main
from onrecord.core.leakage_units import near_same
from onrecord.dataset.splitting.audit import (
    cue_findings,
    cue_gain,
    label_findings,
    sentence_leaks,
    straddling,
)

RANK = {"train": 0, "validation": 1, "test": 2}
BASE = "The harbour council voted late on Monday to close the old ferry landing"


def leaks(rows: list[tuple[str, str]], **options) -> list[tuple[str, str, str]]:
    ids = [str(i) for i in range(len(rows))]
    texts, splits = [text for text, _ in rows], [split for _, split in rows]
    found = sentence_leaks(ids, near_same(texts, ids, **options), splits, RANK)
    return [(leak["kind"], leak["gone"], leak["stays"]) for leak in found]


@pytest.mark.parametrize(
    ("copy", "kind"),
    [
        pytest.param(BASE, "same", id="the same"),
        pytest.param(BASE.upper() + "!!", "same", id="case and points"),
        pytest.param("“" + BASE.replace(" ", "\u00a0") + ".”", "same", id="quotes and spaces"),
        pytest.param(BASE.replace("late", "early"), "near", id="a word changed"),
        pytest.param(BASE + " for good", "near", id="words added"),
        pytest.param(BASE.replace(" on Monday", ""), "near", id="words left out"),
        pytest.param(" ".join(reversed(BASE.split())), "near", id="the order changed"),
        pytest.param("The harbour council met and voted to keep the ferry", None, id="another sentence"),
    ],
)  # fmt: skip
def test_a_planted_copy_is_caught_and_the_one_in_train_goes(copy, kind):
    filler = [("Snow fell on the upper road through most of the night", "train")]
    assert leaks([(BASE, "train"), *filler, (copy, "test")]) == ([(kind, "0", "2")] if kind else [])
    assert leaks([(copy, "test"), *filler, (BASE, "train")]) == ([(kind, "2", "0")] if kind else [])
    assert leaks([(BASE, "train"), (copy, "train")]) == []


def test_short_sentences_repeat_by_chance():
    assert leaks([("He did not reply.", "train"), ("He did not reply.", "test")]) == []
    assert leaks([("He did not reply.", "train"), ("He did not reply.", "test")], min_words=4)


def test_of_three_splits_the_most_held_out_stays():
    found = leaks([(BASE, "train"), (BASE, "validation"), (BASE, "test"), (BASE, "test")])
    assert found == [("same", "0", "2"), ("same", "1", "2")]


ROW = {"target": "fares", "split": "train"}


def table(folder: Path, rows: list[dict]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(json.dumps(ROW | {"id": str(i)} | row) for i, row in enumerate(rows)), encoding="utf-8")  # fmt: skip
    return path


PLANTED = [
    {"text": BASE, "label": "a"},
    {"text": "Nothing else in this table reads at all like that", "label": "b"},
    {"text": BASE.replace("late", "early"), "label": "a", "split": "test"},
    {"text": "Fog held the morning boats in until a quarter past nine", "label": "b", "split": "test"},
]  # fmt: skip


@pytest.mark.parametrize(("policy", "status"), [("drop", 0), ("report", 0), ("fail", 1)])
def test_the_policy_on_leaks_is_followed_and_listed(tmp_path, policy, status, capsys):
    path = table(tmp_path, PLANTED)
    words = ["source=rows", f"rows={path}", "split=fixed", f"on_leak={policy}"]
    assert main(["build", f"workspace={tmp_path}/ws", *words]) == status
    audit = json.loads((tmp_path / "ws/audit.json").read_text(encoding="utf-8"))
    assert [(leak["kind"], leak["gone"], leak["stays"]) for leak in audit["sentences"]] == [("near", "0", "2")]  # fmt: skip
    assert audit["dropped"] == (["0"] if policy == "drop" else [])
    if status == 0:
        card = json.loads((tmp_path / "ws/dataset/dataset.json").read_text(encoding="utf-8"))
        assert card["counts"]["train"]["rows"] == (1 if policy == "drop" else 2)
    else:
        assert "1 near-same sentences" in capsys.readouterr().err


def test_an_article_in_two_splits_fails_whatever_the_policy(workspace, tmp_path, capsys):
    """Copies of one story that a file sends to two splits: the pair that must never be parted."""
    articles = ["a1", "a2", "b1", "c1", "d1", "e1", "f1", "g1"]
    lines = ["article_id,split", *(f"{a},{'test' if a == 'a2' else 'train'}" for a in articles)]
    (tmp_path / "splits.csv").write_text("\n".join(lines), encoding="utf-8")
    words = ("split=fixed", f"split.file={tmp_path / 'splits.csv'}", "on_leak=report")
    assert main(["build", f"workspace={workspace}", *words]) == 1
    assert "1 groups and 0 articles in two parts" in capsys.readouterr().err
    audit = json.loads((workspace / "audit.json").read_text(encoding="utf-8"))
    assert audit["groups"] == {"a1": ["test", "train"]}


def test_straddling_units_are_named():
    assert straddling(["a", "a", "b"], ["train", "test", "test"]) == {"a": ["test", "train"]}


def test_findings_name_missing_and_small_labels_by_training_rows():
    labels = ["x"] * 40 + ["y"] * 10 + ["y"] * 40
    groups = [str(i) for i in range(90)]
    splits = ["train"] * 50 + ["test"] * 40
    found = label_findings(labels, ["x", "y", "z"], groups, splits)
    assert [(f["kind"], f["figures"]["label"], f["figures"]["rows"]) for f in found] == [
        ("small", "y", 10), ("missing", "z", 0),
    ]  # fmt: skip


def test_an_outlet_that_gives_the_label_away_is_a_finding():
    labels = ["x", "y"] * 40
    outlets = ["X", "Y"] * 40
    groups = [str(i // 4) for i in range(80)]
    gain, accuracy, baseline = cue_gain(labels, outlets, groups)
    assert (accuracy, gain) == (1.0, 1.0 - baseline)
    assert [f["kind"] for f in cue_findings("outlet", outlets, labels, groups, 0.1)] == ["cue"]
    assert not cue_findings("outlet", ["X"] * 80, labels, groups, 0.1)
    # An outlet known from one group alone predicts nothing about other groups.
    alone = [f"O{g}" for g in groups]
    assert cue_gain(labels, alone, groups)[0] == 0
