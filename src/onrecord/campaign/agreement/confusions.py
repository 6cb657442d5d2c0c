"""Label confusions and flags that cost most agreement, with votes, guideline clauses and advice."""

from collections.abc import Mapping, Sequence

import numpy as np

from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import answers_to, coincidences, counts_of
from onrecord.core.agreement_report import CostlyConfusion, FlagFigures, Problem
from onrecord.core.records import Annotation
from onrecord.scheme.guideline_clauses import clauses
from onrecord.scheme.scheme import Scheme


def costs(answers: Answers, most: int = 5) -> list[CostlyConfusion]:
    """Return the pairs of labels whose confusion lowers nominal alpha most, costliest first, with their tasks.

    ``cost``: how much higher alpha would be had these annotators agreed, chance agreement unchanged. ``share``:
    of all disagreeing pairs of annotations.
    """
    counts = counts_of(answers)
    pairs = coincidences(counts)
    n = pairs.sum()
    marginals = pairs.sum(axis=1)
    expected = n * n - (marginals**2).sum()
    apart = n - np.trace(pairs)
    if apart <= 0 or expected <= 0:
        return []
    upper = np.triu(pairs, 1)
    order = np.argsort(-upper, axis=None, kind="stable")[:most]
    found: list[CostlyConfusion] = []
    for flat in order:
        i, j = np.unravel_index(flat, upper.shape)
        if not upper[i, j]:
            break
        tasks = np.flatnonzero((counts[:, i] > 0) & (counts[:, j] > 0))
        weight = np.minimum(counts[tasks, i], counts[tasks, j])
        tasks = tasks[np.argsort(-weight, kind="stable")]
        found.append(
            {
                "labels": [answers.labels[i], answers.labels[j]],
                "share": float(2 * upper[i, j] / apart),
                "cost": float((n - 1) * 2 * upper[i, j] / expected),
                "n_tasks": len(tasks),
                "n_groups": len(np.unique(answers.group[tasks])),
                "tasks": [answers.tasks[t] for t in tasks[:5]],
            }
        )
    return found


def flag_costs(
    rows: Sequence[Annotation], questions: Mapping[str, Answers], scheme: Scheme
) -> list[FlagFigures]:
    """Return per flag and question the share of flagged tasks (ticked by any annotator) that are in dispute.

    ``hint`` is the flag's in the scheme, ``everywhere`` the share of all tasks in dispute.
    """
    hints = {flag.name: flag.hint for flag in scheme.flags}
    ticked: dict[str, set[str]] = {}
    for row in rows:
        for flag in row["flags"]:
            ticked.setdefault(flag, set()).add(row["sentence_id"])
    found: list[FlagFigures] = []
    for name, answers in questions.items():
        counts = counts_of(answers)
        several = counts.sum(axis=1) >= 2
        disputed = several & ((counts > 0).sum(axis=1) > 1)
        if not several.any():
            continue
        everywhere = float(disputed.sum() / several.sum())
        for flag, tasks in sorted(ticked.items()):
            own = np.array([t in tasks for t in answers.tasks]) & several
            if own.any():
                found.append(
                    {
                        "flag": flag, "hint": hints.get(flag, ""), "question": name, "n_tasks": int(own.sum()),
                        "disputed": float((disputed & own).sum() / own.sum()), "everywhere": everywhere,
                    }
                )  # fmt: skip
    return found


def confusions(
    questions: Mapping[str, Answers], scheme: Scheme | None, guidelines: str
) -> list[Problem]:
    """Return the costliest confusions of every question, costliest first, with votes and the clauses that apply."""
    found: list[Problem] = []
    for name, answers in questions.items():
        kind = scheme.questions[name].kind if scheme and name in scheme.questions else "label"
        if kind == "name":  # the codebook defines no names
            continue
        for row in costs(answers):
            votes = {task: answers_to(answers, task) for task in row["tasks"]}
            found.append(
                {
                    "question": name, **row, "votes": votes,
                    "clauses": clauses(guidelines, name, row["labels"], questions),
                    "advice": describe_confusion(name, row),
                }
            )  # fmt: skip
    return sorted(found, key=lambda row: -row["cost"])


def describe_confusion(question: str, row: CostlyConfusion) -> str:
    """Return one confusion as a sentence.

    >>> describe_confusion("claim_type", {"labels": ["fact", "rule"], "n_tasks": 8, "n_groups": 5, "share": 0.3, "cost": 0.04, "tasks": []})
    'fact and rule are confused in 8 tasks of 5 groups of articles: 30 % of the disagreement on claim type. Settling them would raise alpha by 0.040.'
    """  # fmt: skip
    first, second = row["labels"]
    return (
        f"{first} and {second} are confused in {row['n_tasks']} task{'s' * (row['n_tasks'] != 1)} of "
        f"{row['n_groups']} group{'s' * (row['n_groups'] != 1)} of articles: {100 * row['share']:.0f} % of the "
        f"disagreement on {question.replace('_', ' ')}. Settling them would raise alpha by {row['cost']:.3f}."
    )
