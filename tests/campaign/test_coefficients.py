"""Coefficients: published values, the reference package, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from krippendorff import alpha as reference
from sklearn.metrics import cohen_kappa_score, f1_score
from statsmodels.stats.inter_rater import cohens_kappa

from onrecord.campaign.agreement.coefficients import (
    cohen_kappa,
    label_counts,
    metric,
    why_undefined,
)
from onrecord.campaign.agreement.crossed import without_annotators
from onrecord.campaign.agreement.group_sums import (
    coefficients,
    sums_by_group,
    total,
    without_each,
)
from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import counts_of as counts_of_answers
from onrecord.campaign.agreement.measures import measure

# Krippendorff (2011), section "any number of observers, with missing data": 12 units, 4 observers.
NO = np.nan
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NO, NO, NO],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NO, 3],
        [NO, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NO],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NO],
    ]
)


def counts_of(observers):
    return np.array(
        [[np.sum(unit == value) for value in (1, 2, 3, 4, 5)] for unit in observers.T], float
    )


def whole(counts, level="nominal", values=None):
    """Return the coefficients of counts, shape (T, K), each task a group of its own."""
    pairable = counts[counts.sum(axis=1) >= 2]
    of = metric(pairable.sum(axis=0), level, values)
    return coefficients(total(sums_by_group(counts, np.arange(len(counts)), of)), of)


def whole_alpha(counts, level="nominal", values=None):
    return float(whole(counts, level, values)["alpha"])


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_is_the_published_value(level, published):
    assert whole_alpha(counts_of(PUBLISHED), level) == pytest.approx(published, abs=0.0006)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=2, max_size=40),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_alpha_equals_the_reference_package(rows, level):
    counts = np.array(rows, float)
    used = counts[counts.sum(axis=1) >= 2].sum(axis=0) > 0
    if used.sum() < 2:
        assert why_undefined(counts, ["a", "b", "c"])
        return
    expected = reference(value_counts=counts, level_of_measurement=level)
    assert whole_alpha(counts, level) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "complaint"),
    [
        pytest.param(np.zeros((0, 2)), "two annotations", id="no tasks"),
        pytest.param(np.array([[1.0, 0.0], [0.0, 1.0]]), "two annotations", id="no overlap"),
        pytest.param(np.array([[2.0, 0.0], [3.0, 0.0]]), "only the label 'a'", id="one label"),
    ],
)
def test_what_is_undefined_has_a_reason(counts, complaint):
    assert complaint in why_undefined(counts, ["a", "b"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=4, max_size=60))
def test_kappa_equals_statsmodels(pairs):
    first, second = (np.array(column) for column in zip(*pairs, strict=True))
    ours = cohen_kappa(first, second, np.eye(3))
    if ours is not None:
        table = label_counts(first, second, 3, 3)
        assert ours == pytest.approx(cohens_kappa(table).kappa, abs=1e-9)


def test_ac1_and_percent_agreement_by_hand():
    # Two annotators, four tasks: three agree on a, one differs. Prevalence of a: 7/8.
    counts = np.array([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [1.0, 1.0]])
    chance = 2 * (7 / 8) * (1 / 8)
    assert whole(counts)["percent"] == pytest.approx(0.75)
    assert whole(counts)["ac1"] == pytest.approx((0.75 - chance) / (1 - chance))


# Gwet (2014), Handbook of Inter-Rater Reliability, 4th edition: 15 units, 5 observers, labels 0 to 3.
GWET_OBSERVERS = np.array(
    [
        [1, 1, 2, NO, 0, 0, 1, 1, 2, 2, NO, 0, 1, 3, 1],
        [1, 1, 3, 0, 0, 0, 0, NO, 2, 1, 1, 0, 2, 3, 1],
        [2, 0, 3, 0, 0, 0, 2, 2, 2, 1, 0, 0, 2, 2, 1],
        [NO, 1, 3, NO, NO, NO, NO, 0, NO, 1, 0, 0, 2, 2, NO],
        [2, NO, NO, 0, 0, 0, 1, NO, 2, NO, NO, NO, NO, 3, 1],
    ]
)


@pytest.mark.parametrize(
    ("observers", "labels", "ac1", "percent"),
    [
        pytest.param(PUBLISHED, (1, 2, 3, 4, 5), 0.775444068126995, 0.818181818181818, id="p. 120"),
        pytest.param(
            GWET_OBSERVERS, (0, 1, 2, 3), 0.496622054872614, 0.615555555555556, id="5 observers"
        ),
    ],
)
def test_ac1_is_gwet_s_own(observers, labels, ac1, percent):
    """Gwet's data (the first is Krippendorff's too); figures of the package irrCAC 0.4.4 to 15 digits.

    irrCAC holds numpy below 2, so it was run in an environment of its own.
    """
    counts = np.array([[np.sum(unit == value) for value in labels] for unit in observers.T], float)
    assert whole(counts)["ac1"] == pytest.approx(ac1, abs=1e-9)
    assert whole(counts)["percent"] == pytest.approx(percent, abs=1e-9)
    who, what = np.nonzero(~np.isnan(observers))
    given = np.searchsorted(labels, observers[who, what])
    tasks = np.arange(
        observers.shape[1]
    )  # each a group of its own: one of the first table has one answer
    answers = Answers(
        what, who, given, [str(t) for t in tasks], list("abcde")[: len(observers)],
        [str(label) for label in labels], tasks,
    )  # fmt: skip
    found = measure(answers, level="nominal")
    assert found["ac1"]["value"] == pytest.approx(ac1, abs=1e-9)
    assert found["percent"]["value"] == pytest.approx(percent, abs=1e-9)


# Fleiss (1971), "Measuring nominal scale agreement among many raters": 30 patients, six psychiatrists each,
# who chose depression, personality disorder, schizophrenia, neurosis or other.
FLEISS = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
    00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""


def test_fleiss_s_kappa_is_the_published_value():
    """Fleiss (1971) gives 0.430 for the thirty patients."""
    counts = np.array([[int(n) for n in patient] for patient in FLEISS.split()], float)
    assert whole(counts)["fleiss"] == pytest.approx(0.430, abs=0.0005)
    assert whole(counts_of(PUBLISHED))["fleiss"] == pytest.approx(0.76117, abs=5e-6)  # irrCAC


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=60))
def test_weighted_kappa_is_that_of_scikit_learn(pairs):
    first, second = (np.array(column) for column in zip(*pairs, strict=True))
    ours = cohen_kappa(first, second, metric(np.ones(4), "ordinal").weights)
    if ours is not None:
        expected = cohen_kappa_score(first, second, weights="quadratic", labels=range(4))
        assert ours == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_ac2_by_hand_and_ac1_where_labels_are_nominal():
    """Two annotators, labels 0 to 2, quadratic weights 1, 3/4 and 0 (Gwet 2014, chapter 5)."""
    counts = np.array([[2.0, 0, 0], [1, 1, 0], [0, 2, 0], [0, 1, 1], [1, 0, 1]])
    near = (1 + 0.75 + 1 + 0.75 + 0) / 5
    shares = np.array([4, 4, 2]) / 10
    chance = (3 + 4 * 0.75) * (shares * (1 - shares)).sum() / (3 * 2)
    assert whole(counts, "ordinal")["ac2"] == pytest.approx((near - chance) / (1 - chance))
    assert whole(counts)["ac2"] == pytest.approx(whole(counts)["ac1"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=4, max_size=4), min_size=3, max_size=20
    ),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_alpha_without_an_annotator_is_that_of_the_others(given, level):
    table = np.array(given)  # (tasks, annotators); -1: not annotated
    what, who = np.nonzero(table >= 0)
    names = [str(t) for t in range(len(table))], list("abcd"), list("xyz")
    answers = Answers(what, who, table[what, who], *names, np.arange(len(table)))
    counts = counts_of_answers(answers)
    of = metric(counts[counts.sum(axis=1) >= 2].sum(axis=0), level)
    for code, found in enumerate(without_annotators(answers, counts, of).values()):
        rest = counts_of_answers(answers.only(who != code))
        pairable = rest[rest.sum(axis=1) >= 2]
        sums = total(sums_by_group(pairable, np.arange(len(pairable)), of))
        expected = float(coefficients(sums, of)["alpha"]) if len(pairable) else np.nan
        assert (np.nan if found is None else found) == pytest.approx(
            expected, abs=1e-9, nan_ok=True
        )


def test_specific_agreement_gives_fleiss_s_kappa_of_each_category():
    """Fleiss' kappa of a category is its specific agreement beyond its share: published to three digits."""
    counts = np.array([[int(n) for n in patient] for patient in FLEISS.split()], float)
    share = counts.sum(axis=0) / counts.sum()
    beyond = (whole(counts)["specific"] - share) / (1 - share)
    assert list(beyond) == pytest.approx([0.245, 0.245, 0.520, 0.471, 0.566], abs=0.0005)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([-1, 0, 1, 2]), min_size=4, max_size=4), min_size=2, max_size=20
    )
)
def test_specific_agreement_is_f1_over_all_pairs_of_annotators(answers):
    """Of two annotators, one taken as the truth, it is scikit-learn's F1; of more, F1 over all pairs; -1: none."""
    table = np.array(answers)
    counts = np.array([[np.sum(task == k) for k in range(3)] for task in table], float)
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    one = np.concatenate([table[:, i] for i, _ in pairs])
    other = np.concatenate([table[:, j] for _, j in pairs])
    both = (one >= 0) & (other >= 0)
    ours = whole(counts)["specific"]
    for label in range(3):
        if not both.any() or np.isnan(ours[label]):
            assert label not in one[both]
            continue
        expected = f1_score(one[both], other[both], labels=[label], average="macro")
        assert ours[label] == pytest.approx(expected, abs=1e-9)


def test_figures_without_a_group_are_those_of_the_other_tasks():
    generator = np.random.default_rng(0)
    counts = generator.integers(0, 3, size=(30, 3)).astype(float)
    groups = np.repeat(np.arange(10), 3)
    for level in ("nominal", "ordinal", "interval"):
        of = metric(counts[counts.sum(axis=1) >= 2].sum(axis=0), level)
        without = coefficients(without_each(sums_by_group(counts, groups, of)), of)
        for group in range(10):
            rest = counts[groups != group]
            expected = coefficients(total(sums_by_group(rest, np.arange(len(rest)), of)), of)
            for name, values in without.items():
                assert values[group] == pytest.approx(expected[name], nan_ok=True)
