"""Sums of agreement by group of articles, and the bootstrap over them: exact, and fast.

Every coefficient is a function of sums over tasks. Each group's sums are computed once. A replicate draws groups
with replacement, which weights their sums, so no task is read again. Groups with equal sums are drawn together:
a table without groups costs no more than one with few groups.
Letters: T tasks, K labels, G groups, R replicates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from onrecord.campaign.agreement.coefficients import alpha
from onrecord.core.intervals import Floats, Ints, weight_batches


@dataclass(frozen=True)
class Sums:
    """Sums over tasks, with any leading axes (groups, replicates, none); K at the end where there is a label.

    ``marginals`` (K): how often each label was given in pairable tasks. ``disagreement``: disagreeing
    pairs by the level's distance, over a task's annotations less one. ``agreement`` and ``pairable``: the
    share of agreeing pairs, and the tasks it is over. ``prevalence`` (K) and ``annotated``: the shares of
    labels in annotated tasks, and their number. ``both`` and ``possible`` (K): of specific agreement.
    """

    marginals: Floats
    disagreement: Floats
    agreement: Floats
    pairable: Floats
    prevalence: Floats
    annotated: Floats
    both: Floats
    possible: Floats

    def map(self, function: Callable[[Floats], Floats]) -> "Sums":
        """Return the sums with ``function`` applied to each array."""
        return Sums(**{name: function(part) for name, part in vars(self).items()})


def sums_by_group(counts: Floats, groups: Ints, distance: Floats) -> Sums:
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
            pairable, ((counts @ distance) * counts).sum(axis=1) / np.maximum(n - 1, 1), 0.0
        ),
        "agreement": np.where(pairable, both.sum(axis=1) / pairs, 0.0),
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


def pairable_groups(sums: Sums) -> Sums:
    """Return the groups with a pairable task; the others hold no agreement and are not drawn.

    The others still count for how common a label is (``prevalence``, ``annotated``): that part is spread evenly
    over the groups that are kept, so that every replicate has all of it.
    """
    kept = sums.pairable > 0
    return sums.map(lambda part: part[kept] + part[~kept].sum(axis=0) / max(1, kept.sum()))


def coefficients(sums: Sums, distance: Floats) -> dict[str, Floats]:
    """Return ``alpha``, ``percent``, ``ac1`` and ``specific`` (K at the end); NaN where undefined.

    Sources: Krippendorff (2011); Gwet (2008), prevalences from all annotated tasks; Spitzer & Fleiss (1974).
    """
    k = sums.marginals.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = sums.agreement / sums.pairable
        shares = sums.prevalence / sums.annotated[..., None]
        chance = (shares * (1 - shares)).sum(axis=-1) / (k - 1) if k > 1 else np.nan
        return {
            "alpha": alpha(sums.marginals, sums.disagreement, distance),
            "percent": percent,
            "ac1": np.asarray((percent - chance) / (1 - chance)),
            "specific": sums.both / sums.possible,
        }


def resampled(sums: Sums, *, replicates: int, seed: int) -> Iterator[Sums]:
    """Yield the sums of resampled groups, the replicates in batches along the leading axis."""
    names, parts = list(vars(sums)), [p.reshape(len(p), -1) for p in vars(sums).values()]
    rows, multiplicity = np.unique(np.hstack(parts), axis=0, return_counts=True)
    cuts = np.cumsum([p.shape[1] for p in parts])[:-1]
    for weights in weight_batches(multiplicity, replicates, np.random.default_rng(seed)):
        drawn = np.split(weights @ rows, cuts, axis=1)
        yield Sums(
            **{
                name: part if getattr(sums, name).ndim == 2 else part[:, 0]
                for name, part in zip(names, drawn, strict=True)
            }
        )


def bootstrap(sums: Sums, distance: Floats, *, replicates: int, seed: int) -> dict[str, Floats]:
    """Return each coefficient of each replicate, leading axis R; NaN where it is undefined."""
    found = [
        coefficients(part, distance) for part in resampled(sums, replicates=replicates, seed=seed)
    ]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}
