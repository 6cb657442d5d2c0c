"""Confidence intervals over groups of articles, and the formats of figures that have one.

Articles of one group tell one story, so chance is between groups, never between rows. An interval is Student's t
around a figure, with the standard error of the delete-one-group jackknife, on a scale on which the figure's errors
are near normal. The choice, and the coverage: benchmarks/intervals.md. Letters: G groups, K labels.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Scale = Literal["share", "coefficient", "difference", "amount"]

FEWEST_GROUPS = 10  # over fewer, no interval is called one of 95 %
ALL_ALIKE = 1e-9  # a standard error below it: the same figure without any of the groups


class Score(TypedDict):
    """A figure over ``n`` with its 95 % interval; None is undefined, or has no interval for a ``reason``."""

    value: float | None
    low: float | None
    high: float | None
    n: NotRequired[int]
    reason: NotRequired[str]


def too_few_groups(groups: int) -> str | None:
    """Return why there is no interval over so few groups, or None where there is one.

    >>> too_few_groups(4)
    '4 groups, fewer than 10'
    """
    return f"{groups} groups, fewer than {FEWEST_GROUPS}" if groups < FEWEST_GROUPS else None


def effective_groups(weights: Floats) -> Floats:
    """Return how many groups of equal weight are worth as much; ``weights`` has shape (G,) or (G, K) (Kish 1965).

    >>> float(effective_groups(np.array([2.0, 2.0, 2.0]))), float(effective_groups(np.array([8.0, 1.0, 0.0])))
    (3.0, 1.2461538461538462)
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(weights.sum(axis=0) ** 2 / (weights**2).sum(axis=0))


def jackknife_error(without: Floats) -> float:
    """Return the standard error of a figure, of shape (G,): its values without each group (Efron & Stein 1981)."""
    g = len(without)
    return float(np.sqrt((g - 1) / g * ((without - without.mean()) ** 2).sum()))


def t_quantile(groups: float, probability: float = 0.975) -> float:
    """Return Student's t for an (effective) number of groups, two at the least."""
    return float(special.stdtrit(max(groups - 1, 1), probability))


def t_test(value: float, error: float, groups: float) -> float:
    """Return the two-sided p value of a figure's being 0; 1 where no group changes it and it is 0."""
    if error < ALL_ALIKE:
        return 1.0 if abs(value) < ALL_ALIKE else 0.0
    return float(2 * special.stdtr(max(groups - 1, 1), -abs(value) / error))


def interval_around(
    value: float, error: float, groups: float, scale: Scale, floor: float = -1.0
) -> tuple[float, float]:
    """Return the 95 % interval of a figure with a standard error over (effective) ``groups``.

    ``scale``: a share of 1 (on log odds), a coefficient of at most 1 such as alpha (on log(1 − value)), a difference
    of shares, or an amount. Where no group changes the figure, as in a perfect sample, the error says nothing: with
    95 % confidence at most 1 − 0.05^(1/G) of all groups would (the rule of three; Hanley & Lippman-Hand 1983), and
    they could pull the figure to its ends (of a coefficient, to ``floor``).

    >>> [round(end, 3) for end in interval_around(1.0, 0.0, 30, "share")]
    [0.905, 1.0]
    """
    ends = {"share": (0.0, 1.0), "coefficient": (floor, 1.0), "difference": (-1.0, 1.0)}
    reach = t_quantile(groups) * error
    if scale in ends and error < ALL_ALIKE:
        low, high = ends[scale]
        part = 1 - 0.05 ** (1 / groups)
        return value - part * (value - low), value + part * (high - value)
    if scale == "share":
        odds, wide = special.logit(value), reach / (value * (1 - value))
        return float(special.expit(odds - wide)), float(special.expit(odds + wide))
    if scale == "coefficient":
        factor = np.exp(reach / (1 - value))
        return float(max(floor, 1 - (1 - value) * factor)), float(1 - (1 - value) / factor)
    return value - reach, value + reach


def interval(
    value: float, without: Floats, scale: Scale, *, groups: float | None = None, floor: float = -1.0
) -> Score:
    """Return a figure with its interval, or with the reason why it has none; NaN is undefined.

    ``without`` has shape (G,): the figure without each group. ``groups`` is the effective number of them for this
    figure (by default all), which gives the degrees of freedom.
    """
    score: Score = {"value": None if np.isnan(value) else float(value), "low": None, "high": None}
    groups = len(without) if groups is None else groups
    if np.isnan(value):
        return score
    if reason := too_few_groups(len(without)):
        score["reason"] = reason
    elif np.isnan(without).any():
        score["reason"] = "undefined without one of the groups"
    else:
        error = jackknife_error(without)
        score["low"], score["high"] = interval_around(
            score["value"] or 0.0, error, groups, scale, floor
        )
    return score


def percentile_interval(replicates: Floats) -> tuple[float | None, float | None]:
    """Return the 95 % percentile interval of bootstrap replicates, shape (R,); None where none is defined.

    >>> percentile_interval(np.array([0.0, 1.0, np.nan]))
    (0.025, 0.975)
    """
    defined = replicates[~np.isnan(replicates)]
    if not len(defined):
        return None, None
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)


def format_number(value: float | None, digits: int = 3) -> str:
    """Return a figure as people read it; a figure that does not exist is ``undefined``, never 0.

    >>> format_number(0.5), format_number(None)
    ('0.500', 'undefined')
    """
    return "undefined" if value is None else f"{value:.{digits}f}"


def format_score(score: Mapping[str, Any], value: str = "value", digits: int = 3) -> str:
    """Return a score with its interval, or with the reason why it has none.

    ``score`` has the keys ``value``, ``low``, ``high`` and, where it applies, ``reason``.

    >>> format_score({"value": 0.5, "low": 0.4, "high": 0.61})
    '0.500 [0.400, 0.610]'
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
    return f"{figure} [{format_number(low, digits)}, {format_number(high, digits)}]"
