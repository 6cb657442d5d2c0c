"""Each task's label from everybody's answers: shares of the votes, Dawid-Skene, hierarchical Dawid-Skene, MACE.

The models differ in the annotators' confusion matrices alone: the chance that an annotator gives label l where k is
true, shape (J, K, K). Labels are as frequent as among all answers: shares that are fitted too can run away to one
label. Which model is right, and how sure of it: benchmarks/aggregation.md. Letters: T tasks, J annotators, K labels.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy import special

from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import counts_of
from onrecord.core.agreement_report import ClaimedShare
from onrecord.core.intervals import Floats, Ints

TINY = 1e-12  # of a probability: the logarithm of 0 would rule a label out for ever
MAX_LABELS = 50  # of more labels, such as names, a confusion matrix or a lean is noise
FEWEST_KNOWN = 50  # tasks with known answers, for a choice by them: with 20 the default is better (benchmarks/aggregation.md)
CLAIMED_BINS = (0.5, 0.7, 0.9, 0.97)
CORRELATIONS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)


class Aggregation(NamedTuple):
    """The posterior of each task's label, shape (T, K), and the chance that each annotator is right, shape (J,)."""

    posterior: Floats
    skill: Floats


class Choice(NamedTuple):
    """A model, and the correlation of the errors that annotators make on one task."""

    model: str
    correlation: float


DEFAULT = Choice("mace", 0.4)  # benchmarks/aggregation.md


def vote_shares(answers: Answers, smoothing: float = 0.5) -> Floats:
    """Return the shares of each task's votes, shape (T, K), with ``smoothing`` votes added to every label."""
    return _shares(counts_of(answers) + smoothing)


def dawid_skene(answers: Answers, right: float = 2.0, wrong: float = 1.0) -> Aggregation:
    """Return the aggregation by Dawid & Skene (1979), with a Dirichlet prior.

    ``right`` answers are added to each label of each annotator, and ``wrong`` ones spread over the other labels.
    """
    k = len(answers.labels)
    prior = np.eye(k) * right + (1 - np.eye(k)) * wrong / max(k - 1, 1)
    return _fit(answers, lambda expected: _shares(expected + prior))


def hierarchical(answers: Answers) -> Aggregation:
    """Return the aggregation by Dawid-Skene with annotators drawn from a population (Paun et al. 2018).

    An annotator of few answers stays near the population's matrix. Rows are Dirichlet here, logistic normal in the
    paper; their concentration is the likeliest one. Half of the tasks' worth of prior says that most answers are right.
    """
    k = len(answers.labels)
    prior = (2 * np.eye(k) + 1 / k) / 3 * len(answers.tasks) / (2 * k)
    grid = 2.0 ** np.arange(9)[:, None, None, None]

    def confusion(expected: Floats) -> Floats:
        middle = _shares(expected.sum(axis=0) + prior)
        rows = special.gammaln(grid * middle + expected) - special.gammaln(grid * middle)
        whole = special.gammaln(grid[..., 0]) - special.gammaln(grid[..., 0] + expected.sum(axis=2))
        likeliest = (rows.sum(axis=3) + whole).sum(axis=1).argmax(axis=0)
        return _shares(expected + grid[likeliest, 0, 0] * middle)

    return _fit(answers, confusion)


def mace(answers: Answers, smoothing: float = 0.5) -> Aggregation:
    """Return the aggregation by MACE (Hovy et al. 2013): an annotator knows the label, or gives one by habit.

    ``skill`` is the chance that the annotator knows; ``smoothing`` answers are added to knowing and to each habit.
    """
    j, k = len(answers.annotators), len(answers.labels)
    knows: Floats = np.full((j, 1), 0.5)
    habit: Floats = np.full((j, k), 1 / k)

    def confusion(expected: Floats) -> Floats:
        nonlocal knows, habit
        known = np.einsum("jkk->jk", expected) * knows / (knows + (1 - knows) * habit)
        given = expected.sum(axis=1)
        knows = (known.sum(axis=1) + smoothing)[:, None] / (given.sum(axis=1) + 2 * smoothing)[
            :, None
        ]
        habit = _shares(given - known + smoothing)
        return np.asarray(knows[:, :, None] * np.eye(k) + ((1 - knows) * habit)[:, None, :])

    return Aggregation(_fit(answers, confusion).posterior, knows[:, 0])


