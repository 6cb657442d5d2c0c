"""All agreement figures of one question: coefficients with intervals, by label, by pair of annotators, by slice."""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from onrecord.campaign.agreement.coefficients import (
    Level,
    cohen_kappa,
    distances,
    label_counts,
    why_undefined,
)
from onrecord.campaign.agreement.group_sums import (
    Sums,
    bootstrap,
    coefficients,
    pairable_groups,
    sums_by_group,
    total,
)
from onrecord.campaign.agreement.long_table import Answers, numbers
from onrecord.core.agreement_report import (
    AlphaFigures,
    IdenticalPair,
    PairFigures,
    QuestionFigures,
)
from onrecord.core.intervals import Floats, Score, is_narrow, percentile_interval, too_few_groups

MAX_ANNOTATORS_FOR_PAIRS = 50  # with more, figures by pair or by annotator are too many to read


def counts_of(answers: Answers) -> Floats:
    """Return how often each task was given each label, shape (T, K)."""
    return label_counts(answers.task, answers.label, len(answers.tasks), len(answers.labels))


def sums_of(answers: Answers, counts: Floats, level: Level) -> tuple[Sums, Floats]:
    """Return the sums of each group with a pairable task, and the distances between labels."""
    pairable = counts.sum(axis=1) >= 2
    distance = distances(counts[pairable].sum(axis=0), level, numbers(answers.labels))
    _, groups = np.unique(answers.group, return_inverse=True)
    return pairable_groups(sums_by_group(counts, groups, distance)), distance


def coefficient(answers: Answers, *, level: Level, replicates: int, seed: int) -> AlphaFigures:
    """Return alpha with its interval, or null with the reason, and what it rests on.

    Below FEWEST_GROUPS groups there is no interval; below NARROW_GROUPS it is flagged as narrow.
    """
    return _coefficients(answers, level, replicates, seed)[0]


def _coefficients(
    answers: Answers, level: Level, replicates: int, seed: int
) -> tuple[AlphaFigures, dict[str, Floats], dict[str, Floats] | None]:
    """Return alpha's figures, every coefficient, and every coefficient of each replicate (None where not drawn)."""
    counts = counts_of(answers)
    n = counts.sum(axis=1)
    pairable = n >= 2
    undefined = why_undefined(counts, answers.labels)
    n_groups = len(np.unique(answers.group[pairable]))
    found: AlphaFigures = {
        "alpha": None, "low": None, "high": None,
        "n_tasks": int((n > 0).sum()), "n_pairable": int(pairable.sum()),
        "n_annotations": int(n.sum()), "n_groups": n_groups,
        "unanimous": int((counts[pairable].max(axis=1, initial=0) == n[pairable]).sum()),
    }  # fmt: skip
    reason = undefined or too_few_groups(n_groups)
    if reason:
        found["reason"] = reason
    if not pairable.any():
        return found, {}, None
    sums, distance = sums_of(answers, counts, level)
    values = coefficients(total(sums), distance)
    drawn = None
    if replicates and not too_few_groups(n_groups):
        drawn = bootstrap(sums, distance, replicates=replicates, seed=seed)
    if not undefined:
        found["alpha"] = float(values["alpha"])
        if drawn is not None:
            low, high, dropped = percentile_interval(drawn["alpha"])
            found |= {"low": low, "high": high, "undefined_replicates": dropped}
            found["narrow"] = is_narrow(n_groups)
    return found, values, drawn


def measure(answers: Answers, *, level: Level, replicates: int, seed: int) -> QuestionFigures:
    """Return all figures of one question: coefficients, by label, by pair of annotators, confusion."""
    own, values, drawn = _coefficients(answers, level, replicates, seed)
    found = cast(QuestionFigures, own)
    counts = counts_of(answers)

    def score(name: str, *at: int) -> Score:
        value = float(values[name][at])
        if np.isnan(value) or drawn is None:
            return {"value": None if np.isnan(value) else value, "low": None, "high": None}
        low, high, _ = percentile_interval(drawn[name].T[at])
        return {"value": value, "low": low, "high": high}

    if values:
        found["percent"], found["ac1"] = score("percent"), score("ac1")
        found["labels"] = {
            label: {"n": int(given), "specific": score("specific", k)}
            for k, (label, given) in enumerate(zip(answers.labels, counts.sum(axis=0), strict=True))
            if given
        }
    found["level"] = level
    if not values:
        return found
    found["pairs"] = pair_kappas(answers)
    confusion = coincidences(counts)
    used = confusion.sum(axis=1) > 0
    names = [label for label, kept in zip(answers.labels, used, strict=True) if kept]
    if len(names) <= MAX_ANNOTATORS_FOR_PAIRS:
        found["confusion"] = {
            "labels": names,
            "pairs": [[round(float(v), 3) for v in row] for row in confusion[np.ix_(used, used)]],
        }
    apart = [
        (round(float(confusion[i, j]), 3), answers.labels[i], answers.labels[j])
        for i, j in zip(*np.nonzero(np.triu(confusion, 1)), strict=True)
    ]
    found["confused"] = [
        {"labels": [a, b], "pairs": n}
        for n, a, b in sorted(apart, key=lambda row: (-row[0], *row[1:]))
    ]
    return found


