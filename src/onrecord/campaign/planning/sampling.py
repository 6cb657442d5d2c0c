"""Choose the sentences to annotate when the corpus is larger than the budget.

Each method returns the chosen sentences with their inclusion probabilities, so that counts in the sample can be
weighted back to the corpus (Horvitz and Thompson 1952).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from onrecord.core.errors import BadInput
from onrecord.core.intervals import Floats

FLOOR = 0.1  # of an uncertainty sample is spread evenly, so that every sentence can be drawn


def random_sample(ids: Sequence[str], size: int, seed: int) -> dict[str, float]:
    """Return ``size`` of the ids in their order, all equally likely, with their probability."""
    size = min(size, len(ids))
    chosen = set(lowest_hashes(ids, size, seed))
    return {i: size / len(ids) for i in ids if i in chosen}


def lowest_hashes(ids: Iterable[str], size: int, seed: int | str) -> list[str]:
    """Return a random draw of ``size`` ids: those with the lowest hashes of seed and id.

    An id's hash never changes (permanent random numbers, Brewer et al. 1972), so a growing corpus changes an
    earlier draw as little as possible.
    """
    return sorted(ids, key=lambda i: hashlib.sha256(f"{seed}\n{i}".encode()).digest())[:size]


def stratified_sample(
    ids: Sequence[str], strata: Sequence[str], size: int, seed: int
) -> dict[str, float]:
    """Return ``size`` of the ids, in their order, each stratum with its share of them, and their probability.

    ``strata[i]`` names the stratum of ``ids[i]``. A share that is no whole number is rounded up or down at random
    (systematically over the strata), so that every id has the same probability, also in a stratum too small for a
    seat of its own.

    >>> stratified_sample(["a", "b", "c", "d"], ["x", "x", "y", "y"], 4, seed=0)
    {'a': 1.0, 'b': 1.0, 'c': 1.0, 'd': 1.0}
    """
    size = min(size, len(ids))
    members: dict[str, list[str]] = {}
    for identifier, stratum in zip(ids, strata, strict=True):
        members.setdefault(stratum, []).append(identifier)
    start = int(hashlib.sha256(f"{seed} seats".encode()).hexdigest()[:8], 16) % max(1, len(ids))
    chosen: set[str] = set()
    passed = 0
    for stratum in sorted(members):
        first, last = (
            (start + size * n) // len(ids) for n in (passed, passed + len(members[stratum]))
        )
        chosen.update(lowest_hashes(members[stratum], last - first, seed))
        passed += len(members[stratum])
    return {i: size / len(ids) for i in ids if i in chosen}


def group_sample(
    ids: Sequence[str], groups: Sequence[str], size: int, seed: int
) -> dict[str, float]:
    """Return the ids of whole groups, in their order, about ``size`` of them: each group as likely as any other.

    ``groups[i]`` names the group of ``ids[i]``. People read an article whole, and copies of it once; an estimate from
    such a sample takes its errors to go together within a group.
    """
    names = dict.fromkeys(groups)
    count = min(len(names), max(1, round(size * len(names) / len(ids))))
    chosen = set(lowest_hashes(names, count, seed))
    return {i: count / len(names) for i, g in zip(ids, groups, strict=True) if g in chosen}


def uncertainty_sample(
    ids: Sequence[str], probabilities: Mapping[str, Sequence[float]], size: int, seed: int
) -> dict[str, float]:
    """Return ``size`` of the ids in their order, drawn more often the less certain the model is of them.

    ``probabilities`` maps each id to the model's probability of each label; the measure is their entropy.
    The draw is systematic along a random order, which makes the inclusion probabilities exact (Madow 1949).
    Raises BadInput for an id without a prediction.
    """
    missing = [identifier for identifier in ids if identifier not in probabilities]
    if missing:
        raise BadInput(
            f"predictions: expected one for every sentence, found none for {missing[0]} and "
            f"{len(missing) - 1} more: run `onrecord predict` again"
        )
    size = min(size, len(ids))
    chances = inclusion(np.array([entropy(probabilities[i]) for i in ids]), size)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(ids))
    ends = np.cumsum(chances[order])
    ticks = np.arange(size) + rng.uniform(0, 1)
    hit = order[np.minimum(np.searchsorted(ends, ticks, side="right"), len(ids) - 1)]
    return {ids[i]: float(chances[i]) for i in sorted(set(hit.tolist()))}


def entropy(probabilities: Sequence[float]) -> float:
    """Return the entropy of a distribution, in nats.

    >>> round(entropy([0.5, 0.5]), 3), entropy([1.0, 0.0])
    (0.693, 0.0)
    """
    p = np.asarray(probabilities, dtype=float)
    p = p[p > 0]
    return float(-(p * np.log(p)).sum()) + 0.0


def inclusion(weights: Floats, size: int) -> Floats:
    """Return inclusion probabilities that sum to ``size``: proportional to the weights, FLOOR spread evenly, at most 1.

    >>> inclusion(np.array([1.0, 1.0, 0.0, 0.0]), 2).round(3).tolist()
    [0.95, 0.95, 0.05, 0.05]
    """
    n = len(weights)
    total = weights.sum()
    share = FLOOR / n + (1 - FLOOR) * (weights / total if total > 0 else np.full(n, 1 / n))
    sure = np.zeros(n, dtype=bool)
    while True:
        chances = np.ones(n)
        free = share[~sure]
        if free.size:
            chances[~sure] = (size - sure.sum()) * free / free.sum()
        over = chances > 1
        if not over.any():
            return chances
        sure |= over
