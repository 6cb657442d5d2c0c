"""Chance-corrected agreement from counts: how many annotators gave each task each label.

Letters: T tasks, K labels. ``group_sums`` has the other coefficients, and the intervals.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from onrecord.core.intervals import Floats, Ints

Level = Literal["nominal", "ordinal", "interval"]


def label_counts(tasks: Ints, labels: Ints, n_tasks: int, n_labels: int) -> Floats:
    """Return counts of shape (T, K) from parallel arrays: the task and the label of each annotation."""
    flat = np.bincount(tasks * n_labels + labels, minlength=n_tasks * n_labels)
    return flat.reshape(n_tasks, n_labels).astype(np.float64)


def distances(marginals: Floats, level: Level, values: Sequence[float] | None = None) -> Floats:
    """Return squared distances between labels, shape (K, K).

    nominal: 1 between any two. interval: the squared difference of ``values`` (default: their order).
    ordinal: Krippendorff's, from the marginals of all tasks, which the bootstrap then keeps.

    Source: Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
    """
    k = len(marginals)
    if level == "nominal":
        return 1.0 - np.eye(k)
    if level == "interval":
        at = np.asarray(values if values is not None else range(k), dtype=np.float64)
        return np.asarray((at[:, None] - at[None, :]) ** 2)
    cumulative = np.concatenate([[0.0], np.cumsum(marginals)])
    middle = cumulative[:-1] + marginals / 2
    return np.asarray((middle[:, None] - middle[None, :]) ** 2)


def alpha(marginals: Floats, disagreement: Floats, distance: Floats) -> Floats:
    """Return Krippendorff's alpha for sums of shape (…, K) and (…); NaN where it is undefined.

    Source: Krippendorff (2011): 1 − (n − 1) · observed / expected disagreement.
    """
    n = marginals.sum(axis=-1)
    expected = ((marginals @ distance) * marginals).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (n - 1) * disagreement / expected, np.nan))


def why_undefined(counts: Floats, labels: Sequence[str]) -> str | None:
    """Return why alpha cannot be computed from counts of shape (T, K), or None where it can."""
    pairable = counts[counts.sum(axis=1) >= 2]
    if not len(pairable):
        return "no task has two annotations"
    used = [label for label, n in zip(labels, pairable.sum(axis=0), strict=True) if n]
    if len(used) < 2:
        return f"only the label {used[0]!r} was ever used, which leaves chance agreement undefined"
    return None


def cohen_kappa(first: Ints, second: Ints, n_labels: int) -> float | None:
    """Return Cohen's kappa of two annotators' labels of the same tasks; None where it is undefined."""
    if not len(first):
        return None
    table = label_counts(first, second, n_labels, n_labels) / len(first)
    chance = float(table.sum(axis=1) @ table.sum(axis=0))
    return None if chance >= 1 else float((np.trace(table) - chance) / (1 - chance))
