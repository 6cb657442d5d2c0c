"""Runs side by side, the learning curve, and labels in doubt."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl
from onrecord.experiment import curve
from onrecord.experiment.cross_validation import grouped_folds, out_of_fold
from onrecord.experiment.label_errors import rank_label_errors, recheck_plan
from onrecord.experiment.models.registry import fit_model, make_model

from .conftest import NB, WORDS, done, table


def fit(part):
    return fit_model(make_model({"features": WORDS, "classifier": NB}), part)


@pytest.fixture(scope="module")
def runs(built, cli, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    for model in ("majority", "tfidf_logreg", "tfidf_nb"):
        done(
            cli("train", f"model={model}", f"workspace={built / 'ws'}", f"run={model}", cwd=folder)
        )
        done(cli("evaluate", f"workspace={built / 'ws'}", f"run={model}", cwd=folder))
    return folder


def test_runs_are_compared_by_group_first(runs, cli):
    told = done(cli("compare", "runs=tfidf_logreg,majority,tfidf_nb", cwd=runs))
    assert "tfidf_logreg is better" in told
    assert "blind to groups" in told
    found = json.loads((runs / "compare.json").read_text())
    assert [(p["first"], p["second"]) for p in found["pairs"]] == [
        ("tfidf_logreg", "majority"), ("tfidf_logreg", "tfidf_nb"), ("majority", "tfidf_nb"),
    ]  # fmt: skip
    pair = found["pairs"][0]["difference"]["macro_f1"]
    values = {name: run["macro_f1"]["value"] for name, run in found["runs"].items()}
    assert pair["value"] == pytest.approx(values["tfidf_logreg"] - values["majority"])
    assert pair["verdict"] == "first"
    page = (runs / "compare.html").read_text()
    for run in ("tfidf_logreg", "majority", "tfidf_nb"):
        signature = json.loads((runs / run / "report.json").read_text())["signature"]
        assert all(signature[key] in page for key in ("data", "config", "name"))
    assert "tfidf_logreg is better" in page
    assert not any(row["text"] in page for row in table())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("compare",), "at least two run folders"),
        (("compare", "runs=majority"), "at least two run folders"),
        (("compare", "runs=majority,gone"), "no such run"),
        (("compare", "runs=majority,./majority"), "named twice"),
        (("compare", "runs=majority,tfidf_nb", "out=page.html"), "ends in .json"),
        (
            ("compare", "runs=majority,tfidf_nb", "measure=f2"),
            "measure=f2: expected one of macro_f1",
        ),
        (("compare", "runs=majority,other"), "expected the 60 sentences"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, built, cli, words, complaint):
    if words[-1].endswith("other") and not (runs / "other").exists():
        where = f"workspace={built / 'ws'}"
        done(cli("train", "model=majority", where, "run=other", cwd=runs))
        done(cli("evaluate", "on=out_of_fold", where, "run=other", cwd=runs))
    refused = cli(*words, cwd=runs)
    assert refused.returncode == 2
    assert complaint in refused.stderr


@given(a=st.floats(0.3, 1), b=st.floats(0.1, 3), c=st.floats(0.1, 1.5))
@settings(deadline=None)
def test_a_power_law_is_found_again(a, b, c):
    sizes = np.array([50.0, 100, 200, 400, 800, 1600])
    values = a - b * sizes**-c
    found = [part[0] for part in curve.fit_power_law(sizes, values[None])]
    assert found[0] - found[1] * 3200.0 ** -found[2] == pytest.approx(a - b * 3200.0**-c, abs=0.02)


def test_the_curve_rises_and_says_what_more_would_give(examples):
    found = curve.make_curve(
        examples, fit, [0.05, 0.3, 1.0], [500], measure="macro_f1", folds=3, repeats=2, replicates=300, seed=1,
    )  # fmt: skip
    values = [p["value"] for p in found["points"]]
    assert values[0] < values[-1]
    told = found["extrapolation"][0]
    assert told["low"] <= told["value"] <= told["high"]
    again = curve.make_curve(
        examples, fit, [0.05, 0.3, 1.0], [500], measure="macro_f1", folds=3, repeats=2, replicates=300, seed=1,
    )  # fmt: skip
    assert again == found


@pytest.mark.parametrize(
    ("shares", "measure", "complaint"),
    [
        ([0.5, 1.0], "macro_f1", "three or more"),
        ([0.5, 0.2, 1.0], "macro_f1", "rising"),
        ([0.0, 0.5, 1.0], "macro_f1", "above 0"),
        ([0.1, 0.5, 1.0], "f2", "measure=f2"),
    ],
)
def test_a_curve_that_cannot_be_drawn_is_refused(examples, shares, measure, complaint):
    with pytest.raises(BadInput, match=complaint):
        curve.make_curve(examples, fit, shares, [1], measure=measure, folds=3, repeats=1, replicates=10, seed=1)  # fmt: skip


def test_the_curve_is_drawn_and_shown_in_the_report_of_the_same_learner(runs, built, cli):
    where = f"workspace={built / 'ws'}"
    words = ("model=tfidf_nb", where, "repeats=1", "replicates=200", "folds=3")
    told = done(cli("curve", *words, cwd=runs))
    assert "500 more sentences would give about 0." in told
    ElementTree.parse(built / "ws" / "curve.svg")
    for run in ("tfidf_nb", "tfidf_logreg"):
        done(cli("evaluate", where, f"run={run}", cwd=runs))
        shown = "500 more sentences would give about" in (runs / run / "report.html").read_text()
        kept = json.loads((runs / run / "report.json").read_text())["curve"]
        assert (run == "tfidf_nb") == shown == (kept is not None)


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
