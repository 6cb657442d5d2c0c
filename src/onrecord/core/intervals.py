"""Confidence intervals over groups of articles: drawing groups, percentiles, and when an interval is refused.

Articles of one group tell one story, so groups are drawn, never rows. Every interval of the project is made
here. Letters: R replicates, G groups, U distinct groups.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST_GROUPS = 10  # a percentile bootstrap over fewer covers too little to be called 95 %
NARROW_GROUPS = 30  # and from here on it is near its nominal coverage
MAX_CELLS = 2_000_000  # weights held in memory at once


class Score(TypedDict):
    """A figure over ``n`` with its 95 % interval; None is undefined, or has no interval for a ``reason``."""

    value: float | None
    low: float | None
    high: float | None
    n: NotRequired[int]
    narrow: NotRequired[bool]
    reason: NotRequired[str]
    undefined_replicates: NotRequired[int]


def too_few_groups(groups: int) -> str | None:
    """Return why there is no interval over so few groups, or None where there is one.

    >>> too_few_groups(4)
    '4 groups, fewer than 10'
    """
    return f"{groups} groups, fewer than {FEWEST_GROUPS}" if groups < FEWEST_GROUPS else None


def is_narrow(groups: int) -> bool:
    """Return whether an interval over so many groups is known to be too narrow (10 to 29 groups)."""
    return groups < NARROW_GROUPS


def group_weights(multiplicity: Ints, replicates: int, generator: np.random.Generator) -> Floats:
    """Return how often each distinct group is drawn, shape (R, U), when all G are drawn with replacement.

    ``multiplicity`` (U,) says how many groups are equal to each distinct one; they sum to G. Equal groups are
    exchangeable, so one multinomial draw serves them all (benchmarks/bootstrap.md).
    """
    n_groups, distinct = int(multiplicity.sum()), len(multiplicity)
    if distinct < n_groups / 8:
        return multinomial_weights(multiplicity, replicates, generator)
    picked = generator.integers(0, n_groups, (replicates, n_groups))
    if distinct < n_groups:
        picked = np.repeat(np.arange(distinct), multiplicity)[picked]
    picked += distinct * np.arange(replicates)[:, None]
    counts = np.bincount(picked.ravel(), minlength=replicates * distinct)
    return counts.reshape(replicates, distinct).astype(np.float64)


def weight_batches(
    multiplicity: Ints, replicates: int, generator: np.random.Generator
) -> Iterator[Floats]:
    """Yield the weights of :func:`group_weights` a batch of replicates at a time, each small enough for memory."""
    batch = max(1, MAX_CELLS // int(multiplicity.sum()))
    for start in range(0, replicates, batch):
        yield group_weights(multiplicity, min(batch, replicates - start), generator)


def multinomial_weights(
    multiplicity: Ints, replicates: int, generator: np.random.Generator
) -> Floats:
    """Return what :func:`group_weights` does, always by multinomial draws: committed studies depend on them."""
    n_groups = int(multiplicity.sum())
    drawn = generator.multinomial(n_groups, multiplicity / n_groups, size=replicates)
    return drawn.astype(np.float64)


def percentile_interval(replicates: Floats) -> tuple[float | None, float | None, int]:
    """Return ``(low, high, undefined)``: the 95 % percentile interval, and how many replicates were NaN.

    ``replicates`` has shape (R,). ``low`` and ``high`` are None where no replicate is defined.

    >>> percentile_interval(np.array([0.0, 1.0, np.nan]))
    (0.025, 0.975, 1)
    """
    defined = replicates[~np.isnan(replicates)]
    undefined = len(replicates) - len(defined)
    if not len(defined):
        return None, None, undefined
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high), undefined


def format_number(value: float | None, digits: int = 3) -> str:
    """Return a figure as people read it; a figure that does not exist is ``undefined``, never 0.

    >>> format_number(0.5), format_number(None)
    ('0.500', 'undefined')
    """
    return "undefined" if value is None else f"{value:.{digits}f}"


def format_score(score: Mapping[str, Any], value: str = "value", digits: int = 3) -> str:
    """Return a score with its interval, or with the reason why it has none.

    ``score`` has the keys ``value``, ``low``, ``high`` and, where they apply, ``narrow`` and ``reason``.

    >>> format_score({"value": 0.5, "low": 0.4, "high": 0.61})
    '0.500 [0.400, 0.610]'
    >>> format_score({"value": 0.5, "low": 0.4, "high": 0.61, "narrow": True})
    '0.500 [0.400, 0.610] (narrow)'
    >>> format_score({"value": 0.5, "low": None, "high": None, "reason": "4 groups, fewer than 10"})
    '0.500 (no interval: 4 groups, fewer than 10)'
    """
    figure = format_number(score[value], digits)
    low, high = score.get("low"), score.get("high")
    if score[value] is None or low is None or high is None:
        reason = score.get("reason")
        if not reason:
            return figure
        return (
            f"{figure} ({reason})" if score[value] is None else f"{figure} (no interval: {reason})"
        )
    narrow = " (narrow)" if score.get("narrow") else ""
    return f"{figure} [{format_number(low, digits)}, {format_number(high, digits)}]{narrow}"
