"""Intervals by bootstrap over groups of articles, exact and fast.

Every coefficient is a function of sums over tasks. The sums of each group are taken once; a replicate draws
groups with replacement, which weights those sums, so that no task is looked at again. Groups whose sums
are equal are drawn together, from one multinomial: a table without groups costs no more than one with few.
Letters: T tasks, K labels, G groups, R replicates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onrecord.campaign.agreement.coefficients import Counts, alpha

MIN_GROUPS = 10  # a percentile bootstrap over fewer covers too little to be called 95 %
WIDE_GROUPS = 30  # and from here on it is near its nominal coverage
CELLS = 2_000_000  # weights held in memory at once


@dataclass(frozen=True)
class Sums:
    """Sums over tasks, with any leading axes (groups, replicates, none); K at the end where there is a label.

    ``marginals`` (K): how often each label was given in pairable tasks. ``disagreement``: disagreeing
    pairs by the level's distance, over a task's annotations less one. ``agreement`` and ``pairable``: the
    share of agreeing pairs, and the tasks it is over. ``prevalence`` (K) and ``annotated``: the shares of
    labels in annotated tasks, and their number. ``both`` and ``possible`` (K): of specific agreement.
    """

    marginals: Counts
    disagreement: Counts
    agreement: Counts
    pairable: Counts
    prevalence: Counts
    annotated: Counts
    both: Counts
    possible: Counts


def sums_by_group(counts: Counts, groups: NDArray[np.int64], distance: Counts) -> Sums:
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
    return Sums(**{name: _added(part, groups, n_groups) for name, part in parts.items()})


def _added(values: Counts, groups: NDArray[np.int64], n_groups: int) -> Counts:
    if values.ndim == 1:
        return np.bincount(groups, values, n_groups).astype(np.float64)
    return np.stack([np.bincount(groups, column, n_groups) for column in values.T], axis=1)


def total(sums: Sums) -> Sums:
    """Return the sums over all groups."""
    return Sums(**{name: part.sum(axis=0) for name, part in vars(sums).items()})


def present(sums: Sums) -> Sums:
    """Return the groups with a pairable task: the others say nothing of agreement, and are not drawn.

    They do say how common a label is (``prevalence``, ``annotated``): that is laid evenly on the groups
    that are kept, so that it is in every replicate as a whole.
    """
    kept = sums.pairable > 0
    return Sums(
        **{
            name: part[kept] + part[~kept].sum(axis=0) / max(1, kept.sum())
            for name, part in vars(sums).items()
        }
    )


def figures(sums: Sums, distance: Counts) -> dict[str, Counts]:
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


def weights(
    multiplicity: NDArray[np.int64], replicates: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return how often each distinct group is drawn, shape (R, U), when all G are drawn with replacement.

    ``multiplicity`` (U,) says how many groups are equal to each distinct one; they sum to G.
    """
    n_groups, distinct = int(multiplicity.sum()), len(multiplicity)
    if distinct < n_groups / 8:
        return generator.multinomial(
            n_groups, multiplicity / n_groups, size=replicates
        ).astype(np.float64)  # fmt: skip
    drawn = generator.integers(0, n_groups, (replicates, n_groups))
    if distinct < n_groups:
        drawn = np.repeat(np.arange(distinct), multiplicity)[drawn]
    drawn += distinct * np.arange(replicates)[:, None]
    flat = np.bincount(drawn.ravel(), minlength=replicates * distinct)
    return flat.reshape(replicates, distinct).astype(np.float64)


def replicated(sums: Sums, *, replicates: int, seed: int) -> Iterator[Sums]:
    """Yield the sums of resampled groups, the replicates in batches along the leading axis."""
    names, parts = list(vars(sums)), [p.reshape(len(p), -1) for p in vars(sums).values()]
    rows, multiplicity = np.unique(np.hstack(parts), axis=0, return_counts=True)
    n_groups = len(sums.pairable)
    batch = max(1, CELLS // n_groups)
    generator = np.random.default_rng(seed)
    cuts = np.cumsum([p.shape[1] for p in parts])[:-1]
    for start in range(0, replicates, batch):
        size = min(batch, replicates - start)
        drawn = np.split(weights(multiplicity, size, generator) @ rows, cuts, axis=1)
        yield Sums(
            **{
                name: part if getattr(sums, name).ndim == 2 else part[:, 0]
                for name, part in zip(names, drawn, strict=True)
            }
        )


def bootstrap(sums: Sums, distance: Counts, *, replicates: int, seed: int) -> dict[str, Counts]:
    """Return each figure of each replicate, leading axis R; NaN where it is undefined."""
    found = [figures(part, distance) for part in replicated(sums, replicates=replicates, seed=seed)]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def interval(replicates: Counts) -> dict[str, Any]:
    """Return ``low`` and ``high`` (95 %, percentiles) and how many undefined replicates were dropped."""
    kept = replicates[~np.isnan(replicates)]
    if not len(kept):
        return {"low": None, "high": None, "undefined_replicates": len(replicates)}
    low, high = np.percentile(kept, [2.5, 97.5])
    return {
        "low": float(low), "high": float(high), "undefined_replicates": len(replicates) - len(kept),
    }  # fmt: skip


def caution(n_groups: int) -> str | None:
    """Return why there is no interval over so few groups, or None where there is one.

    >>> caution(4)
    '4 groups, fewer than 10'
    """
    return f"{n_groups} groups, fewer than {MIN_GROUPS}" if n_groups < MIN_GROUPS else None
