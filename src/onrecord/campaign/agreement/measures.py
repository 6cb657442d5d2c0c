"""Everything said of one question's answers: coefficients with intervals, per label, per pair, per slice."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onrecord.campaign.agreement.bootstrap import (
    WIDE_GROUPS,
    Sums,
    bootstrap,
    caution,
    figures,
    interval,
    present,
    sums_by_group,
    total,
)
from onrecord.campaign.agreement.coefficients import (
    Counts,
    Level,
    cohen_kappa,
    distances,
    label_counts,
    why_undefined,
)
from onrecord.campaign.agreement.long_table import Answers, numbers

CROWD = 50  # with more annotators, pairs and persons are too many to be told one by one


def counts_of(answers: Answers) -> Counts:
    """Return how often each task was given each label, shape (T, K)."""
    return label_counts(answers.task, answers.label, len(answers.tasks), len(answers.labels))


def sums_of(
    answers: Answers, counts: Counts, level: Level, distance: Counts | None = None
) -> tuple[Sums, Counts]:
    """Return the sums of each group with a pairable task, and the distances between labels."""
    pairable = counts.sum(axis=1) >= 2
    if distance is None:
        distance = distances(counts[pairable].sum(axis=0), level, numbers(answers.labels))
    _, groups = np.unique(answers.group, return_inverse=True)
    return present(sums_by_group(counts, groups, distance)), distance


def coefficient(
    answers: Answers, *, level: Level, replicates: int, seed: int, whole: bool = False
) -> dict[str, Any]:
    """Return alpha with its interval, or null with the reason, and what it rests on.

    Below MIN_GROUPS groups there is no interval; below WIDE_GROUPS it is flagged as narrow. With ``whole``
    percent agreement, AC1 and each label's specific agreement come too, each with its interval.
    """  # fmt: skip
    counts = counts_of(answers)
    n = counts.sum(axis=1)
    pairable = n >= 2
    found: dict[str, Any] = {
        "alpha": None, "low": None, "high": None,
        "n_tasks": int((n > 0).sum()), "n_pairable": int(pairable.sum()),
        "n_annotations": int(n.sum()), "n_groups": len(np.unique(answers.group[pairable])),
        "unanimous": int((counts[pairable].max(axis=1) == n[pairable]).sum()) if pairable.any() else 0,
    }  # fmt: skip
    if not pairable.any():
        return found | {"reason": why_undefined(counts, answers.labels)}
    sums, distance = sums_of(answers, counts, level)
    value = figures(total(sums), distance)
    undefined = why_undefined(counts, answers.labels)
    reason = undefined or caution(found["n_groups"])
    found["alpha"] = None if undefined else float(value["alpha"])
    found |= {"reason": reason} if reason else {}
    drawn = (
        bootstrap(sums, distance, replicates=replicates, seed=seed)
        if replicates and not caution(found["n_groups"])
        else None
    )
    if drawn is not None and not undefined:
        found |= interval(drawn["alpha"])
        found["narrow"] = found["n_groups"] < WIDE_GROUPS
    if whole:
        for name in ("percent", "ac1"):
            found[name] = _score(value[name], None if drawn is None else drawn[name])
        found["labels"] = {
            label: {
                "n": int(given),
                "specific": _score(value["specific"][k], None if drawn is None else drawn["specific"][:, k]),
            }
            for k, (label, given) in enumerate(zip(answers.labels, counts.sum(axis=0), strict=True))
            if given
        }  # fmt: skip
    return found


def _score(value: Any, drawn: Counts | None) -> dict[str, Any]:
    if np.isnan(value):
        return {"value": None, "low": None, "high": None}
    ends = {"low": None, "high": None} if drawn is None else interval(drawn)
    return {"value": float(value), "low": ends["low"], "high": ends["high"]}


def measure(answers: Answers, *, level: Level, replicates: int, seed: int) -> dict[str, Any]:
    """Return everything said of one question: coefficients, per label, per pair, confusion."""
    found = coefficient(answers, level=level, replicates=replicates, seed=seed, whole=True)
    found["level"] = level
    if not found["n_pairable"]:
        return found
    found["pairs"] = pair_kappas(answers)
    confusion = coincidences(counts_of(answers))
    used = confusion.sum(axis=1) > 0
    names = [label for label, kept in zip(answers.labels, used, strict=True) if kept]
    if len(names) <= CROWD:
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


def coincidences(counts: Counts) -> Counts:
    """Return Krippendorff's coincidence matrix, shape (K, K), from counts of shape (T, K).

    Each task's ordered pairs of annotations, over its annotations less one: rows sum to a label's uses.
    """  # fmt: skip
    counts = counts[counts.sum(axis=1) >= 2]
    share = counts / (counts.sum(axis=1, keepdims=True) - 1)
    return np.asarray(counts.T @ share - np.diag(share.sum(axis=0)))


def pair_kappas(answers: Answers) -> list[dict[str, Any]]:
    """Return Cohen's kappa and the number of shared tasks for each pair of annotators; none of a crowd."""
    if len(answers.annotators) > CROWD:
        return []
    given = answers_table(answers)
    found = []
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
) -> dict[str, Any]:
    """Return alpha with its interval within each value of a fact: a week, an outlet, a guidelines version."""
    values = np.array(answers.facts[fact])
    kept = ("alpha", "low", "high", "narrow", "n_tasks", "n_annotations", "n_groups", "reason")
    found = {}
    for value in sorted(set(answers.facts[fact])):
        own = coefficient(
            answers.only(values == value), level=level, replicates=replicates, seed=seed
        )
        found[str(value)] = {k: own[k] for k in kept if k in own}
    return found


def disputes(questions: Mapping[str, Answers], most: int = 60) -> list[dict[str, Any]]:
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
    found = []
    for task in chosen:
        given = {name: answers_to(answers, task) for name, answers in questions.items()}
        found.append({"task": task, "disagreement": round(score[task], 6), "answers": given})
    return found


def answers_to(answers: Answers, task: str) -> dict[str, str]:
    """Return ``annotator → label`` for one task; empty where nobody annotated it."""
    if task not in answers.place:
        return {}
    rows = np.flatnonzero(answers.task == answers.place[task])
    return {
        answers.annotators[answers.annotator[r]]: answers.labels[answers.label[r]] for r in rows
    }


def identical_annotators(questions: Mapping[str, Answers], least: int = 30) -> list[dict[str, Any]]:
    """Return pairs of annotators who never differ on ``least`` shared tasks or more, where others do differ.

    They may be one person under two pseudonyms, or have worked together: either way they are not two.
    """  # fmt: skip
    names: Sequence[str] = sorted({a for q in questions.values() for a in q.annotators})
    if len(names) > CROWD:
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
