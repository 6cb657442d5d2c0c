"""Sums of agreement by group of articles, and the coefficients that are functions of them.

Each group's sums are computed once: the figures without a group are those of the total less its sums.
Letters: T tasks, K labels, G groups.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from onrecord.campaign.agreement.coefficients import Metric, alpha
from onrecord.core.intervals import Floats, Ints


@dataclass(frozen=True)
class Sums:
    """Sums over tasks, with any leading axes (groups, annotators, none); K at the end where there is a label.

    ``marginals`` (K): how often each label was given in pairable tasks. ``disagreement``: disagreeing
    pairs by the level's distance, over a task's annotations less one. ``agreement`` and ``pairable``: the
    share of agreeing pairs, and the tasks it is over; ``near``: the same with near labels agreeing in part.
    ``prevalence`` (K) and ``annotated``: the shares of labels in annotated tasks, and their number. ``both`` and
    ``possible`` (K): of specific agreement.
    """

    marginals: Floats
    disagreement: Floats
    agreement: Floats
    near: Floats
    pairable: Floats
    prevalence: Floats
    annotated: Floats
    both: Floats
    possible: Floats

    def map(self, function: Callable[[Floats], Floats]) -> "Sums":
        """Return the sums with ``function`` applied to each array."""
        return Sums(**{name: function(part) for name, part in vars(self).items()})


def sums_by_group(counts: Floats, groups: Ints, metric: Metric) -> Sums:
    """Return each group's sums, leading axis G; tasks with fewer than two annotations pair with nothing.

    ``counts`` has shape (T, K), ``groups`` (T,) numbers each task's group from 0.
    """
    n = counts.sum(axis=1)
    pairable = n >= 2
    pairs = np.where(pairable, n * (n - 1), 1)
    of_pairs = counts * pairable[:, None]
    both = of_pairs * (counts - 1)
    parts = {
        "marginals": of_pairs,
        "disagreement": np.where(
            pairable, ((counts @ metric.distance) * counts).sum(axis=1) / np.maximum(n - 1, 1), 0.0
        ),
        "agreement": np.where(pairable, both.sum(axis=1) / pairs, 0.0),
        "near": np.where(
            pairable, (((of_pairs @ metric.weights) * counts).sum(axis=1) - n) / pairs, 0.0
        ),
        "pairable": pairable.astype(np.float64),
        "prevalence": counts / np.maximum(n, 1)[:, None],
        "annotated": (n > 0).astype(np.float64),
        "both": both,
        "possible": of_pairs * (n - 1)[:, None],
    }
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    return Sums(**{name: _sum_by_group(part, groups, n_groups) for name, part in parts.items()})


def _sum_by_group(values: Floats, groups: Ints, n_groups: int) -> Floats:
    if values.ndim == 1:
        return np.bincount(groups, values, n_groups).astype(np.float64)
    return np.stack([np.bincount(groups, column, n_groups) for column in values.T], axis=1)


def total(sums: Sums) -> Sums:
    """Return the sums over all groups."""
    return sums.map(lambda part: np.asarray(part.sum(axis=0)))


def without_each(sums: Sums) -> Sums:
    """Return the sums without each group in turn, leading axis G."""
    return sums.map(lambda part: part.sum(axis=0) - part)


def pairable_groups(sums: Sums) -> Sums:
    """Return the groups with a pairable task; the others hold no agreement.

    They still count for how common a label is (``prevalence``, ``annotated``): that part is spread evenly over the
    groups that are kept.
    """
    kept = sums.pairable > 0
    return sums.map(lambda part: part[kept] + part[~kept].sum(axis=0) / max(1, kept.sum()))


def coefficients(sums: Sums, metric: Metric) -> dict[str, Floats]:
    """Return ``alpha``, ``percent``, ``ac1``, ``ac2``, ``fleiss`` and ``specific`` (K at the end); NaN where undefined.

    Sources: Krippendorff (2011); Gwet (2008, 2014) for AC1, AC2 and for Fleiss' kappa (1971) with missing
    annotations, prevalences from all annotated tasks; Spitzer & Fleiss (1974).
    """
    k = sums.marginals.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = sums.prevalence / sums.annotated[..., None]
        percent, near = sums.agreement / sums.pairable, sums.near / sums.pairable
        spread = (shares * (1 - shares)).sum(axis=-1) / np.float64(k - 1)

        def beyond(observed: Floats, chance: Floats) -> Floats:
            return np.asarray((observed - chance) / (1 - chance))

        return {
            "alpha": alpha(sums.marginals, sums.disagreement, metric.distance),
            "percent": percent,
            "ac1": beyond(percent, spread),
            "ac2": beyond(near, spread * metric.weights.sum() / k),
            "fleiss": beyond(percent, (shares**2).sum(axis=-1)),
            "specific": sums.both / sums.possible,
        }
