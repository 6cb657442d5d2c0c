"""Sample size: from a pilot's labels, the tasks and annotators that give an interval of a wanted width.

A task's influence on alpha, or on a label's share, is the derivative of the figure by the task's weight. Its variance,
and the correlation of influences within a group, give the standard error over any number of groups of any size, and
with it the interval of core.intervals.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from onrecord.campaign.agreement.long_table import Answers, read_long
from onrecord.campaign.agreement.measures import counts_of
from onrecord.core.agreement_report import SampleSize
from onrecord.core.errors import BadInput
from onrecord.core.intervals import (
    FEWEST_GROUPS,
    Floats,
    Ints,
    Scale,
    interval_around,
    too_few_groups,
)

ASSUMED_CORRELATION = 0.05  # within a group, where each group of the pilot has one task


class Precision(NamedTuple):
    """A figure in the pilot, the variance of one task's influence, and the correlation of a group's tasks."""

    value: float
    scale: Scale
    variance: float
    correlation: float

    def error(self, tasks: float, per_group: float) -> float:
        """Return the standard error over ``tasks``, in groups of ``per_group`` (the design effect of Kish 1965)."""
        effect = max(1 + (per_group - 1) * self.correlation, 1 / per_group)
        return float(np.sqrt(self.variance * effect / tasks))

    def width(self, tasks: float, per_group: float) -> float:
        """Return the width of the 95 % interval."""
        error = self.error(tasks, per_group)
        low, high = interval_around(self.value, error, max(tasks / per_group, 2), self.scale)
        return high - low

    def tasks_for(self, width: float, per_group: float) -> int:
        """Return the fewest tasks whose interval is at most so wide; they make FEWEST_GROUPS groups at the least."""
        low = high = int(np.ceil(FEWEST_GROUPS * per_group))
        while self.width(high, per_group) > width:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.width(middle, per_group) > width else (low, middle)
        return high


class Pilot(NamedTuple):
    """What a pilot's labels say of one question: the precision of alpha and of each label's share, None if unknown.

    ``per_group`` is the size of the groups as a task meets it (Σn² / Σn).
    """

    tasks: int
    per_group: float
    alpha: Precision | None
    labels: dict[str, Precision]


def subsample_annotators(counts: Floats, annotators: int, *, seed: int) -> Floats:
    """Return counts, shape (T, K), with ``annotators`` of each task's annotations drawn without replacement."""
    generator = np.random.default_rng(seed)
    whole = counts.astype(np.int64)
    kept = generator.multivariate_hypergeometric
    return np.array(
        [row if row.sum() <= annotators else kept(row, annotators) for row in whole],
        dtype=np.float64,
    ).reshape(counts.shape)


def read_pilot(answers: Answers, *, annotators: int | None = None, seed: int = 0) -> Pilot:
    """Return the precision that a pilot's labels show, alpha taken as nominal.

    With ``annotators`` a task fewer than the pilot has, that many are drawn. More are taken as the pilot's number,
    which gives an upper bound: the pilot says no more.
    """
    counts = counts_of(answers)
    if annotators is not None:
        counts = subsample_annotators(counts, annotators, seed=seed)
    n = counts.sum(axis=1)
    pairable = n >= 2
    sizes = np.unique(answers.group[pairable], return_counts=True)[1].astype(float)
    annotated = n > 0
    labels = {
        label: found
        for k, label in enumerate(answers.labels)
        if (found := share_precision(counts[annotated], answers.group[annotated], k))
    }
    return Pilot(
        int(pairable.sum()), float((sizes**2).sum() / max(sizes.sum(), 1)),
        alpha_precision(counts[pairable], answers.group[pairable]), labels,
    )  # fmt: skip


def alpha_precision(counts: Floats, groups: Ints) -> Precision | None:
    """Return the precision of nominal alpha from counts (T, K) of pairable tasks; None where there is no spread.

    Alpha = 1 − D/E with D and E the observed and expected disagreement; a task's influence is linear in both.
    """
    n = counts.sum(axis=1)
    whole = n.sum()
    share = counts.sum(axis=0) / max(whole, 1)
    expected = 1 - (share**2).sum()
    if not len(n) or expected <= 0:
        return None
    disagreeing = (n * n - (counts**2).sum(axis=1)) / (n - 1)
    observed = disagreeing.sum() / whole
    of_observed = (disagreeing - observed * n) / whole
    of_expected = -2 * (counts - share * n[:, None]) @ share / whole
    influence = -(of_observed / expected) + observed / expected**2 * of_expected
    return _precision(1 - observed / expected, influence, groups, "coefficient")


