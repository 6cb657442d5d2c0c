"""Aggregation: published values, what must not matter, degenerate input, and calibration by known answers."""

import numpy as np
import pytest

from onrecord.campaign.agreement.aggregation import (
    CORRELATIONS,
    DEFAULT,
    FEWEST_KNOWN,
    MODELS,
    Choice,
    calibrated,
    claimed_and_observed,
    dawid_skene,
    tempered,
    vote_shares,
)
from onrecord.campaign.agreement.long_table import Answers

# Dawid & Skene (1979), "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm", Table 1:
# 45 patients, graded 1 to 4 by five anaesthetists, three times by the first.
ANAESTHETISTS = """1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343
    1111111 2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111
    2322222 1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111
    1111111 1212111 2322222 1211111 2222222"""
READER = (0, 0, 0, 1, 2, 3, 4)


def answers_from(task, annotator, label):
    counts = [int(np.max(own)) + 1 for own in (task, annotator, label)]
    names = [[f"{kind}{i}" for i in range(n)] for kind, n in zip("tal", counts, strict=True)]
    arrays = (np.asarray(own, dtype=np.int64) for own in (task, annotator, label))
    return Answers(*arrays, *names, np.arange(counts[0]))


def crowd(seed=0, tasks=300, labels=3, skills=(0.9, 0.8, 0.7, 0.6, 0.4), hard=0.0):
    """Three answers a task by annotators of known skill, and the truth; on hard tasks all give one wrong label."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(labels, size=tasks)
    who = np.array([generator.permutation(len(skills))[:3] for _ in truth]).ravel()
    task = np.repeat(np.arange(tasks), 3)
    right = generator.random(len(who)) < np.array(skills)[who]
    given = np.where(right, truth[task], generator.integers(labels, size=len(who)))
    mislead = generator.random(tasks)[task] < hard
    given[mislead] = (truth[task][mislead] + 1) % labels
    return answers_from(task, who, given), truth


def test_the_anaesthetists_grades_are_those_that_dawid_and_skene_published():
    grades = np.array([[int(g) - 1 for g in patient] for patient in ANAESTHETISTS.split()])
    task, reading = np.indices(grades.shape)
    found = dawid_skene(
        answers_from(task.ravel(), np.array(READER)[reading.ravel()], grades.ravel()), 0, 0
    )
    # the incidence of the four grades as published
    assert found.posterior.mean(axis=0) == pytest.approx([0.40, 0.42, 0.11, 0.07], abs=0.005)
    assert (found.posterior.argmax(axis=1) + 1)[[0, 1, 10]].tolist() == [1, 4, 4]


@pytest.mark.parametrize("model", [*MODELS, "votes"])
def test_neither_order_nor_names_matter(model):
    def posterior(own):
        return vote_shares(own) if model == "votes" else MODELS[model](own).posterior

    answers, _ = crowd()
    expected = posterior(answers)
    generator = np.random.default_rng(1)
    order = generator.permutation(len(answers.task))
    assert posterior(answers_from(answers.task[order], answers.annotator[order], answers.label[order])) == pytest.approx(
        expected, abs=1e-4
    )  # fmt: skip
    people, labels = generator.permutation(5), np.array([2, 0, 1])
    renamed = posterior(
        answers_from(answers.task, people[answers.annotator], labels[answers.label])
    )
    assert renamed[:, labels] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("model", list(MODELS))
def test_skill_is_recovered_and_the_vote_beaten(model):
    answers, truth = crowd(tasks=1500, skills=(0.95, 0.8, 0.6, 0.35, 0.1))
    found = MODELS[model](answers)
    assert np.argsort(-found.skill).tolist() == [0, 1, 2, 3, 4]
    votes = (vote_shares(answers).argmax(axis=1) == truth).mean()
    assert (found.posterior.argmax(axis=1) == truth).mean() > votes + 0.02


@pytest.mark.parametrize("model", list(MODELS))
@pytest.mark.parametrize(
    ("task", "annotator", "label"),
    [
        ([0], [0], [0]),  # one answer, so one label
        ([0, 1, 2], [0, 0, 0], [0, 1, 0]),  # one annotator
        ([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]),  # one label
        ([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 0, 0]),  # unanimous
        ([0, 0], [0, 1], [0, 1]),  # a tie alone
        ([0, 2], [0, 1], [0, 1]),  # a task without an answer
    ],
)
def test_degenerate_answers_give_probabilities_and_follow_the_only_votes(
    model, task, annotator, label
):
    answers = answers_from(task, annotator, label)
    for posterior in (MODELS[model](answers).posterior, calibrated(answers, {})[0]):
        assert np.isfinite(posterior).all()
        assert posterior.sum(axis=1) == pytest.approx(1)
    votes = vote_shares(answers, 0.0)
    sure = votes.max(axis=1) == 1
    found = MODELS[model](answers).posterior
    assert (found[sure].argmax(axis=1) == votes[sure].argmax(axis=1)).all()


def test_a_tie_of_equals_stays_one():
    answers = answers_from([0, 0, 1, 1, 2, 2, 3, 3], [0, 1] * 4, [0, 0, 1, 1, 0, 1, 1, 0])
    for model in MODELS.values():
        assert model(answers).posterior[2:] == pytest.approx(0.5, abs=0.01)


def test_one_label_of_most_tasks_does_not_swallow_the_others_nor_lose_to_them():
    generator = np.random.default_rng(0)
    truth = generator.choice(4, 600, p=[0.8, 0.1, 0.06, 0.04])
    task, who = np.repeat(np.arange(600), 3), np.tile(np.arange(3), 600)
    label = np.where(generator.random(1800) < 0.8, truth[task], generator.integers(4, size=1800))
    answers = answers_from(task, who, label)
    votes = (vote_shares(answers).argmax(axis=1) == truth).mean()
    for model in MODELS.values():
        best = model(answers).posterior.argmax(axis=1)
        assert (best == truth).mean() >= votes - 0.01
        assert (best[truth == 3] == 3).mean() > 0.5


def test_a_posterior_is_less_sure_the_more_its_answers_share():
    answers, _ = crowd()
    posterior = MODELS["mace"](answers).posterior
    sure = [tempered(answers, posterior, c).max(axis=1).mean() for c in CORRELATIONS]
    assert sure == sorted(sure, reverse=True)
    assert tempered(answers, posterior, 0.0) == pytest.approx(posterior, abs=1e-9)
    alone = answers_from([0, 1, 1], [0, 0, 1], [0, 1, 1])
    own = MODELS["mace"](alone).posterior
    assert tempered(alone, own, 0.8)[0] == pytest.approx(own[0], abs=1e-9)


@pytest.mark.parametrize("hard", [0.0, 0.3])
def test_known_answers_calibrate_on_tasks_that_they_are_not(hard):
    """Where annotators err together, the fitted model is far too sure; with known answers it is not."""
    gaps = {"fitted": [], "calibrated": []}
    for seed in range(4):
        answers, truth = crowd(seed, tasks=800, hard=hard)
        known = {answers.tasks[t]: answers.labels[truth[t]] for t in range(80)}
        posteriors = {
            "fitted": MODELS["mace"](answers).posterior, "calibrated": calibrated(answers, known)[0]
        }  # fmt: skip
        for name, posterior in posteriors.items():
            rest = posterior[80:]
            gaps[name].append(rest.max(axis=1).mean() - (rest.argmax(axis=1) == truth[80:]).mean())
    assert abs(np.mean(gaps["calibrated"])) < 0.12
    assert abs(np.mean(gaps["calibrated"])) < abs(np.mean(gaps["fitted"])) + 0.12
    if hard:
        assert np.mean(gaps["fitted"]) > 0.15


def test_few_known_answers_leave_the_default_and_unknown_ones_are_passed_over():
    answers, truth = crowd()
    few = {answers.tasks[t]: answers.labels[truth[t]] for t in range(FEWEST_KNOWN - 1)}
    assert calibrated(answers, few)[1] == DEFAULT
    assert (
        calibrated(answers, few | {"elsewhere": "l0"} | {answers.tasks[90]: "no label"})[1]
        == DEFAULT
    )


def test_more_labels_than_a_confusion_matrix_can_hold_leave_the_votes():
    answers = answers_from(np.repeat(np.arange(60), 2), [0, 1] * 60, np.repeat(np.arange(60), 2))
    posterior, choice = calibrated(answers, {})
    assert choice == Choice("votes", 0.0)
    assert posterior == pytest.approx(vote_shares(answers))


def test_claimed_against_observed_counts_every_known_task_once():
    answers, truth = crowd()
    known = {answers.tasks[t]: answers.labels[truth[t]] for t in range(0, 300, 2)}
    posterior, _ = calibrated(answers, known)
    bins = claimed_and_observed(answers, known)
    right = (posterior.argmax(axis=1) == truth)[::2]
    assert sum(own["n"] for own in bins) == 150
    assert sum(own["n"] * own["value"] for own in bins) == pytest.approx(right.sum())
    assert [own["claimed"] for own in bins] == sorted(own["claimed"] for own in bins)
