"""Scores from confusion counts, with intervals by bootstrap over groups (core.intervals).

Shapes: K labels; a confusion is an array (K, K), rows gold, columns predicted. Groups with the same confusion
are exchangeable, so only the distinct confusions are drawn.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from onrecord.core.intervals import (
    Floats,
    Ints,
    is_narrow,
    multinomial_weights,
    percentile_interval,
    too_few_groups,
)

Measure = Callable[[Floats], Floats]

REPLICATES = 10_000
MAX_DRAWN = 20_000_000  # weights held at once


class Score(TypedDict):
    """A figure with its 95 % interval. ``dropped`` replicates were undefined; ``reason`` says why a figure is null."""

    value: float | None
    low: float | None
    high: float | None
    dropped: NotRequired[int]
    reason: NotRequired[str | None]
    narrow: NotRequired[bool]


class Difference(Score):
    """First minus second. ``verdict`` is first, second, none (the interval holds 0) or unknown (no interval)."""

    verdict: str


class McNemar(TypedDict):
    """The exact test on which rows only one of two models gets right."""

    only_first_right: int
    only_second_right: int
    p: float
    blind_to: str


class Calibration(TypedDict):
    """Predicted probabilities against observed accuracy; ``bins`` are of the likeliest label's probability."""

    ece: float | None
    brier: float | None
    cross_entropy: float | None
    cross_entropy_soft: float | None
    bins: list[dict[str, float]]


def confusion(gold: Ints, predicted: Ints, labels: int) -> Ints:
    """Return counts of shape (K, K): gold by predicted."""
    return np.bincount(gold * labels + predicted, minlength=labels**2).reshape(labels, labels)


def group_confusions(gold: Ints, predicted: Ints, groups: Sequence[Any], labels: int) -> Ints:
    """Return one confusion a group, shape (groups, K * K), groups in sorted order."""
    _, place = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    cell = place * labels**2 + gold * labels + predicted
    count = int(place.max()) + 1 if len(place) else 0
    return np.bincount(cell, minlength=count * labels**2).reshape(count, labels**2)


