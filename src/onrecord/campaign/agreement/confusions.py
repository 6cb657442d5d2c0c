"""Codebook problems: the label pairs and flags that cost most agreement, with votes, clauses and advice."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import answers_to, coincidences, counts_of
from onrecord.scheme.guideline_clauses import clauses
from onrecord.scheme.scheme import Scheme


def costs(answers: Answers, most: int = 5) -> list[dict[str, Any]]:
    """Return the pairs of labels that cost most nominal alpha, dearest first, with the tasks that part on them.

    ``cost``: how much higher alpha would be if those who part on the two had agreed on it, chance agreement
    as it is. ``share``: of all disagreeing pairs of annotations.
    """  # fmt: skip
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
    found = []
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
    rows: Sequence[Mapping[str, Any]], questions: Mapping[str, Answers], scheme: Scheme
) -> list[dict[str, Any]]:
    """Return per flag and question the share of its flagged tasks (ticked by anyone) that are in dispute.

    ``hint`` is what the scheme says that the flag is for, ``everywhere`` the share of all tasks in dispute.
    """
    hints = {flag.name: flag.hint for flag in scheme.flags}
    ticked: dict[str, set[str]] = {}
    for row in rows:
        for flag in row["flags"]:
            ticked.setdefault(flag, set()).add(row["sentence_id"])
    found = []
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


def problems(
    questions: Mapping[str, Answers], scheme: Scheme | None, guidelines: str
) -> list[dict[str, Any]]:
    """Return every question's dearest confusions, dearest first, with votes and the clauses that apply."""
    found = []
    for name, answers in questions.items():
        kind = scheme.questions[name].kind if scheme and name in scheme.questions else "label"
        if kind == "name":  # names are not the codebook's
            continue
        for row in costs(answers):
            votes = {task: answers_to(answers, task) for task in row["tasks"]}
            found.append(
                {
                    "question": name, **row, "votes": votes,
                    "clauses": clauses(guidelines, name, row["labels"], questions),
                    "advice": in_words(name, row),
                }
            )  # fmt: skip
    return sorted(found, key=lambda row: -row["cost"])


def in_words(question: str, row: Mapping[str, Any]) -> str:
    """Return the plain sentence about one confusion.

    >>> in_words("claim_type", {"labels": ["fact", "rule"], "n_tasks": 8, "n_groups": 5, "share": 0.3, "cost": 0.04})
    'fact and rule are confused in 8 tasks of 5 groups of articles: 30 % of the disagreement on claim type. Settling them would raise alpha by 0.040.'
    """  # fmt: skip
    a, b = row["labels"]
    return (
        f"{a} and {b} are confused in {row['n_tasks']} task{'s' * (row['n_tasks'] != 1)} of {row['n_groups']} "
        f"group{'s' * (row['n_groups'] != 1)} of articles: {row['share']:.0%} of the disagreement on "
        f"{question.replace('_', ' ')}. Settling them would raise alpha by {row['cost']:.3f}."
    ).replace("%", " %", 1)


def sample_advice(enough: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a plain sentence a question on how many more tasks the wanted width takes."""
    lines = []
    for name, row in enough.items():
        if "reason" in row:
            lines.append(f"{name.replace('_', ' ')}: {row['reason']}.")
            continue
        # More tasks a group are not counted on: groups of the same size are.
        most = max(row["needed"], key=int)
        more = (row["needed"][most] or 0) - row["tasks"]
        lines.append(
            f"{name.replace('_', ' ')}: alpha's interval is some {row['width']:.2f} wide; "
            + (
                f"{more:,} more tasks like these bring it to {row['wanted']:.2f}."
                if more > 0
                else f"that is within the wanted {row['wanted']:.2f}."
            )
            + f" {3 * row['tasks']:,} more would halve it."
        )
    return lines
