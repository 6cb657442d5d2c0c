"""No group is ever on both sides of a fold."""

import json
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.cli.app import main
from onrecord.core.errors import BadInput
from onrecord.experiment.cross_validation import cross_validate, grouped_folds
from onrecord.experiment.data import Examples, read_examples

MAJORITY = {"classifier": {"_target_": "sklearn.dummy.DummyClassifier", "strategy": "prior"}}


def with_columns(examples: Examples, **columns) -> Examples:
    rows = len(next(iter(columns.values())))
    frame = examples.frame.iloc[:rows].assign(**columns).reset_index(drop=True)
    return replace(examples, frame=frame, soft=examples.soft[:rows])


@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), min_size=4, max_size=60),
    count=st.integers(2, 6),
)
@settings(deadline=None, max_examples=60)
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_groups_never_straddle_folds(examples, rows, count):
    groups, labels = (np.array(column) for column in zip(*rows, strict=True))
    part = with_columns(examples, group=groups, label=labels)
    if len(set(groups.tolist())) < 2:
        with pytest.raises(BadInput, match="at least two groups"):
            grouped_folds(part, count, 1)
        return
    folds = grouped_folds(part, count, 1)
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(len(rows)))
    for train, test in folds:
        assert not set(groups[train].tolist()) & set(groups[test].tolist())


def test_folds_of_the_dataset_are_followed_and_checked(examples):
    own = with_columns(examples, fold=[0, 0, 1, 1], group=["a", "a", "b", "c"])
    assert [test.tolist() for _, test in grouped_folds(own, 5, 1)] == [[0, 1], [2, 3]]
    torn = with_columns(examples, fold=[0, 0, 1, 1], group=["a", "a", "a", "c"])
    with pytest.raises(BadInput, match="the group 'a' is in two folds"):
        grouped_folds(torn, 5, 1)


def test_a_label_absent_from_a_fold_is_said_and_gets_no_probability(examples):
    part = with_columns(
        examples, fold=[0, 0, 1, 1], group=["a", "a", "b", "c"], label=np.array([0, 2, 0, 1])
    )
    held_out, cv = cross_validate(part, MAJORITY, folds=5, fold_by="group", soft=False, seed=1)
    assert held_out.fold.tolist() == [0, 0, 1, 1]
    absent = [fold["absent_from_training"] for fold in cv["folds"]]
    assert absent == [[examples.names[2]], [examples.names[1]]]
    assert held_out.probabilities[0, 2] == 0
    assert held_out.probabilities[2, 1] == 0


def test_a_story_of_two_outlets_is_not_learnt_from_where_it_is_tested(examples):
    part = with_columns(examples, group=["a", "a", "b", "c"], outlet=["x", "y", "x", "y"])
    held_out, cv = cross_validate(part, MAJORITY, folds=5, fold_by="outlet", soft=False, seed=1)
    assert (held_out.fold >= 0).all()
    assert [(fold["n_train"], fold["n_test"]) for fold in cv["folds"]] == [(1, 2), (1, 2)]


def test_folds_part_no_sentence_that_stands_in_several_groups(tmp_path):
    """Random labels cannot be learnt: they could be looked up, were a copy of the sentence in another fold."""
    draw = random.Random(1)
    rows = []
    for i in range(60):
        words = [f"word{draw.randrange(900)}" for _ in range(14)]
        label = draw.choice(["favor", "against"])
        for k in range(4):
            changed = [*words[:k], f"x{i}", *words[k + 1 :]] if k else words
            rows.append({"id": f"{i}-{k}", "text": " ".join(changed), "target": "t", "label": label, "group": f"g{i}-{k}"})  # fmt: skip
    table = tmp_path / "rows.jsonl"
    table.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert main(["build", "source=rows", f"rows={table}", f"workspace={tmp_path}/ws"]) == 0
    audit = json.loads((tmp_path / "ws/audit.json").read_text(encoding="utf-8"))
    assert (audit["units"], audit["sentences"]) == ({"groups": 240, "units": 60, "joined": 240}, [])
    examples = read_examples(tmp_path / "ws/dataset").development()
    origin = examples.frame["id"].str.partition("-")[0].to_numpy()
    for train, test in grouped_folds(examples, 5, 1):
        assert not set(origin[train]) & set(origin[test])
