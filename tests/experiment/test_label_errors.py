"""Likely label errors: planted ones come first, and the plan to read them again is blind."""

from dataclasses import replace

import numpy as np

from onrecord.core.files import read_jsonl
from onrecord.experiment.cross_validation import grouped_folds, out_of_fold
from onrecord.experiment.label_errors import rank_label_errors, recheck_plan

from .conftest import done, fit


def test_planted_errors_come_first(examples):
    generator = np.random.default_rng(4)
    planted = generator.choice(len(examples.frame), 30, replace=False)
    wrong = examples.labels.copy()
    wrong[planted] = (wrong[planted] + generator.integers(1, 3, 30)) % 3
    spoilt = replace(examples, frame=examples.frame.assign(label=wrong))
    held_out = out_of_fold(spoilt, grouped_folds(spoilt, 5, 1), fit)
    rows = rank_label_errors(spoilt, held_out.probabilities)
    ids = set(examples.frame["id"].iloc[planted])
    assert sum(row["id"] in ids for row in rows[:30]) >= 20
    assert [row["given"] for row in rows] == sorted(row["given"] for row in rows)


def test_doubts_are_a_page_and_a_blind_plan(runs, built, cli):
    where = f"workspace={built / 'ws'}"
    done(cli("label_errors", where, "run=tfidf_logreg", "annotators=[a,b]", "most=5", cwd=runs))
    doubts = read_jsonl(built / "ws" / "label_errors.jsonl")
    plan = read_jsonl(built / "ws" / "label_errors_plan.jsonl")
    assert len(plan) == 2 * len(doubts)
    assert {row["annotator"] for row in plan} == {"a", "b"}
    assert not any(row["suggestion_shown"] for row in plan)
    order = [r["sentence_id"] for r in recheck_plan(doubts, ["a"])]
    assert order == sorted(order)  # the order tells nothing of the doubt
    assert "Likely label errors" in (built / "ws" / "label_errors.html").read_text()
