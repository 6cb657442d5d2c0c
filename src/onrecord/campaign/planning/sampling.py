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
    """Return ``size`` of the ids, in their order, each stratum with its share of them (largest remainders).

    ``strata[i]`` names the stratum of ``ids[i]``; the probability is the share taken of the stratum.

    >>> stratified_sample(["a", "b", "c", "d"], ["x", "x", "y", "y"], 4, seed=0)
    {'a': 1.0, 'b': 1.0, 'c': 1.0, 'd': 1.0}
    """
    size = min(size, len(ids))
    members: dict[str, list[str]] = {}
    for identifier, stratum in zip(ids, strata, strict=True):
        members.setdefault(stratum, []).append(identifier)
    chosen: dict[str, float] = {}
    for stratum, seats in shares({s: len(m) for s, m in members.items()}, size).items():
        for identifier in lowest_hashes(members[stratum], seats, seed):
            chosen[identifier] = seats / len(members[stratum])
    return {i: chosen[i] for i in ids if i in chosen}


def shares(counts: Mapping[str, int], size: int) -> dict[str, int]:
    """Return how many of ``size`` seats each key gets in proportion to its count, by largest remainders.

    >>> shares({"x": 6, "y": 3, "z": 1}, 5)
    {'x': 3, 'y': 2, 'z': 0}
    """
    total = sum(counts.values())
    seats = {key: size * count // total for key, count in counts.items()}
    left = sorted(counts, key=lambda key: (-(size * counts[key] % total), key))
    for key in left[: size - sum(seats.values())]:
        seats[key] += 1
    return seats


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
