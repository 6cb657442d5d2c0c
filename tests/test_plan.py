"""Who annotates what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.campaign.plan import annotator_names, plan_rows, task_id, to_annotate
from onrecord.records import BadInput, PlanRow, check_row

SENTENCES = [f"a{i // 10}:{i}-{i + 1}" for i in range(30)]


def test_everyone_annotates_everything_in_the_articles_order():
    rows = plan_rows(SENTENCES, ["annotator-1", "annotator-2"])
    assert [r["sentence_id"] for r in rows] == SENTENCES * 2
    assert [r["position"] for r in rows] == list(range(1, 31)) * 2
    assert len({r["task_id"] for r in rows}) == 60
    for row in rows:
        check_row(row, PlanRow, "row")


@given(st.integers(0, 10**6))
def test_a_plan_is_deterministic_from_its_seed(seed):
    assert plan_rows(SENTENCES, ["a"], order="shuffled", seed=seed) == plan_rows(
        SENTENCES, ["a"], order="shuffled", seed=seed
    )


def test_a_task_keeps_its_key_when_the_plan_grows():
    before = {r["task_id"] for r in plan_rows(SENTENCES[:20], ["annotator-1"])}
    after = {r["task_id"] for r in plan_rows(SENTENCES, ["annotator-1", "annotator-2"])}
    assert before < after
    assert task_id("main", "a", "b:0-1") != task_id("main", "a", "b:0-1", 1)


def test_furniture_is_left_out_unless_sent():
    rows = [
        {"sentence_id": "a:0-1", "furniture": "byline"},
        {"sentence_id": "a:2-3", "furniture": None},
    ]
    assert to_annotate(rows, send_furniture=False) == ["a:2-3"]
    assert to_annotate(rows, send_furniture=True) == ["a:0-1", "a:2-3"]


@pytest.mark.parametrize("annotators", [0, [], ["a", "a"], ["a b"], [""], -1])
def test_annotators_without_a_plain_name_of_their_own_are_refused(annotators):
    with pytest.raises(BadInput, match="annotators: expected"):
        annotator_names(annotators)
