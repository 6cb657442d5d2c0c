"""Cross-validation by group: which rows are predicted by a model that saw none of their group."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

from onrecord.core.errors import BadInput
from onrecord.experiment.data import Examples
from onrecord.experiment.models.registry import label_probabilities

Positions = npt.NDArray[np.int64]


def grouped_folds(examples: Examples, count: int, seed: int) -> list[tuple[Positions, Positions]]:
    """Return (train, test) positions; no group stands on both sides.

    The dataset's own ``fold`` column is followed where it has one; else ``count`` folds (fewer where there
    are fewer groups), stratified by label. Raises BadInput for one group only.
    """
    groups, labels = examples.groups, examples.labels
    present = len(set(groups))
    if present < 2:
        raise BadInput(
            f"expected at least two groups to cross-validate by group, found {present} in {len(labels)} rows"
        )
    own = examples.frame["fold"]
    if own.notna().all():
        values = own.to_numpy()
        pairs = [(values != v, values == v) for v in sorted(set(values))]
        folds = [(np.flatnonzero(a), np.flatnonzero(b)) for a, b in pairs]
        for train, test in folds:
            shared = set(groups[train]) & set(groups[test])
            if shared:
                raise BadInput(f"fold: the group {min(map(str, shared))!r} stands in two folds")
        return folds
    parts = min(count, present)
    if parts < 2:
        raise BadInput(f"folds: expected 2 or more, found {count}")
    zeros = np.zeros(len(labels))
    if np.bincount(labels).max() < parts:  # too few rows of each label to stratify
        cut = GroupKFold(parts, shuffle=True, random_state=seed).split(zeros, labels, groups)
    elif present == len(labels):
        cut = StratifiedKFold(parts, shuffle=True, random_state=seed).split(zeros, labels)
    else:
        cut = StratifiedGroupKFold(parts, shuffle=True, random_state=seed).split(
            zeros, labels, groups
        )
    return [(train, test) for train, test in cut if len(test) and len(train)]


def out_of_fold(
    examples: Examples,
    folds: Sequence[tuple[Positions, Positions]],
    fit: Callable[[Examples], Any],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[npt.NDArray[np.float64], Positions, list[Mapping[str, Any]]]:
    """Return probabilities (rows, labels), the fold of each row (-1 where none), and notes on the folds.

    ``fit`` makes a model from training examples. A label that is absent from a fold's training rows cannot
    be predicted there: it gets probability 0 and a note.
    """
    chances = np.zeros((len(examples.frame), len(examples.names)))
    fold_of = np.full(len(examples.frame), -1, dtype=np.int64)
    notes: list[Mapping[str, Any]] = []
    everywhere = set(examples.labels.tolist())
    for number, (train, test) in enumerate(folds):
        model = fit(examples.take(train))
        chances[test] = label_probabilities(model, examples.frame.iloc[test], len(examples.names))
        fold_of[test] = number
        absent = sorted(everywhere - set(examples.labels[train].tolist()))
        notes.append(
            {"fold": number, "n_train": len(train), "n_test": len(test),
             "absent_from_training": [examples.names[i] for i in absent]}
        )  # fmt: skip
        progress(number + 1, len(folds))
    return chances, fold_of, notes