def coincidences(counts: Floats) -> Floats:
    """Return Krippendorff's coincidence matrix, shape (K, K), from counts of shape (T, K).

    Each task's ordered pairs of annotations, over its annotations less one: rows sum to a label's uses.
    """
    counts = counts[counts.sum(axis=1) >= 2]
    share = counts / (counts.sum(axis=1, keepdims=True) - 1)
    return np.asarray(counts.T @ share - np.diag(share.sum(axis=0)))


def pair_kappas(answers: Answers) -> list[PairFigures]:
    """Return Cohen's kappa and the number of shared tasks of each pair; none above MAX_ANNOTATORS_FOR_PAIRS."""
    if len(answers.annotators) > MAX_ANNOTATORS_FOR_PAIRS:
        return []
    given = answers_table(answers)
    found: list[PairFigures] = []
    for i, j in combinations(range(len(answers.annotators)), 2):
        shared = (given[i] >= 0) & (given[j] >= 0)
        if shared.any():
            kappa = cohen_kappa(given[i][shared], given[j][shared], len(answers.labels))
            pair = [answers.annotators[i], answers.annotators[j]]
            found.append({"pair": pair, "kappa": kappa, "n_tasks": int(shared.sum())})
    return found


def answers_table(answers: Answers) -> NDArray[np.int32]:
    """Return the label that each annotator gave each task, shape (annotators, T); -1 where none."""
    table = np.full((len(answers.annotators), len(answers.tasks)), -1, dtype=np.int32)
    table[answers.annotator, answers.task] = answers.label
    return table


def breakdown(
    answers: Answers, fact: str, *, level: Level, replicates: int, seed: int
) -> dict[str, AlphaFigures]:
    """Return alpha with its interval within each value of a fact: a week, an outlet, a guidelines version."""
    values = np.array(answers.facts[fact])
    return {
        value: coefficient(
            answers.only(values == value), level=level, replicates=replicates, seed=seed
        )
        for value in sorted(set(answers.facts[fact]))
    }


class Dispute(NamedTuple):
    """One task, how much its annotators disagree over all questions, and ``question → annotator → label``."""

    task: str
    disagreement: float
    answers: dict[str, dict[str, str]]


def disputes(questions: Mapping[str, Answers], most: int = 60) -> list[Dispute]:
    """Return the tasks on which most pairs of annotators disagree, over all questions, with every answer."""
    score: dict[str, float] = {}
    for answers in questions.values():
        counts = counts_of(answers)
        n = counts.sum(axis=1)
        pairs = np.where(n >= 2, n * (n - 1), 1)
        apart = np.where(n >= 2, 1 - (counts * (counts - 1)).sum(axis=1) / pairs, 0)
        worst = np.argsort(-apart, kind="stable")
        for t in worst[apart[worst] > 0][: 20 * most]:
            score[answers.tasks[t]] = score.get(answers.tasks[t], 0.0) + float(apart[t])
    chosen = sorted(score, key=lambda task: (-score[task], task))[:most]
    return [
        Dispute(
            task, round(score[task], 6), {q: answers_to(own, task) for q, own in questions.items()}
        )
        for task in chosen
    ]


def answers_to(answers: Answers, task: str) -> dict[str, str]:
    """Return ``annotator → label`` for one task; empty where nobody annotated it."""
    if task not in answers.place:
        return {}
    rows = np.flatnonzero(answers.task == answers.place[task])
    return {
        answers.annotators[answers.annotator[r]]: answers.labels[answers.label[r]] for r in rows
    }


def identical_annotators(questions: Mapping[str, Answers], least: int = 30) -> list[IdenticalPair]:
    """Return pairs of annotators who never differ on ``least`` shared tasks or more, where others do differ.

    They may be one person under two pseudonyms, or have worked together: either way they are not two.
    """
    names = sorted({a for q in questions.values() for a in q.annotators})
    if len(names) > MAX_ANNOTATORS_FOR_PAIRS:
        return []
    shared = dict.fromkeys(combinations(names, 2), 0)
    differ = dict(shared)
    disputed = dict(shared)
    for answers in questions.values():
        given, n = answers_table(answers), counts_of(answers)
        contested = (n > 0).sum(axis=1) > 1
        for i, j in combinations(range(len(answers.annotators)), 2):
            a, b = sorted((answers.annotators[i], answers.annotators[j]))
            both = (given[i] >= 0) & (given[j] >= 0)
            shared[a, b] = max(shared[a, b], int(both.sum()))
            differ[a, b] += int((given[i] != given[j])[both].sum())
            disputed[a, b] += int((both & contested).sum())
    return [
        {"pair": list(pair), "n_tasks": shared[pair], "disputed_by_others": disputed[pair]}
        for pair in shared
        if shared[pair] >= least and not differ[pair] and disputed[pair] >= 3
    ]
