"""Estimators that scikit-learn lacks, and the check that a fit moved and converged.

Every model is an estimator with ``classes_`` (indices of label names) and ``predict_proba``; those made of whole
models take the examples' frame. Saved files name these classes by this module.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from onrecord.core.errors import BadInput

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


class GroupedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier that takes ``groups`` in ``fit``, and whose decision is the likeliest class."""

    takes_groups = True

    def predict(self, rows: Any) -> Labels:
        """Return the likeliest class."""
        return np.asarray(self.classes_[self.predict_proba(rows).argmax(axis=1)])


class TemperatureScaled(GroupedClassifier):
    """A classifier that has margins only, such as a linear SVM, with probabilities by one temperature.

    The temperature minimises the cross-entropy of margins predicted out of fold, by group. One number for all
    labels keeps their order, so the classifier's decisions stay as they are.
    """

    def __init__(self, estimator: Any = None) -> None:
        self.estimator = estimator

    def fit(
        self, matrix: Any, y: Labels, groups: Any = None, sample_weight: Any = None
    ) -> "TemperatureScaled":
        """Fit the margins and the temperature; with fewer than two groups the temperature is 1."""
        groups, weight = _defaults(y, groups, sample_weight)
        self.estimator_ = fit_checked(clone(self.estimator), matrix, y, groups, weight)
        self.classes_ = self.estimator_.classes_
        margins, y_true = [], []
        for train, test in inner_folds(groups):
            if set(y[train]) == set(self.classes_):
                part = fit_checked(
                    clone(self.estimator), matrix[train], y[train], groups[train], weight[train]
                )
                margins.append(_margins(part, matrix[test]))
                y_true.append(np.searchsorted(self.classes_, y[test]))
        self.temperature_ = _temperature(margins, y_true) if margins else 1.0
        return self

    def predict_proba(self, matrix: Any) -> Floats:
        """Return probabilities, shape (rows, classes)."""
        scaled = _margins(self.estimator_, matrix) * self.temperature_
        return np.asarray(softmax(scaled, axis=1))


class PerTarget(GroupedClassifier):
    """One model for each target, where there are few; an unseen target gets the average of all their predictions.

    A target with one label only in training predicts that label.
    """

    def __init__(self, estimator: Any = None, most: int = 20) -> None:
        self.estimator = estimator
        self.most = most

    def fit(
        self, frame: pd.DataFrame, y: Labels, groups: Any = None, sample_weight: Any = None
    ) -> "PerTarget":
        """Fit one model a target; raises BadInput for more than ``most`` targets."""
        targets = frame["target"].to_numpy(dtype=object)
        names = sorted(set(targets))
        if len(names) > self.most:
            raise BadInput(
                f"one model per target: expected at most {self.most} targets, found {len(names)}"
            )
        groups, weight = _defaults(y, groups, sample_weight)
        self.classes_ = np.unique(y)
        self.targets_ = names
        self.models_ = []
        for name in names:
            rows = np.flatnonzero(targets == name)
            single = len(set(y[rows])) == 1
            model = DummyClassifier(strategy="prior") if single else clone(self.estimator)
            self.models_.append(
                fit_checked(model, frame.iloc[rows], y[rows], groups[rows], weight[rows])
            )
        return self

    def predict_proba(self, frame: pd.DataFrame) -> Floats:
        """Return probabilities, shape (rows, classes); a class that a target never had gets 0."""
        targets = frame["target"].to_numpy(dtype=object)
        probabilities = np.zeros((len(frame), len(self.classes_)))
        for name in sorted(set(targets)):
            rows = np.flatnonzero(targets == name)
            known = name in self.targets_
            models = [self.models_[self.targets_.index(name)]] if known else self.models_
            for model in models:
                columns = np.searchsorted(self.classes_, model.classes_)
                part = model.predict_proba(frame.iloc[rows])
                probabilities[np.ix_(rows, columns)] += part / len(models)
        return probabilities