MODELS: Mapping[str, Callable[[Answers], Aggregation]] = {
    "mace": mace, "dawid_skene": dawid_skene, "hierarchical": hierarchical,
}  # fmt: skip


def _fit(answers: Answers, confusion: Callable[[Floats], Floats]) -> Aggregation:
    """Fit by EM from the shares of the votes; ``confusion`` makes the matrices from expected counts (J, K, K)."""
    t, j, k = len(answers.tasks), len(answers.annotators), len(answers.labels)
    posterior = vote_shares(answers, 0.0)
    labels = _shares(np.bincount(answers.label, minlength=k).astype(np.float64))
    cell = answers.annotator * k + answers.label
    for _ in range(200):
        expected: Floats = np.stack(
            [np.bincount(cell, own, j * k) for own in posterior[answers.task].T]
        )
        matrices = confusion(expected.reshape(k, j, k).transpose(1, 0, 2))
        logs = np.log(np.maximum(matrices, TINY))[answers.annotator, :, answers.label]
        scores = np.stack([np.bincount(answers.task, own, t) for own in logs.T], axis=1)
        before, posterior = posterior, special.softmax(scores + np.log(labels + TINY), axis=1)
        if np.abs(posterior - before).max() < 1e-6:
            break
    return Aggregation(posterior, np.einsum("k,jkk->j", labels, matrices))


def _shares(counts: Floats) -> Floats:
    """Return counts as shares along the last axis; even shares where there are none."""
    n = counts.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(n > 0, counts / np.maximum(n, TINY), 1 / counts.shape[-1]))


def tempered(answers: Answers, posterior: Floats, correlation: float) -> Floats:
    """Return a posterior that takes n answers to a task for n / (1 + (n − 1) correlation), the design effect (Kish 1965).

    The models take annotators' errors for independent, but a hard task is hard for all of them.
    """
    n = np.bincount(answers.task, minlength=len(answers.tasks))
    power = 1 / (1 + correlation * np.maximum(n - 1, 0))
    return np.asarray(special.softmax(np.log(posterior + TINY) * power[:, None], axis=1))


def calibrated(answers: Answers, known: Mapping[str, str]) -> tuple[Floats, Choice]:
    """Return the posterior, shape (T, K), by the choice with the least cross-entropy on known answers, and that choice.

    ``known`` maps a task to its right label. With fewer than FEWEST_KNOWN the default stays.
    """
    if len(answers.labels) > MAX_LABELS:
        return vote_shares(answers), Choice("votes", 0.0)
    task, label = _places(answers, known)
    if (label >= 0).sum() < FEWEST_KNOWN:
        return tempered(answers, mace(answers).posterior, DEFAULT.correlation), DEFAULT
    found = {Choice("votes", 0.0): vote_shares(answers)}
    for name, model in MODELS.items():
        posterior = model(answers).posterior
        found |= {Choice(name, c): tempered(answers, posterior, c) for c in CORRELATIONS}
    seen = task[label >= 0], label[label >= 0]
    chosen = max(found, key=lambda choice: float(np.log(found[choice][seen] + TINY).sum()))
    return found[chosen], chosen


def claimed_and_observed(answers: Answers, known: Mapping[str, str]) -> list[ClaimedShare]:
    """Return, by how probable its label is claimed to be, the share of known tasks where the likeliest is right."""
    task, label = _places(answers, known)
    posterior = calibrated(answers, known)[0][task]
    claimed, right = posterior.max(axis=1), posterior.argmax(axis=1) == label
    bins = np.digitize(claimed, CLAIMED_BINS)
    return [
        {"claimed": float(claimed[own].mean()), "value": float(right[own].mean()), "n": len(own)}
        for own in (np.flatnonzero(bins == at) for at in np.unique(bins))
    ]


def _places(answers: Answers, known: Mapping[str, str]) -> Ints:
    """Return the codes of known tasks and of their labels, −1 for one that nobody gave, shape (2, n)."""
    codes = {label: code for code, label in enumerate(answers.labels)}
    pairs = [(answers.place[t], codes.get(k, -1)) for t, k in known.items() if t in answers.place]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T
