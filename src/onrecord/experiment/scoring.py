"""Scores from confusion counts, with intervals over groups (core.intervals).

Shapes: K labels; a confusion is an array (K, K), rows gold, columns predicted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from onrecord.core.intervals import (
    Floats,
    Ints,
    Score,
    effective_groups,
    interval,
    jackknife_error,
    t_quantile,
    t_test,
)

Measure = Callable[[Floats], Floats]

MAX_DRAWN = 20_000_000  # weights held at once


class Difference(Score):
    """First minus second. ``verdict`` is first, second, none or unknown (no interval); ``p_holm`` is over all pairs."""

    verdict: str
    p: float | None
    detectable: float | None
    p_holm: float | None


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


@dataclass(frozen=True)
class MeanF1:
    """The measure "mean F1 of these labels"; undefined (NaN) where one of them has no gold."""

    labels: Sequence[int]

    def __call__(self, counts: Floats) -> Floats:
        """Return the measure of confusions (..., K, K)."""
        scores = f1_per_label(counts)[..., list(self.labels)].mean(axis=-1)
        missing = (counts.sum(axis=-1)[..., list(self.labels)] == 0).any(axis=-1)
        return np.asarray(np.where(missing, np.nan, scores))


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
        "macro_f1": MeanF1(present) if present else None,
        "f_avg": MeanF1(sides) if both else None,
        "accuracy": accuracy if present else None,
    }


def drawn_confusions(per_group: Ints, replicates: int, seed: int) -> Floats:
    """Return resampled sums of per-group counts: shape (replicates, cells) from (groups, cells).

    Each replicate draws as many groups as there are, with replacement; equal groups are drawn together.
    """
    distinct, multiplicity = np.unique(per_group, axis=0, return_counts=True)
    generator, groups = np.random.default_rng(seed), len(per_group)
    drawn = np.empty((replicates, per_group.shape[1]))
    step = max(1, MAX_DRAWN // max(1, len(distinct)))
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        weights = generator.multinomial(groups, multiplicity / groups, size=size)
        drawn[start : start + size] = weights.astype(np.float64) @ distinct
    return drawn


def intervals(per_group: Ints, measured: Mapping[str, Measure | None]) -> dict[str, Score]:
    """Return each measure with its interval over groups, or a reason; ``per_group`` has shape (groups, K * K).

    The groups that count for a mean F1 are those that hold its labels: the harmonic mean of their effective numbers.
    """
    side = round(per_group.shape[1] ** 0.5)
    confusions = per_group.reshape(-1, side, side).astype(float)
    whole = confusions.sum(axis=0)
    found: dict[str, Score] = {}
    for name, measure in measured.items():
        value = np.nan if measure is None else float(measure(whole))
        if measure is None or np.isnan(value):
            found[name] = Score(value=None, low=None, high=None, reason="not defined for these rows and labels")  # fmt: skip
            continue
        groups = effective_groups(confusions.sum(axis=(1, 2)))
        if isinstance(measure, MeanF1):
            held = confusions.sum(axis=1) + confusions.sum(axis=2)
            groups = 1 / (1 / effective_groups(held[:, list(measure.labels)])).mean()
        found[name] = interval(value, measure(whole - confusions), "share", groups=float(groups))
    return found


def paired_difference(first: Ints, second: Ints, measure: Measure) -> Difference:
    """Return first minus second on the same groups; both have shape (groups, K * K), groups in the same order.

    ``p`` is of the t test that the interval inverts, ``detectable`` the difference that these groups would show as
    one in four cases of five. The verdict is by ``p`` at 5 %; ``compare`` corrects it where it tests several pairs.
    """
    side = round(first.shape[1] ** 0.5)
    one, other = (part.reshape(-1, side, side).astype(float) for part in (first, second))
    a, b = one.sum(axis=0), other.sum(axis=0)
    value, without = float(measure(a) - measure(b)), measure(a - one) - measure(b - other)
    groups = float(effective_groups(one.sum(axis=(1, 2))))
    scored = interval(value, without, "difference", groups=groups)
    result = Difference(**scored, verdict="unknown", p=None, p_holm=None, detectable=None)
    if scored["low"] is not None:
        error = jackknife_error(without)
        p = t_test(value, error, groups)
        result |= {"p": p, "verdict": verdict(value, p)}
        result["detectable"] = (t_quantile(groups) + t_quantile(groups, 0.8)) * error or None
    return result


def verdict(value: float, p: float) -> str:
    """Return which of two models is better at the 5 % level: first, second or none.

    >>> verdict(-0.1, 0.03), verdict(-0.1, 0.06)
    ('second', 'none')
    """
    if p >= 0.05:
        return "none"
    return "first" if value > 0 else "second"


def holm(p: Sequence[float]) -> list[float]:
    """Return p values corrected for their number (Holm 1979), in the order given.

    >>> [round(value, 3) for value in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    raised = np.asarray(p, dtype=float)[order] * (len(p) - np.arange(len(p)))
    found = np.empty(len(p))
    found[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return [float(value) for value in found]


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
