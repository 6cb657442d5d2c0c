"""Scores equal those of scikit-learn, intervals are those of a jackknife."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import f1_score
from statsmodels.stats.contingency_tables import mcnemar as peer_mcnemar
from statsmodels.stats.multitest import multipletests

from onrecord.experiment import scoring

NAMES = ("favor", "against", "neutral")
PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 12)), min_size=1, max_size=60)  # fmt: skip


@given(PAIRS)
@settings(deadline=None)
def test_scores_are_those_of_scikit_learn(rows):
    gold, predicted, _ = (np.array(column) for column in zip(*rows, strict=True))
    counts = scoring.confusion(gold, predicted, 3).astype(float)
    measured = scoring.measures(NAMES, gold)
    present = sorted(set(gold.tolist()))
    expected = f1_score(gold, predicted, labels=present, average="macro", zero_division=0)
    assert measured["macro_f1"](counts) == pytest.approx(expected)
    assert measured["accuracy"](counts) == pytest.approx((gold == predicted).mean())
    if {0, 1} <= set(present):
        expected = f1_score(gold, predicted, labels=[0, 1], average="macro", zero_division=0)
        assert measured["f_avg"](counts) == pytest.approx(expected)
    else:
        assert measured["f_avg"] is None


@given(PAIRS)
@settings(deadline=None)
def test_confusions_of_groups_sum_to_the_whole(rows):
    gold, predicted, groups = (np.array(column) for column in zip(*rows, strict=True))
    per_group = scoring.group_confusions(gold, predicted, groups, 3)
    assert len(per_group) == len(set(groups.tolist()))
    assert (per_group.sum(axis=0) == scoring.confusion(gold, predicted, 3).ravel()).all()


def test_the_interval_is_that_of_a_jackknife_by_hand():
    generator = np.random.default_rng(3)
    gold = generator.integers(0, 3, 600)
    predicted = np.where(generator.random(600) < 0.6, gold, generator.integers(0, 3, 600))
    groups = np.repeat(np.arange(60), 10)
    per_group = scoring.group_confusions(gold, predicted, groups, 3)
    found = scoring.intervals(per_group, {"a": scoring.accuracy})["a"]
    without = [(gold == predicted)[groups != g].mean() for g in range(60)]
    error = np.sqrt(59 / 60 * ((np.array(without) - np.mean(without)) ** 2).sum())
    value = (gold == predicted).mean()
    reach = stats.t.ppf(0.975, 59) * error / (value * (1 - value))
    odds = np.log(value / (1 - value))
    expected = [1 / (1 + np.exp(-odds + reach)), 1 / (1 + np.exp(-odds - reach))]
    assert [found["low"], found["high"]] == pytest.approx(expected)


@pytest.mark.parametrize(("groups", "low"), [(9, False), (10, True)])
def test_there_is_no_interval_from_few_groups(groups, low):
    per_group = np.tile([[3, 1, 1, 3]], (groups, 1))
    found = scoring.intervals(per_group, {"accuracy": scoring.accuracy})["accuracy"]
    assert (found["low"] is not None) == low
    if not low:
        assert found["reason"] == "9 groups, fewer than 10"


@given(st.integers(10, 40), st.sampled_from(["macro_f1", "accuracy"]), st.sampled_from([0, 1]))
def test_no_interval_has_no_width(groups, measure, right):
    """All right or all wrong in every group: the sample shows no error, the interval still has a width."""
    counts = [[4, 0, 0, 4], [0, 4, 4, 0]][1 - right]
    measured = {"macro_f1": scoring.MeanF1([0, 1]), "accuracy": scoring.accuracy}
    found = scoring.intervals(np.tile([counts], (groups, 1)), measured)[measure]
    assert found["value"] == right
    assert found["low"] <= right <= found["high"]
    assert found["high"] - found["low"] > 0.05
    same = scoring.paired_difference(
        np.tile([counts], (groups, 1)), np.tile([counts], (groups, 1)), measured[measure]
    )
    assert (same["value"], same["p"], same["verdict"]) == (0, 1, "none")


def test_a_label_in_one_group_gives_a_reason():
    per_group = np.tile([[1, 0, 0, 0]], (20, 1))
    per_group[0] = [0, 0, 0, 1]  # the one group with the second label
    found = scoring.intervals(per_group, {"f": scoring.MeanF1([0, 1])})["f"]
    assert (found["value"], found["low"]) == (1.0, None)
    assert found["reason"] == "undefined without one of the groups"


def test_a_difference_inside_the_interval_is_called_none():
    generator = np.random.default_rng(5)
    gold = generator.integers(0, 2, 400)
    groups = np.repeat(np.arange(40), 10)
    worse = np.where(generator.random(400) < 0.5, gold, 1 - gold)
    better = np.where(generator.random(400) < 0.9, gold, 1 - gold)
    also = np.where(generator.random(400) < 0.9, gold, 1 - gold)
    per_group = [scoring.group_confusions(gold, p, groups, 2) for p in (better, worse, also)]
    measure = scoring.MeanF1([0, 1])
    told = [scoring.paired_difference(per_group[0], p, measure)["verdict"] for p in per_group]
    assert told == ["none", "first", "none"]
    assert scoring.paired_difference(per_group[1], per_group[0], measure)["verdict"] == "second"


@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar_is_that_of_statsmodels(only_first, only_second):
    first = np.array([True] * only_first + [False] * only_second + [True], dtype=bool)
    second = np.array([False] * only_first + [True] * only_second + [True], dtype=bool)
    expected = peer_mcnemar([[1, only_first], [only_second, 0]], exact=True).pvalue
    assert scoring.mcnemar(first, second)["p"] == pytest.approx(min(1.0, expected))


def test_calibration_by_hand():
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    found = scoring.calibration(chances, np.array([0, 1, 1, 1]), np.full((4, 2), np.nan))
    assert found["ece"] == pytest.approx(0.5 * 0.4 + 0.25 * 0.4 + 0.25 * 0.2)
    assert found["brier"] == pytest.approx((0.02 + 1.62 + 0.32 + 0.08) / 4)
    assert found["cross_entropy"] == pytest.approx(-np.log([0.9, 0.1, 0.6, 0.8]).mean())
    assert found["cross_entropy_soft"] is None
    soft = np.array([[1.0, 0.0], [0.5, 0.5], [np.nan, np.nan], [0.0, 1.0]])
    expected = -(np.log(0.9) + 0.5 * np.log(0.9) + 0.5 * np.log(0.1) + np.log(0.8)) / 3
    assert scoring.calibration(chances, np.array([0, 1, 1, 1]), soft)["cross_entropy_soft"] == pytest.approx(expected)  # fmt: skip


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_that_of_statsmodels(p):
    assert scoring.holm(p) == pytest.approx(list(multipletests(p, method="holm")[1]))
