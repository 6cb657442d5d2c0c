"""All agreement figures of one question: coefficients with intervals, by label, by pair of annotators, by slice."""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from onrecord.campaign.agreement.coefficients import (
    Level,
    Metric,
    cohen_kappa,
    label_counts,
    lowest,
    metric,
    why_undefined,
)
from onrecord.campaign.agreement.crossed import for_others, without_annotators
from onrecord.campaign.agreement.group_sums import (
    Sums,
    coefficients,
    pairable_groups,
    sums_by_group,
    total,
    without_each,
)
from onrecord.campaign.agreement.long_table import Answers, numbers
from onrecord.core.agreement_report import (
    AlphaFigures,
    IdenticalPair,
    PairFigures,
    QuestionFigures,
)
from onrecord.core.intervals import Floats, Score, effective_groups, interval

MAX_ANNOTATORS_FOR_PAIRS = 50  # with more, figures by pair are too many to read


def counts_of(answers: Answers) -> Floats:
    """Return how often each task was given each label, shape (T, K)."""
    return label_counts(answers.task, answers.label, len(answers.tasks), len(answers.labels))


def metric_of(answers: Answers, counts: Floats, level: Level) -> Metric:
    """Return the metric of a question's labels, from their use in tasks with two annotations."""
    return metric(counts[counts.sum(axis=1) >= 2].sum(axis=0), level, numbers(answers.labels))


def sums_of(answers: Answers, counts: Floats, of: Metric) -> Sums:
    """Return the sums of each group with a pairable task."""
    _, groups = np.unique(answers.group, return_inverse=True)
    return pairable_groups(sums_by_group(counts, groups, of))


def coefficient(answers: Answers, *, level: Level) -> AlphaFigures:
    """Return alpha with its interval, or null with the reason, and what it rests on."""
    return _scores(answers, level)[0]


def _scores(
    answers: Answers, level: Level
) -> tuple[AlphaFigures, dict[str, Score], list[Score], Floats]:
    """Return alpha's figures, the other coefficients, each label's specific agreement, and alpha without each group."""
    counts = counts_of(answers)
    n = counts.sum(axis=1)
    pairable = n >= 2
    undefined = why_undefined(counts, answers.labels)
    found: AlphaFigures = {
        "alpha": None, "low": None, "high": None,
        "n_tasks": int((n > 0).sum()), "n_pairable": int(pairable.sum()),
        "n_annotations": int(n.sum()), "n_groups": len(np.unique(answers.group[pairable])),
        "unanimous": int((counts[pairable].max(axis=1, initial=0) == n[pairable]).sum()),
    }  # fmt: skip
    if undefined:
        found["reason"] = undefined
    if not pairable.any():
        return found, {}, [], np.zeros(0)
    of = metric_of(answers, counts, level)
    sums = sums_of(answers, counts, of)
    values, without = coefficients(total(sums), of), coefficients(without_each(sums), of)
    groups = float(effective_groups(sums.pairable))
    floor = lowest(total(sums).marginals)
    specific, without_label = values.pop("specific"), without.pop("specific")
    scores = {
        name: interval(
            float(value), without[name], "share" if name == "percent" else "coefficient", groups=groups, floor=floor
        )
        for name, value in values.items()
    }  # fmt: skip
    alpha = scores.pop("alpha")
    if not undefined:
        found |= {"alpha": alpha["value"], "low": alpha["low"], "high": alpha["high"]}
        if "reason" in alpha:
            found["reason"] = alpha["reason"]
    labels = [
        interval(float(value), without_label[:, k], "share", groups=float(own))
        for k, (value, own) in enumerate(zip(specific, effective_groups(sums.possible), strict=True))
    ]  # fmt: skip
    return found, scores, labels, without["alpha"]


def measure(answers: Answers, *, level: Level) -> QuestionFigures:
    """Return all figures of one question: coefficients, by label, by annotator, by pair of annotators, confusion."""
    own, scores, specific, without_group = _scores(answers, level)
    found = cast(QuestionFigures, own)
    found["level"], found["n_missing"] = level, answers.missing
    if not scores:
        return found
    counts = counts_of(answers)
    found["percent"], found["ac1"], found["fleiss"] = (
        scores["percent"],
        scores["ac1"],
        scores["fleiss"],
    )
    if level != "nominal":
        found["ac2"] = scores["ac2"]
    found["labels"] = {
        label: {"n": int(given), "specific": specific[k]}
        for k, (label, given) in enumerate(zip(answers.labels, counts.sum(axis=0), strict=True))
        if given
    }
    of = metric_of(answers, counts, level)
    found["without_annotator"] = without_annotators(answers, counts, of)
    if found["low"] is not None and found["alpha"] is not None:
        found["others"] = for_others(answers, counts, of, found["alpha"], without_group)
    found["pairs"] = pair_kappas(answers, of.weights)
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


def pair_kappas(answers: Answers, weights: Floats) -> list[PairFigures]:
    """Return Cohen's (weighted) kappa and the shared tasks of each pair; none above MAX_ANNOTATORS_FOR_PAIRS."""
    if len(answers.annotators) > MAX_ANNOTATORS_FOR_PAIRS:
        return []
    given = answers_table(answers)
    found: list[PairFigures] = []
    for i, j in combinations(range(len(answers.annotators)), 2):
        shared = (given[i] >= 0) & (given[j] >= 0)
        if shared.any():
            kappa = cohen_kappa(given[i][shared], given[j][shared], weights)
            pair = [answers.annotators[i], answers.annotators[j]]
            found.append({"pair": pair, "kappa": kappa, "n_tasks": int(shared.sum())})
    return found


def answers_table(answers: Answers) -> NDArray[np.int32]:
    """Return the label that each annotator gave each task, shape (annotators, T); -1 where none."""
    table = np.full((len(answers.annotators), len(answers.tasks)), -1, dtype=np.int32)
    table[answers.annotator, answers.task] = answers.label
    return table


def breakdown(answers: Answers, fact: str, *, level: Level) -> dict[str, AlphaFigures]:
    """Return alpha with its interval within each value of a fact: a week, an outlet, a guidelines version."""
    values = np.array(answers.facts[fact])
    return {
        value: coefficient(answers.only(values == value), level=level)
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