def share_precision(counts: Floats, groups: Ints, label: int) -> Precision | None:
    """Return the precision of a label's share of all annotations; None where there is no spread."""
    n = counts.sum(axis=1)
    share = counts[:, label].sum() / n.sum()
    return _precision(share, (counts[:, label] - share * n) / n.sum(), groups, "share")


def _precision(value: float, influence: Floats, groups: Ints, scale: Scale) -> Precision | None:
    """Return the precision of a figure, from the influence of each task on it, which sum to 0."""
    alone = float((influence**2).sum())
    if alone <= 1e-18:
        return None
    _, at, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    g, per_group = len(sizes), float((sizes.astype(float) ** 2).sum() / sizes.sum())
    effect = float((np.bincount(at, influence) ** 2).sum()) / alone * g / max(g - 1, 1)
    correlation = (effect - 1) / (per_group - 1) if per_group > 1.05 else ASSUMED_CORRELATION
    return Precision(float(value), scale, len(influence) * alone, float(min(correlation, 1.0)))


def sample_size(answers: Answers, *, width: float, seed: int = 0) -> SampleSize:
    """Return the interval's width now and the tasks that the wanted width takes, by annotators a task.

    A pilot with too few groups, or without a disagreement, predicts nothing and has a reason.
    """
    counts = counts_of(answers)
    pairable = counts.sum(axis=1) >= 2
    if reason := too_few_groups(len(np.unique(answers.group[pairable]))):
        return {"reason": f"{reason}: no width can be predicted"}
    pilot = read_pilot(answers, seed=seed)
    if not pilot.alpha:
        return {"reason": "the annotators never differed: no width can be predicted"}
    needed: dict[str, int | None] = {}
    for m in range(2, min(int(counts.sum(axis=1).max()), 5) + 1):
        part = read_pilot(answers, annotators=m, seed=seed)
        needed[str(m)] = part.alpha and part.alpha.tasks_for(width, part.per_group)
    wide = pilot.alpha.width(pilot.tasks, pilot.per_group)
    return {
        "tasks": pilot.tasks, "width": wide, "wanted": width, "needed": needed,
        "halved": pilot.alpha.tasks_for(wide / 2, pilot.per_group),
        "needed_per_label": {
            label: share.tasks_for(width, pilot.per_group) for label, share in pilot.labels.items()
        },
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
            f"{row['halved'] - row['tasks']:,} more would halve it."
        )
    return lines


def predict_precision(
    path: Path, sizes: Sequence[int], *, annotators: int, width: float, seed: int
) -> list[str]:
    """Return what a pilot's long table predicts for a plan whose groups have these ``sizes``: a line a question.

    Raises BadInput where the pilot has too few groups, or its annotators never differed.
    """
    lines = []
    tasks, per_group = sum(sizes), sum(n * n for n in sizes) / max(sum(sizes), 1)
    for name, answers in read_long(path).items():
        found = sample_size(answers, width=width, seed=seed)
        if "reason" in found:
            raise BadInput(f"{path}: {name}: {found['reason']}")
        pilot = read_pilot(answers, annotators=annotators, seed=seed)
        if not pilot.alpha or not tasks:
            continue
        wide = {k: share.width(tasks, per_group) for k, share in pilot.labels.items()}
        widest = max(wide, key=wide.__getitem__)
        shares = max(share.tasks_for(width, per_group) for share in pilot.labels.values())
        lines.append(
            f"from the pilot, {name}: alpha's interval over these {tasks:,} sentences will be about "
            f"{pilot.alpha.width(tasks, per_group):.2f} wide (alpha {pilot.alpha.value:.2f}, correlation within a group "
            f"{pilot.alpha.correlation:.2f}), that of a label's share at most {wide[widest]:.2f} ({widest}); a width of "
            f"{width:g} takes {pilot.alpha.tasks_for(width, per_group):,} sentences for alpha, {shares:,} for every share"
        )
    return lines
