"""Cross-validation by group: which rows are predicted by a model that saw none of their group."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

from onrecord.core.errors import BadInput
from onrecord.core.intervals import Floats, Ints
from onrecord.experiment.data import Examples
from onrecord.experiment.models.registry import (
    ModelSpec,
    fit_model,
    label_probabilities,
    make_model,
)
from onrecord.experiment.scoring import confusion, measures

Fold = tuple[Ints, Ints]


class Scores(TypedDict):
    """Scores without intervals, as shares of 1; None where one is not defined."""

    macro_f1: float | None
    f_avg: float | None
    accuracy: float | None


class FoldScores(Scores):
    """One fold: its size, the labels that its training rows lack, and its scores."""

    fold: int
    n_train: int
    n_test: int
    absent_from_training: list[str]


class CrossValidation(Scores):
    """``cv.json``: scores out of fold, over all rows and fold by fold."""

    n: int
    n_groups: int
    folds: list[FoldScores]


@dataclass(frozen=True)
class OutOfFold:
    """``probabilities`` (rows, labels) and the fold of each row, -1 for a row that no fold tests."""

    probabilities: Floats
    fold: Ints


def grouped_folds(examples: Examples, count: int, seed: int) -> list[Fold]:
    """Return (train, test) positions; no group is on both sides.

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
                raise BadInput(f"fold: the group {min(map(str, shared))!r} is in two folds")
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


def with_fold_units(examples: Examples, fold_by: str) -> Examples:
    """Return the examples with the groups that folds must not part: ``group``, or whole outlets."""
    if fold_by == "group":
        return examples
    if fold_by != "outlet":
        raise BadInput(f"fold_by={fold_by}: expected group or outlet")
    frame = examples.frame
    if (frame["outlet"] == "").any():
        row = frame.loc[frame["outlet"] == "", "id"].iloc[0]
        raise BadInput(f"fold_by=outlet: expected an outlet in every row, found none in {row!r}")
    return replace(examples, frame=frame.assign(group=frame["outlet"], fold=None))


def out_of_fold(
    examples: Examples, folds: Sequence[Fold], fit: Callable[[Examples], Any]
) -> OutOfFold:
    """Return what models predict for the rows that they did not see; ``fit`` makes one from training examples.

    A label that is absent from a fold's training rows cannot be predicted there: its probability is 0.
    """
    rows = len(examples.frame)
    found = OutOfFold(np.zeros((rows, len(examples.names))), np.full(rows, -1, dtype=np.int64))
    for number, (train, test) in enumerate(folds):
        model = fit(examples.take(train))
        found.probabilities[test] = label_probabilities(
            model, examples.frame.iloc[test], len(examples.names)
        )
        found.fold[test] = number
    return found


def cross_validate(
    examples: Examples, spec: ModelSpec, *, folds: int, fold_by: str, soft: bool, seed: int
) -> tuple[OutOfFold, CrossValidation]:
    """Return a model's predictions out of fold, and their scores.

    A story that several outlets printed is not learnt from where it is tested, also in folds by outlet.
    """
    groups = examples.groups.astype(str)
    cut = [
        (train[~np.isin(groups[train], groups[test])], test)
        for train, test in grouped_folds(with_fold_units(examples, fold_by), folds, seed)
    ]
    found = out_of_fold(examples, cut, lambda part: fit_model(make_model(spec, seed), part, soft=soft))  # fmt: skip
    gold, predicted = examples.labels, found.probabilities.argmax(axis=1)

    def score(rows: Any) -> Scores:
        counts = confusion(gold[rows], predicted[rows], len(examples.names)).astype(float)
        found = {
            name: None if measure is None else float(measure(counts))
            for name, measure in measures(examples.names, gold[rows]).items()
        }
        return Scores(macro_f1=found["macro_f1"], f_avg=found["f_avg"], accuracy=found["accuracy"])

    per_fold = [
        FoldScores(
            fold=number, n_train=len(train), n_test=len(test),
            absent_from_training=[
                examples.names[i] for i in sorted({*gold.tolist()} - {*gold[train].tolist()})
            ],
            **score(test),
        )
        for number, (train, test) in enumerate(cut)
    ]  # fmt: skip
    n_groups = len(set(examples.groups))
    cv = CrossValidation(n=len(gold), n_groups=n_groups, **score(found.fold >= 0), folds=per_fold)
    return found, cv