def f1_per_label(counts: Floats) -> Floats:
    """Return F1 per label from confusions (..., K, K): NaN where a label is neither in gold nor predicted.

    >>> f1_per_label(np.array([[3., 1.], [1., 5.]])).round(3).tolist()
    [0.75, 0.833]
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    both = counts.sum(axis=-1) + counts.sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(both > 0, 2 * hits / both, np.nan))


def mean_f1(labels: Sequence[int]) -> Measure:
    """Return the measure "mean F1 of these labels"; undefined (NaN) where one of them has no gold."""
    chosen = list(labels)

    def measure(counts: Floats) -> Floats:
        scores = f1_per_label(counts)[..., chosen].mean(axis=-1)
        missing = (counts.sum(axis=-1)[..., chosen] == 0).any(axis=-1)
        return np.asarray(np.where(missing, np.nan, scores))

    return measure


def accuracy(counts: Floats) -> Floats:
    """Return the share of rows on the diagonal; NaN where there are no rows."""
    total = counts.sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.trace(counts, axis1=-2, axis2=-1) / np.where(total > 0, total, np.nan))


def measures(names: Sequence[str], gold: Ints) -> dict[str, Measure | None]:
    """Return macro_f1, f_avg and accuracy for these gold labels; None where one is not defined.

    macro-F1 is over the labels present in gold. F_avg is the mean F1 of favor and against, other labels
    kept as predictions (Mohammad et al. 2016, SemEval-2016 Task 6); both must be in gold.
    """
    present = sorted(set(gold.tolist()))
    sides = [names.index(n) for n in ("favor", "against") if n in names]
    both = len(sides) == 2 and set(sides) <= set(present)
    return {
        "macro_f1": mean_f1(present) if present else None,
        "f_avg": mean_f1(sides) if both else None,
        "accuracy": accuracy if present else None,
    }


def drawn_confusions(per_group: Ints, replicates: int, seed: int) -> Floats:
    """Return resampled sums of per-group counts: shape (replicates, cells) from (groups, cells).

    Each replicate draws as many groups as there are, with replacement.
    """
    distinct, multiplicity = np.unique(per_group, axis=0, return_counts=True)
    generator = np.random.default_rng(seed)
    drawn = np.empty((replicates, per_group.shape[1]))
    step = max(1, MAX_DRAWN // max(1, len(distinct)))
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        drawn[start : start + size] = multinomial_weights(multiplicity, size, generator) @ distinct
    return drawn


def intervals(
    per_group: Ints,
    measured: Mapping[str, Measure | None],
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, Score]:
    """Return each measure with its interval; ``per_group`` has shape (groups, K * K).

    Below 10 groups there is a reason instead of an interval; from 10 to 29 it is flagged narrow. Replicates in
    which a measure is undefined are dropped and counted.
    """
    side = round(per_group.shape[1] ** 0.5)
    too_few = too_few_groups(len(per_group))
    summed = per_group.sum(axis=0).reshape(side, side).astype(float)
    drawn = None if too_few else drawn_confusions(per_group, replicates, seed)
    found: dict[str, Score] = {}
    for name, measure in measured.items():
        value = np.nan if measure is None else float(measure(summed))
        score = Score(value=None if np.isnan(value) else value, low=None, high=None)
        if measure is None or np.isnan(value):
            score["reason"] = "not defined for these rows and labels"
        elif drawn is None:
            score["reason"] = too_few
        else:
            _add_interval(score, measure(drawn.reshape(-1, side, side)), len(per_group))
        found[name] = score
    return found


def _add_interval(score: Score, replicates: Floats, groups: int) -> None:
    score["low"], score["high"], score["dropped"] = percentile_interval(replicates)
    if score["low"] is None:
        score["reason"] = "no replicate is defined"
    if is_narrow(groups):
        score["narrow"] = True


def paired_difference(
    first: Ints, second: Ints, measure: Measure, *, replicates: int = REPLICATES, seed: int = 0
) -> Difference:
    """Return first minus second on the same groups; both have shape (groups, K * K), groups in the same order."""
    cells = first.shape[1]
    side = round(cells**0.5)

    def difference(counts: Floats) -> Floats:
        a, b = counts[..., :cells], counts[..., cells:]
        shape = (*counts.shape[:-1], side, side)
        return np.asarray(measure(a.reshape(shape)) - measure(b.reshape(shape)))

    joined = np.hstack([first, second])
    value = float(difference(joined.sum(axis=0).astype(float)))
    result = Difference(
        value=None if np.isnan(value) else value, low=None, high=None, verdict="unknown"
    )
    too_few = too_few_groups(len(first))
    if too_few or np.isnan(value):
        result["reason"] = too_few
        return result
    _add_interval(result, difference(drawn_confusions(joined, replicates, seed)), len(first))
    if result["low"] is not None and result["high"] is not None:
        result["verdict"] = "first" if result["low"] > 0 else "second" if result["high"] < 0 else "none"  # fmt: skip
    return result


def mcnemar(first_right: npt.NDArray[np.bool_], second_right: npt.NDArray[np.bool_]) -> McNemar:
    """Return the exact McNemar test of two models on the same rows. It is blind to groups.

    >>> mcnemar(np.array([1, 1, 1, 0], bool), np.array([0, 0, 0, 0], bool))["p"]
    0.25
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    total = only_first + only_second
    p = float(binomtest(only_first, total).pvalue) if total else 1.0
    return McNemar(only_first_right=only_first, only_second_right=only_second, p=p, blind_to="groups")  # fmt: skip


def calibration(probabilities: Floats, gold: Ints, soft: Floats, bins: int = 10) -> Calibration:
    """Return how well probabilities are calibrated.

    ``probabilities`` has shape (rows, K), each row summing to 1. ECE is over the likeliest label's probability in
    equal bins (Guo et al. 2017); Brier is summed over labels, 0 to 2; cross-entropy is in nats, and
    ``cross_entropy_soft`` is against the shares of votes (null where there are none).
    """
    rows = len(gold)
    if rows == 0:
        return {"ece": None, "brier": None, "cross_entropy": None, "cross_entropy_soft": None, "bins": []}  # fmt: skip
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    table = [
        {"from": b / bins, "to": (b + 1) / bins, "n": int(inside.sum()),
         "confidence": float(confidence[inside].mean()), "accuracy": float(right[inside].mean())}
        for b in range(bins) if (inside := place == b).any()
    ]  # fmt: skip
    logs = np.log(np.clip(probabilities, 1e-9, 1))
    voted = ~np.isnan(soft).any(axis=1)
    return {
        "ece": sum(b["n"] * abs(b["confidence"] - b["accuracy"]) for b in table) / rows,
        "brier": float(((probabilities - np.eye(probabilities.shape[1])[gold]) ** 2).sum(axis=1).mean()),
        "cross_entropy": float(-logs[np.arange(rows), gold].mean()),
        "cross_entropy_soft": float(-(soft[voted] * logs[voted]).sum(axis=1).mean()) if voted.any() else None,
        "bins": table,
    }  # fmt: skip
