"""Chance-corrected agreement from counts: how many annotators gave each task each label.

Letters: T tasks, K labels. ``group_sums`` has the other coefficients, and the intervals.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from onrecord.core.intervals import Floats, Ints

Level = Literal["nominal", "ordinal", "interval"]


def label_counts(tasks: Ints, labels: Ints, n_tasks: int, n_labels: int) -> Floats:
    """Return counts of shape (T, K) from parallel arrays: the task and the label of each annotation."""
    flat = np.bincount(tasks * n_labels + labels, minlength=n_tasks * n_labels)
    return flat.reshape(n_tasks, n_labels).astype(np.float64)


class Metric(NamedTuple):
    """How far labels are apart, for alpha, and how far they agree (1: wholly), for AC2 and kappa; both (K, K)."""

    distance: Floats
    weights: Floats


def metric(marginals: Floats, level: Level, values: Sequence[float] | None = None) -> Metric:
    """Return the metric of a level, from the labels' use (K,) and, for an interval level, their ``values``.

    nominal: labels agree or differ. interval: the squared difference of the values (default: of their order).
    ordinal: Krippendorff's distance, from how many labels lie between. The weights of both are quadratic, of the
    values or of the order (Cohen 1968).

    Source: Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
    """
    k = len(marginals)
    if level == "nominal":
        return Metric(1.0 - np.eye(k), np.eye(k))

    def squared(at: Floats) -> Floats:
        return np.asarray((at[:, None] - at[None, :]) ** 2)

    apart = squared(np.asarray(values if level == "interval" and values else range(k), np.float64))
    weights = 1 - apart / max(apart.max(initial=0.0), 1e-300)
    if level == "interval":
        return Metric(apart, weights)
    cumulative = np.concatenate([[0.0], np.cumsum(marginals)])
    return Metric(squared(cumulative[:-1] + marginals / 2), weights)


def alpha(marginals: Floats, disagreement: Floats, distance: Floats) -> Floats:
    """Return Krippendorff's alpha for sums of shape (…, K) and (…); NaN where it is undefined.

    Source: Krippendorff (2011): 1 − (n − 1) · observed / expected disagreement.
    """
    n = marginals.sum(axis=-1)
    expected = ((marginals @ distance) * marginals).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (n - 1) * disagreement / expected, np.nan))


def lowest(marginals: Floats) -> float:
    """Return what a chance-corrected coefficient is, for labels used so often (K,), if no pair agreed; −1 at least."""
    chance = float(((marginals / marginals.sum()) ** 2).sum())
    return -1.0 if chance >= 0.5 else -chance / (1 - chance)


def why_undefined(counts: Floats, labels: Sequence[str]) -> str | None:
    """Return why alpha cannot be computed from counts of shape (T, K), or None where it can."""
    pairable = counts[counts.sum(axis=1) >= 2]
    if not len(pairable):
        return "no task has two annotations"
    used = [label for label, n in zip(labels, pairable.sum(axis=0), strict=True) if n]
    if len(used) < 2:
        return f"only the label {used[0]!r} was ever used, which leaves chance agreement undefined"
    return None


def cohen_kappa(first: Ints, second: Ints, weights: Floats) -> float | None:
    """Return Cohen's kappa of two annotators' labels of the same tasks, weighted; None where it is undefined.

    ``weights`` (K, K) are those of a metric. Sources: Cohen (1960, 1968).
    """
    if not len(first):
        return None
    k = len(weights)
    table = label_counts(first, second, k, k) / len(first)
    chance = float(table.sum(axis=1) @ weights @ table.sum(axis=0))
    return None if chance >= 1 else float(((weights * table).sum() - chance) / (1 - chance))
