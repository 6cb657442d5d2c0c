"""Which group of articles goes to which split, or to which fold. A group never straddles two.

Every strategy takes one row a sentence, as parallel sequences, and returns ``{group: split}`` (or fold).
Assignments made earlier (``kept``) stay as they are; only new groups are placed.
"""

import hashlib
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from onrecord.core.errors import BadInput

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
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
    if len(names) < 2:
        raise BadInput(f"kfold: expected at least two groups, found {len(names)}")
    if k is not None and not 2 <= k <= len(names):
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


def by_date(
    groups: Sequence[str],
    dates: Sequence[str | None],
    *,
    shares: Mapping[str, float],
    train_until: str | None = None,
    validation_until: str | None = None,
    kept: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return a split for each group: all of train is dated before validation, and validation before test.

    A group is dated by its latest article, so that nothing in train is newer than the cut. The cuts are
    the last days of train and of validation: as given, else where earlier assignments (``kept``) put them,
    else where the rows, by day, come nearest to ``shares``. A day is never divided. Raises BadInput for
    a row without a date, and where not every split of ``shares`` gets a day.

    >>> by_date(["a", "b", "c"], ["2026-01-01", "2026-02-01", "2026-03-01"], shares={"train": 2, "test": 1})
    {'a': 'train', 'b': 'train', 'c': 'test'}
    """
    kept = kept or {}
    newest: dict[str, str] = {}
    for row, (group, date) in enumerate(zip(groups, dates, strict=True), 1):
        if date is None or not _DAY.match(date):
            raise BadInput(f"split=by_date: row {row} (group {group!r}) has no date YYYY-MM-DD, found {date!r}")  # fmt: skip
        newest[group] = max(newest.get(group, ""), date[:10])
    cuts = _kept_cuts(newest, kept) if kept else _share_cuts([newest[g] for g in groups], shares)
    first, second = train_until or cuts[0], validation_until or cuts[1]
    if second < first:
        raise BadInput(f"split=by_date: train until {first} is after validation until {second}")
    middle = "validation" if "validation" in shares else "test"
    split_of = {
        group: kept.get(group, "train" if date <= first else middle if date <= second else "test")
        for group, date in newest.items()
    }
    absent = set(shares) - set(split_of.values())
    if absent:
        raise BadInput(f"split=by_date: {' and '.join(sorted(absent))} would be empty (train until {first}, validation until {second})")  # fmt: skip
    return split_of


def _kept_cuts(newest: Mapping[str, str], kept: Mapping[str, str]) -> tuple[str, str]:
    """Return the last days of train and of what comes before test, as earlier assignments have them."""
    days: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for group, split in kept.items():
        days[split].append(newest[group])
    first = max(days["train"], default="")
    before_test = [date for date in newest.values() if not days["test"] or date < min(days["test"])]
    return first, max([first, *before_test])


def _share_cuts(dates: Sequence[str], shares: Mapping[str, float]) -> tuple[str, str]:
    days, counts = np.unique(np.array(dates), return_counts=True)
    reached = np.cumsum(counts) / len(dates)
    total = sum(shares.values())
    train = shares.get("train", 0.0) / total
    first = int(np.abs(reached - train).argmin())
    later = np.abs(reached - (train + shares.get("validation", 0.0) / total))
    second = first if "validation" not in shares else first + 1 + int(later[first + 1 :].argmin()) if first + 1 < len(days) else first  # fmt: skip
    return str(days[first]), str(days[second])


def by_outlet(
    groups: Sequence[str],
    outlets: Sequence[str | None],
    labels: Sequence[Hashable],
    *,
    shares: Mapping[str, float],
    seed: int,
    held_out: Mapping[str, Sequence[str]] | None = None,
    kept: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return a split for each group such that each outlet is in one split, as far as copies allow.

    ``held_out`` maps validation and test to outlets that are to be there; the others are placed as
    `by_group` places groups. A story that outlets of two splits printed goes to the most held-out of
    them: what it leaves of a training outlet in test the audit names. Raises BadInput for a row
    without an outlet, an outlet that is not there, and fewer outlets than splits.

    >>> by_outlet(["a", "b", "b"], ["X", "X", "Y"], ["l"] * 3, shares={"train": 1, "test": 1}, seed=0, held_out={"test": ["Y"]})
    {'a': 'train', 'b': 'test'}
    """
    for row, outlet in enumerate(outlets, 1):
        if outlet is None:
            raise BadInput(f"split=by_outlet: row {row} (group {groups[row - 1]!r}) has no outlet")
    names = [str(outlet) for outlet in outlets]
    placed = {o: split for split, found in (held_out or {}).items() for o in found}
    unknown = sorted(set(placed) - set(names))
    if unknown or len(set(names)) < len(shares):
        raise BadInput(f"split=by_outlet: expected {unknown[0] if unknown else len(shares)} among the outlets, found {', '.join(sorted(set(names)))}")  # fmt: skip
    kept = kept or {}
    seen: dict[str, list[str]] = {}
    for group, outlet in zip(groups, names, strict=True):
        if group in kept:
            seen.setdefault(outlet, []).append(kept[group])
    # An outlet's split is the least held-out of its stories': copies only ever move a story further out.
    earlier = {outlet: min(found, key=HELD_OUT.__getitem__) for outlet, found in seen.items()}
    split_of_outlet = _balanced(names, labels, dict(shares), seed, earlier | placed)
    found: dict[str, set[str]] = {}
    for group, outlet in zip(groups, names, strict=True):
        found.setdefault(group, set()).add(split_of_outlet[outlet])
    return {group: kept.get(group, most_held_out(splits)) for group, splits in found.items()}


def most_held_out(splits: Iterable[str]) -> str:
    """Return the split among these that a model must see least of.

    >>> most_held_out(["train", "test", "validation"])
    'test'
    """
    return max(splits, key=HELD_OUT.__getitem__)