class Stacked(GroupedClassifier):
    """Several models over the frame, and a logistic regression over their predictions.

    The regression learns from the members' log probabilities out of fold, by group, so that a member that
    overfits its training rows gains nothing by it.
    """

    def __init__(self, members: Sequence[Any] = (), C: float = 1.0) -> None:  # noqa: N803
        self.members = members
        self.C = C

    def fit(
        self, frame: pd.DataFrame, y: Labels, groups: Any = None, sample_weight: Any = None
    ) -> "Stacked":
        """Fit members and regression; raises BadInput where no fold holds every class."""
        self.classes_ = np.unique(y)
        groups, weight = _defaults(y, groups, sample_weight)
        predicted, rows = [], []
        for train, test in inner_folds(groups):
            if set(y[train]) != set(self.classes_):
                continue
            parts = [
                fit_checked(clone(m), frame.iloc[train], y[train], groups[train], weight[train])
                for m in self.members
            ]
            predicted.append(self._log_probabilities(parts, frame.iloc[test]))
            rows.append(test)
        if not predicted:
            raise BadInput(
                "stacking: a label is missing from the training rows of every inner fold"
            )
        order = np.concatenate(rows)
        self.fitted_ = [fit_checked(clone(m), frame, y, groups, weight) for m in self.members]
        self.regression_ = fit_checked(
            LogisticRegression(C=self.C, solver="newton-cg", max_iter=200),
            np.concatenate(predicted), y[order], groups[order], weight[order],
        )  # fmt: skip
        return self

    def predict_proba(self, frame: pd.DataFrame) -> Floats:
        """Return probabilities, shape (rows, classes)."""
        return np.asarray(
            self.regression_.predict_proba(self._log_probabilities(self.fitted_, frame))
        )

    @staticmethod
    def _log_probabilities(models: Sequence[Any], frame: pd.DataFrame) -> Floats:
        return np.hstack([np.log(np.clip(m.predict_proba(frame), 1e-6, 1)) for m in models])


def inner_folds(groups: Any, parts: int = 5) -> list[tuple[Labels, Labels]]:
    """Return (train, test) positions by group; none where there are fewer than two groups."""
    parts = min(parts, len(set(groups)))
    if parts < 2:
        return []
    return list(GroupKFold(parts).split(np.zeros(len(groups)), groups=groups))


def fit_checked(model: Any, rows: Any, y: Labels, groups: Any, weight: Any) -> Any:
    """Return the model fitted, with groups and sample weights given to the estimators that take them.

    Raises BadInput where an iterative fit took no step or did not converge, where the estimator refuses its input
    or options, and where the weights differ but it takes none.
    """
    last = model[-1] if isinstance(model, Pipeline) else model
    name = type(last).__name__
    given = {}
    if has_fit_parameter(last, "sample_weight"):
        given["sample_weight"] = weight
    elif len(set(weight)) > 1:
        raise BadInput(
            f"{name} takes no sample weights, so it cannot learn from shares: soft=false"
        )
    if getattr(last, "takes_groups", False):
        given["groups"] = groups
    if isinstance(model, Pipeline):
        given = {f"{model.steps[-1][0]}__{key}": value for key, value in given.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(rows, y, **given)
        except ConvergenceWarning as error:
            steps = getattr(last, "max_iter", "its")
            raise BadInput(
                f"{name} did not converge in {steps} steps: raise model.classifier.max_iter"
            ) from error
        except (TypeError, ValueError) as error:
            raise BadInput(f"{name} cannot be fitted: {' '.join(str(error).split())}") from error
    if (np.atleast_1d(getattr(last, "n_iter_", 1)) == 0).any():
        raise BadInput(
            f"{name} did not move (n_iter_ is 0): its tolerance is too loose or C too small"
        )
    return model


def _defaults(y: Labels, groups: Any, weight: Any) -> tuple[Any, Floats]:
    """Return groups and weights of the rows: where none are given each row is a group and weighs 1."""
    return (
        np.arange(len(y)) if groups is None else np.asarray(groups),
        np.ones(len(y)) if weight is None else np.asarray(weight),
    )


def _margins(classifier: Any, matrix: Any) -> Floats:
    margins = classifier.decision_function(matrix)
    return margins if margins.ndim == 2 else np.column_stack([-margins, margins])


def _temperature(margins: Sequence[Floats], y_true: Sequence[Labels]) -> float:
    all_margins, all_true = np.concatenate(margins), np.concatenate(y_true)

    def loss(log_scale: float) -> float:
        logs = log_softmax(all_margins * np.exp(log_scale), axis=1)
        return -float(logs[np.arange(len(all_true)), all_true].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))
