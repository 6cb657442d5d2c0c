"""How much is enough: from a pilot's labels, the tasks and annotators for a wanted width of an interval.

The width of a mean over groups falls with the square root of their number. What a group adds to alpha, or
to a label's share, is its influence (the derivative of the figure by the group's weight); the spread of the
influences in the pilot gives the width for any number of groups of the same kind.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from onrecord.campaign.agreement.bootstrap import MIN_GROUPS
from onrecord.campaign.agreement.coefficients import Counts
from onrecord.campaign.agreement.long_table import Answers, answers_of, read_long
from onrecord.campaign.agreement.measures import counts_of
from onrecord.core.errors import BadInput

Z = 1.959964  # of a 95 % interval


def thinned(counts: Counts, annotators: int, *, seed: int) -> Counts:
    """Return counts, shape (T, K), with ``annotators`` of each task's annotations drawn without replacement."""
    generator = np.random.default_rng(seed)
    whole = counts.astype(np.int64)
    kept = generator.multivariate_hypergeometric
    return np.array(
        [row if row.sum() <= annotators else kept(row, annotators) for row in whole],
        dtype=np.float64,
    ).reshape(counts.shape)


def spread_of_alpha(counts: Counts, groups: np.ndarray[Any, Any]) -> float:
    """Return the standard deviation of nominal alpha over all G groups, times the square root of G.

    ``counts`` has shape (T, K), ``groups`` (T,). Divided by the square root of a number of groups it is the
    standard error that so many would give. NaN where alpha is undefined. Alpha = 1 − D/E with D and E the
    observed and expected disagreement; the influence of a group is linear in both.
    """  # fmt: skip
    n = counts.sum(axis=1)
    kept = n >= 2
    counts, n, groups = counts[kept], n[kept], groups[kept]
    if not len(n):
        return float("nan")
    disagreeing = (n * n - (counts**2).sum(axis=1)) / (n - 1)
    whole = n.sum()
    share = counts.sum(axis=0) / whole
    expected = 1 - (share**2).sum()
    if expected <= 0:
        return float("nan")
    observed = disagreeing.sum() / whole
    of_observed = (disagreeing - observed * n) / whole
    of_expected = -2 * (counts - share * n[:, None]) @ share / whole
    influence = -(of_observed / expected) + observed / expected**2 * of_expected
    return _spread(influence, groups)


def spread_of_share(counts: Counts, groups: np.ndarray[Any, Any], label: int) -> float:
    """Return the same for a label's share of all annotations."""
    n = counts.sum(axis=1)
    share = counts[:, label].sum() / n.sum()
    return _spread((counts[:, label] - share * n) / n.sum(), groups)


def _spread(influence: Counts, groups: np.ndarray[Any, Any]) -> float:
    _, at = np.unique(groups, return_inverse=True)
    by_group = np.bincount(at, influence)
    g = len(by_group)
    return float(np.sqrt((by_group**2).sum() * g / max(1, g - 1)) * np.sqrt(g))


def predicted_widths(
    answers: Answers, *, tasks: int, annotators: int | None = None, seed: int = 0
) -> dict[str, Any]:
    """Return the width of the 95 % intervals of alpha and of each label's share to expect from ``tasks`` tasks.

    Tasks come in groups as large as the pilot's. ``annotators`` a task beyond the pilot's own number are
    taken as that number, an upper bound: the pilot cannot tell more. Alpha is taken as nominal.
    """  # fmt: skip
    counts = counts_of(answers)
    if annotators is not None:
        counts = thinned(counts, annotators, seed=seed)
    pairable = counts.sum(axis=1) >= 2
    per_group = pairable.sum() / max(1, len(np.unique(answers.group[pairable])))
    groups = max(tasks / per_group, 1.0) if per_group else 1.0
    annotated = counts.sum(axis=1) > 0
    return {
        "alpha": 2 * Z * spread_of_alpha(counts, answers.group) / np.sqrt(groups),
        "labels": {
            label: 2 * Z * spread_of_share(counts[annotated], answers.group[annotated], k) / np.sqrt(groups)
            for k, label in enumerate(answers.labels)
            if counts[:, k].any()
        },
    }  # fmt: skip


def tasks_for(
    answers: Answers, *, width: float, annotators: int | None = None, seed: int = 0
) -> dict[str, Any]:
    """Return how many tasks in all an interval of at most ``width`` takes, for alpha and each label's share."""  # fmt: skip
    own = int((counts_of(answers).sum(axis=1) >= 2).sum())
    now = predicted_widths(answers, tasks=own, annotators=annotators, seed=seed)

    def needed(wide: float) -> int | None:
        return None if np.isnan(wide) else int(np.ceil(own * (wide / width) ** 2))

    return {
        "alpha": needed(now["alpha"]),
        "labels": {label: needed(wide) for label, wide in now["labels"].items()},
    }


def advice(questions: Mapping[str, Answers], *, width: float, seed: int = 0) -> dict[str, Any]:
    """Return per question: the width now and what the wanted one takes, by annotators a task.

    A pilot of fewer than MIN_GROUPS groups, or in which nobody differed, predicts nothing, with the reason.
    """  # fmt: skip
    found: dict[str, Any] = {}
    for name, answers in questions.items():
        counts = counts_of(answers)
        pairable = counts.sum(axis=1) >= 2
        n_groups = len(np.unique(answers.group[pairable]))
        if n_groups < MIN_GROUPS:
            found[name] = {
                "reason": f"{n_groups} groups, fewer than {MIN_GROUPS}: no width can be told"
            }
            continue
        n, most = int(pairable.sum()), int(counts.sum(axis=1).max())
        wide = predicted_widths(answers, tasks=n, seed=seed)
        if not wide["alpha"] > 0:
            found[name] = {"reason": "nobody differed: no width can be told"}
            continue
        found[name] = {
            "tasks": n, "width": wide["alpha"], "wanted": width,
            "needed": {
                str(m): tasks_for(answers, width=width, annotators=m, seed=seed)["alpha"]
                for m in range(2, min(most, 5) + 1)
            },
            "needed_per_label": tasks_for(answers, width=width, seed=seed)["labels"],
        }  # fmt: skip
    return found


def foretold(path: Path, *, tasks: int, annotators: int, width: float, seed: int) -> list[str]:
    """Return, as notes for a plan, what a pilot's long table foretells of so many tasks: widths, and what is enough.

    Raises BadInput where the pilot has too few groups, or nobody in it differed.
    """  # fmt: skip
    lines = []
    for name, table in read_long(path).items():
        answers = answers_of({column: table[column] for column in table.column_names})
        told = advice({name: answers}, width=width, seed=seed)[name]
        if "reason" in told:
            raise BadInput(f"{path}: {name}: {told['reason']}")
        wide = predicted_widths(answers, tasks=tasks, annotators=annotators, seed=seed)
        enough = tasks_for(answers, width=width, annotators=annotators, seed=seed)
        widest = max(wide["labels"], key=wide["labels"].__getitem__)
        lines.append(
            f"from the pilot, {name}: alpha's interval over these {tasks:,} sentences will be some {wide['alpha']:.2f} "
            f"wide, that of a label's share at most {wide['labels'][widest]:.2f} ({widest}); a width of {width:g} takes "
            f"{enough['alpha']:,} sentences for alpha, {max(enough['labels'].values()):,} for every share"
        )
    return lines
