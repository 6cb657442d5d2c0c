"""
Which group of articles goes to which split, or to which fold. A group never straddles two.

Every strategy takes one row a sentence, as parallel sequences, and returns ``{group: split}`` (or fold).
Assignments made earlier (``kept``) stay as they are; only new groups are placed.
"""

import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from onrecord.records import BadInput

HELD_OUT = {"train": 0, "validation": 1, "test": 2}  # the most held-out has the highest number
Part = TypeVar("Part", str, int)


def by_group(
    groups: Sequence[str],
    labels: Sequence[Hashable],
    *,
    shares: Mapping[str, float],
    seed: int,
    kept: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return a split for each group, sizes and labels as near to ``shares`` as whole groups allow.

    ``shares`` maps each split to its share of the rows and is scaled to sum to 1. The largest groups are
    placed first, each where it brings the label counts nearest to what the shares ask (least squares,
    each label scaled by its count). Where there are groups enough, no split stays empty. Equal groups
    are taken in an order that depends on the seed and the group's id alone.

    >>> split_of = by_group(["a", "a", "b", "c"], ["x", "x", "x", "y"], shares={"train": 2, "test": 1}, seed=0)
    >>> split_of["a"], sorted(split_of.values())
    ('train', ['test', 'train', 'train'])
    """
    if not shares or min(shares.values()) <= 0:
        raise BadInput(f"shares: expected a positive share a split, found {dict(shares)}")
    return _balanced(groups, labels, dict(shares), seed, kept or {})


def kfold(
    groups: Sequence[str],
    labels: Sequence[Hashable],
    *,
    k: int | None,
    seed: int,
    kept: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Return a fold from 0 for each group: ``k`` folds of equal size and labels, or (k null) a fold a group.

    Raises BadInput unless there are two groups, and as many as folds.

    >>> kfold(["a", "b", "a", "c"], ["x"] * 4, k=None, seed=0)
    {'a': 0, 'b': 1, 'c': 2}
    """
    names = sorted(set(groups))
    if len(names) < 2 or (k is not None and not 2 <= k <= len(names)):
        raise BadInput(f"kfold: expected from 2 to {len(names)} folds for {len(names)} groups, found {k}")  # fmt: skip
    if k is None:
        return _one_fold_each(names, kept or {})
    return _balanced(
        groups,
        labels,
        dict.fromkeys(range(k), 1.0),
        seed,
        {g: f for g, f in (kept or {}).items() if f < k},
    )


def _one_fold_each(names: Sequence[str], kept: Mapping[str, int]) -> dict[str, int]:
    folds, taken = {}, set()
    for name in names:  # two kept groups that have become one leave a number free
        if name in kept and kept[name] not in taken:
            folds[name] = kept[name]
            taken.add(kept[name])
    free = (number for number in range(2 * len(names)) if number not in taken)
    return {name: folds[name] if name in folds else next(free) for name in names}


def _balanced(
    groups: Sequence[str],
    labels: Sequence[Hashable],
    shares: Mapping[Part, float],
    seed: int,
    kept: Mapping[str, Part],
) -> dict[str, Part]:
    names, counts = _label_counts(groups, labels)
    share = np.array(list(shares.values()), dtype=float)
    share /= share.sum()
    parts = list(shares)
    scale = counts.sum(axis=0)
    wanted = share[:, None]  # in units of each label's total
    weights = counts / scale
    have = np.zeros((len(parts), counts.shape[1]))
    placed: dict[str, Part] = {}
    for row, name in enumerate(names):
        if name in kept:
            placed[name] = kept[name]
            have[parts.index(kept[name])] += weights[row]
    rest = [row for row, name in enumerate(names) if name not in placed]
    rest.sort(key=lambda row: (-counts[row, 0], _draw(seed, names[row])))
    for position, row in enumerate(rest):
        empty = [p for p in range(len(parts)) if not have[p].any()]
        candidates = empty if len(rest) - position <= len(empty) else range(len(parts))
        cost = (weights[row] * (2 * (have - wanted) + weights[row])).sum(axis=1)
        best = min(candidates, key=lambda p: (cost[p], p))
        have[best] += weights[row]
        placed[names[row]] = parts[best]
    return placed


def _label_counts(
    groups: Sequence[str], labels: Sequence[Hashable]
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return the groups, sorted, and per group the count of rows and of each label: (groups, 1 + labels)."""
    names = sorted(set(groups))
    row_of = {name: row for row, name in enumerate(names)}
    column_of = {label: 1 + i for i, label in enumerate(sorted(set(labels), key=str))}
    counts = np.zeros((len(names), 1 + len(column_of)))
    rows = np.fromiter((row_of[g] for g in groups), dtype=np.intp, count=len(groups))
    columns = np.fromiter((column_of[x] for x in labels), dtype=np.intp, count=len(labels))
    np.add.at(counts, (rows, columns), 1)
    counts[:, 0] = counts.sum(axis=1)
    return names, counts


def _draw(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def fixed(declared: Sequence[Any], where: str) -> list[str]:
    """Return each row's split as a table's own ``split`` column declares it (dev is validation).

    Raises BadInput for any other word, and where there is no training row. A group declared in two
    splits is not mended here: the audit fails on it.

    >>> fixed(["train", "dev"], "rows")
    ['train', 'validation']
    """
    words = {"train": "train", "validation": "validation", "dev": "validation", "test": "test"}
    for row, word in enumerate(declared, 1):
        if word not in words:
            raise BadInput(
                f"{where}, row {row}: expected split train, test, validation or dev, found {word!r}"
            )
    splits = [words[word] for word in declared]
    if "train" not in splits:
        raise BadInput(f"{where}: no row is declared train")
    return splits


def most_held_out(splits: Iterable[str]) -> str:
    """
    Return the split among these that a model must see least of.

    >>> most_held_out(["train", "test", "validation"])
    'test'
    """
    return max(splits, key=HELD_OUT.__getitem__)
