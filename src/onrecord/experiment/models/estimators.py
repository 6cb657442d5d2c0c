"""The models that scikit-learn has not, and the check that a fit moved and converged.

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
from sklearn.svm import LinearSVC

from onrecord.core.errors import BadInput

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
GROUPED = "takes_groups"  # an estimator with this attribute wants `groups` in fit


class CalibratedSVC(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A linear SVM whose margins become probabilities by one temperature.

    The temperature minimises the cross-entropy of margins that were predicted out of fold, by group. One
    number for all labels keeps the SVM's own order of them, so its decisions stay as they are.
    """

    takes_groups = True

    def __init__(
        self, C: float = 1.0, class_weight: str | None = None, seed: int = 0, max_iter: int = 5000  # noqa: N803
    ) -> None:  # fmt: skip
        self.C = C
        self.class_weight = class_weight
        self.seed = seed
        self.max_iter = max_iter

    def fit(
        self, matrix: Any, y: Labels, groups: Any = None, sample_weight: Any = None
    ) -> "CalibratedSVC":
        """Fit the margins and the temperature; with fewer than two groups the temperature is 1."""
        self.svm_ = self._svm().fit(matrix, y, sample_weight=sample_weight)
        check_fitted(self.svm_)
        self.classes_ = self.svm_.classes_
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        margins, told = [], []
        for train, test in inner_folds(groups):
            if set(y[train]) == set(self.classes_):
                weight = None if sample_weight is None else sample_weight[train]
                part = self._svm().fit(matrix[train], y[train], sample_weight=weight)
                margins.append(_margins(part, matrix[test]))
                told.append(np.searchsorted(self.classes_, y[test]))
        self.temperature_ = _temperature(margins, told) if margins else 1.0
        return self

    def predict_proba(self, matrix: Any) -> Floats:
        """Return probabilities, shape (rows, classes)."""
        scaled = _margins(self.svm_, matrix) * self.temperature_
        return np.asarray(softmax(scaled, axis=1))

    def predict(self, matrix: Any) -> Labels:
        """Return the class with the widest margin."""
        return np.asarray(self.classes_[self.predict_proba(matrix).argmax(axis=1)])

    @property
    def coef_(self) -> Floats:
        """The SVM's weights, one row a class (one row in all for two classes)."""
        return np.asarray(self.svm_.coef_)

    def _svm(self) -> LinearSVC:
        return LinearSVC(
            C=self.C, class_weight=self.class_weight, random_state=self.seed, max_iter=self.max_iter
        )


class PerTarget(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One model a target, for when there are few; a target not seen in training gets the mean of
    what they say.

    A target with one label alone in training predicts that label.
    """

    takes_groups = True

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
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
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
        chances = np.zeros((len(frame), len(self.classes_)))
        for name in sorted(set(targets)):
            rows = np.flatnonzero(targets == name)
            known = name in self.targets_
            models = [self.models_[self.targets_.index(name)]] if known else self.models_
            for model in models:
                columns = np.searchsorted(self.classes_, model.classes_)
                said = model.predict_proba(frame.iloc[rows]) / len(models)
                chances[np.ix_(rows, columns)] += said
        return chances

    def predict(self, frame: pd.DataFrame) -> Labels:
        """Return the likeliest class."""
        return np.asarray(self.classes_[self.predict_proba(frame).argmax(axis=1)])


class Stacked(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Several models over the frame, and a logistic regression over what they say.

    The regression learns from the members' log probabilities out of fold, by group, so that a member that
    fits its training rows too well gains nothing by it.
    """

    takes_groups = True

    def __init__(self, members: Sequence[Any] = (), C: float = 1.0) -> None:  # noqa: N803
        self.members = members
        self.C = C

    def fit(
        self, frame: pd.DataFrame, y: Labels, groups: Any = None, sample_weight: Any = None
    ) -> "Stacked":
        """Fit members and regression; raises BadInput where no fold holds every class."""
        self.classes_ = np.unique(y)
        groups = np.arange(len(y)) if groups is None else np.asarray(groups)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        said, rows = [], []
        for train, test in inner_folds(groups):
            if set(y[train]) != set(self.classes_):
                continue
            parts = [
                fit_checked(clone(m), frame.iloc[train], y[train], groups[train], weight[train])
                for m in self.members
            ]
            said.append(self._say(parts, frame.iloc[test]))
            rows.append(test)
        if not said:
            raise BadInput(
                "stacking: a label is missing from the training rows of every inner fold"
            )
        order = np.concatenate(rows)
        self.fitted_ = [fit_checked(clone(m), frame, y, groups, weight) for m in self.members]
        self.regression_ = LogisticRegression(C=self.C, solver="newton-cg", max_iter=200).fit(
            np.concatenate(said), y[order], sample_weight=weight[order]
        )
        check_fitted(self.regression_)
        return self

    def predict_proba(self, frame: pd.DataFrame) -> Floats:
        """Return probabilities, shape (rows, classes)."""
        return np.asarray(self.regression_.predict_proba(self._say(self.fitted_, frame)))

    def predict(self, frame: pd.DataFrame) -> Labels:
        """Return the likeliest class."""
        return np.asarray(self.classes_[self.predict_proba(frame).argmax(axis=1)])

    @staticmethod
    def _say(models: Sequence[Any], frame: pd.DataFrame) -> Floats:
        return np.hstack([np.log(np.clip(m.predict_proba(frame), 1e-6, 1)) for m in models])


def inner_folds(groups: Any, parts: int = 5) -> list[tuple[Labels, Labels]]:
    """Return (train, test) positions by group; none where there are fewer than two groups."""
    parts = min(parts, len(set(groups)))
    if parts < 2:
        return []
    return list(GroupKFold(parts).split(np.zeros(len(groups)), groups=groups))


def check_fitted(estimator: Any) -> None:
    """Raise BadInput where an iterative fit took no step or stopped for want of iterations."""
    steps = np.atleast_1d(getattr(estimator, "n_iter_", 1))
    name = type(estimator).__name__
    if (steps == 0).any():
        raise BadInput(
            f"{name} did not move (n_iter_ is 0): its tolerance is too loose or C too small"
        )
    most = getattr(estimator, "max_iter", None)
    if most is not None and (steps >= most).any():
        raise BadInput(f"{name} did not converge in {most} steps: raise classifier.max_iter")


def fit_checked(model: Any, frame: pd.DataFrame, y: Labels, groups: Any, weight: Any) -> Any:
    """Fit, passing on the groups to those that take them, and check that the fit moved."""
    last = model[-1] if isinstance(model, Pipeline) else model
    given = {"sample_weight": weight}
    if getattr(last, GROUPED, False):
        given["groups"] = groups
    if isinstance(model, Pipeline):
        given = {f"{model.steps[-1][0]}__{key}": value for key, value in given.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # check_fitted makes it an error
        try:
            model.fit(frame, y, **given)
        except ValueError as error:
            raise BadInput(f"{type(last).__name__} cannot be fitted: {error}") from error
    check_fitted(last)
    return model


def _margins(svm: LinearSVC, matrix: Any) -> Floats:
    margins = svm.decision_function(matrix)
    return margins if margins.ndim == 2 else np.column_stack([-margins, margins])


def _temperature(margins: Sequence[Floats], told: Sequence[Any]) -> float:
    all_margins, all_told = np.concatenate(margins), np.concatenate(told)

    def loss(log_scale: float) -> float:
        says = log_softmax(all_margins * np.exp(log_scale), axis=1)
        return -float(says[np.arange(len(all_told)), all_told].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))
