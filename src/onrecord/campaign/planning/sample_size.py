"""Sample size: from a pilot's labels, the tasks and annotators that give an interval of a wanted width.

The width of an interval over groups falls with the square root of their number. A group's influence on alpha, or
on a label's share, is the derivative of the figure by the group's weight; the spread of the influences in the
pilot gives the width for any number of similar groups.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from onrecord.campaign.agreement.long_table import Answers, read_long
from onrecord.campaign.agreement.measures import counts_of
from onrecord.core.agreement_report import SampleSize
from onrecord.core.errors import BadInput
from onrecord.core.intervals import Floats, Ints, too_few_groups

Z = 1.959964  # of a 95 % interval


class Widths(NamedTuple):
    """The widths of the 95 % intervals of alpha (NaN where undefined) and of each label's share."""

    alpha: float
    labels: dict[str, float]


class TasksNeeded(NamedTuple):
    """The tasks that an interval of a wanted width takes: of alpha (None where unknown), of each label's share."""

    alpha: int | None
    labels: dict[str, int | None]


def subsample_annotators(counts: Floats, annotators: int, *, seed: int) -> Floats:
    """Return counts, shape (T, K), with ``annotators`` of each task's annotations drawn without replacement."""
    generator = np.random.default_rng(seed)
    whole = counts.astype(np.int64)
    kept = generator.multivariate_hypergeometric
    return np.array(
        [row if row.sum() <= annotators else kept(row, annotators) for row in whole],
        dtype=np.float64,
    ).reshape(counts.shape)


def spread_of_alpha(counts: Floats, groups: Ints) -> float:
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


def spread_of_share(counts: Floats, groups: Ints, label: int) -> float:
    """Return the same for a label's share of all annotations."""
    n = counts.sum(axis=1)
    share = counts[:, label].sum() / n.sum()
    return _spread((counts[:, label] - share * n) / n.sum(), groups)


def _spread(influence: Floats, groups: Ints) -> float:
    _, at = np.unique(groups, return_inverse=True)
    by_group = np.bincount(at, influence)
    g = len(by_group)
    return float(np.sqrt((by_group**2).sum() * g / max(1, g - 1)) * np.sqrt(g))


def predict_widths(
    answers: Answers, *, tasks: int, annotators: int | None = None, seed: int = 0
) -> Widths:
    """Return the widths of the 95 % intervals to expect from ``tasks`` tasks, alpha taken as nominal.

    Tasks come in groups as large as the pilot's. More ``annotators`` a task than the pilot has are taken as the
    pilot's number, which gives an upper bound: the pilot says no more.
    """
    counts = counts_of(answers)
    if annotators is not None:
        counts = subsample_annotators(counts, annotators, seed=seed)
    pairable = counts.sum(axis=1) >= 2
    per_group = pairable.sum() / max(1, len(np.unique(answers.group[pairable])))
    groups = max(tasks / per_group, 1.0) if per_group else 1.0
    annotated = counts.sum(axis=1) > 0

    def width(spread: float) -> float:
        return float(2 * Z * spread / np.sqrt(groups))

    return Widths(
        width(spread_of_alpha(counts, answers.group)),
        {
            label: width(spread_of_share(counts[annotated], answers.group[annotated], k))
            for k, label in enumerate(answers.labels)
            if counts[:, k].any()
        },
    )


def tasks_for(
    answers: Answers, *, width: float, annotators: int | None = None, seed: int = 0
) -> TasksNeeded:
    """Return how many tasks in all give intervals of at most ``width``."""
    own = int((counts_of(answers).sum(axis=1) >= 2).sum())
    now = predict_widths(answers, tasks=own, annotators=annotators, seed=seed)

    def needed(wide: float) -> int | None:
        return None if np.isnan(wide) else int(np.ceil(own * (wide / width) ** 2))

    return TasksNeeded(
        needed(now.alpha), {label: needed(wide) for label, wide in now.labels.items()}
    )


def sample_size(answers: Answers, *, width: float, seed: int = 0) -> SampleSize:
    """Return the interval's width now and the tasks that the wanted width takes, by annotators a task.

    A pilot with too few groups, or without a disagreement, predicts nothing and has a reason.
    """
    counts = counts_of(answers)
    pairable = counts.sum(axis=1) >= 2
    if reason := too_few_groups(len(np.unique(answers.group[pairable]))):
        return {"reason": f"{reason}: no width can be predicted"}
    n, most = int(pairable.sum()), int(counts.sum(axis=1).max())
    wide = predict_widths(answers, tasks=n, seed=seed).alpha
    if not wide > 0:
        return {"reason": "the annotators never differed: no width can be predicted"}
    return {
        "tasks": n, "width": wide, "wanted": width,
        "needed": {
            str(m): tasks_for(answers, width=width, annotators=m, seed=seed).alpha
            for m in range(2, min(most, 5) + 1)
        },
        "needed_per_label": tasks_for(answers, width=width, seed=seed).labels,
    }  # fmt: skip


def sample_advice(sizes: Mapping[str, SampleSize]) -> list[str]:
    """Return a sentence a question on how many more tasks the wanted width takes."""
    lines = []
    for question, row in sizes.items():
        name = question.replace("_", " ")
        if "reason" in row:
            lines.append(f"{name}: {row['reason']}.")
            continue
        most = max(row["needed"], key=int)  # annotators: more tasks a group are not assumed
        more = (row["needed"][most] or 0) - row["tasks"]
        advice = (
            f"{more:,} more tasks like these bring it to {row['wanted']:.2f}."
            if more > 0
            else f"that is within the wanted {row['wanted']:.2f}."
        )
        lines.append(
            f"{name}: alpha's interval is about {row['width']:.2f} wide; {advice} "
            f"{3 * row['tasks']:,} more would halve it."
        )
    return lines


def predict_precision(
    path: Path, *, tasks: int, annotators: int, width: float, seed: int
) -> list[str]:
    """Return what a pilot's long table predicts for a plan of ``tasks`` tasks: a note a question.

    Raises BadInput where the pilot has too few groups, or its annotators never differed.
    """
    lines = []
    for name, answers in read_long(path).items():
        found = sample_size(answers, width=width, seed=seed)
        if "reason" in found:
            raise BadInput(f"{path}: {name}: {found['reason']}")
        wide = predict_widths(answers, tasks=tasks, annotators=annotators, seed=seed)
        enough = tasks_for(answers, width=width, annotators=annotators, seed=seed)
        widest = max(wide.labels, key=wide.labels.__getitem__)
        lines.append(
            f"from the pilot, {name}: alpha's interval over these {tasks:,} sentences will be about {wide.alpha:.2f} "
            f"wide, that of a label's share at most {wide.labels[widest]:.2f} ({widest}); a width of {width:g} takes "
            f"{enough.alpha:,} sentences for alpha, {max(n or 0 for n in enough.labels.values()):,} for every share"
        )
    return lines
