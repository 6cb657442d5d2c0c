"""Models: features and a classifier made from plain specs, fitted by group and saved with skops.

A spec is what stands under ``model``, ``features`` and ``classifier`` in the config. Every model is an
estimator over the examples' frame with ``classes_`` (indices of label names) and ``predict_proba``.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import skops.io
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from onrecord.experiment.examples import Examples
from onrecord.experiment.features import Interactions, MarkTarget, PairVectors, make_features
from onrecord.experiment.ngrams import NgramTfidf
from onrecord.records import BadInput

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
            self.models_.append(_fit(model, frame.iloc[rows], y[rows], groups[rows], weight[rows]))
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
                _fit(clone(m), frame.iloc[train], y[train], groups[train], weight[train])
                for m in self.members
            ]
            said.append(self._say(parts, frame.iloc[test]))
            rows.append(test)
        if not said:
            raise BadInput(
                "stacking: a label is missing from the training rows of every inner fold"
            )
        order = np.concatenate(rows)
        self.fitted_ = [_fit(clone(m), frame, y, groups, weight) for m in self.members]
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


TRUSTED = [
    f"{c.__module__}.{c.__qualname__}"
    for c in (NgramTfidf, Interactions, MarkTarget, PairVectors, CalibratedSVC, PerTarget, Stacked)
]


def make_model(
    features: Mapping[str, Mapping[str, Any]],
    classifier: Mapping[str, Any],
    *,
    per_target: bool = False,
    members: Sequence[Mapping[str, Any]] = (),
    seed: int = 0,
) -> Any:
    """Return an unfitted model. ``classifier`` has ``kind`` (majority, logreg, svm, nb, stack) and its options.

    ``members`` (for kind stack) are specs of their own, each with ``features`` and ``classifier``. Raises
    BadInput for what does not go together.
    """
    options = {key: value for key, value in classifier.items() if key != "kind"}
    match classifier.get("kind"):
        case "majority":
            model: Any = DummyClassifier(strategy="prior")
        case "stack":
            if len(members) < 2:
                raise BadInput("stacking: expected at least two `members`, found fewer")
            made = [make_model(m["features"], m["classifier"], per_target=bool(m.get("per_target")), seed=seed) for m in members]  # fmt: skip
            model = Stacked(made, **options)
        case "logreg":
            model = _pipeline(features, LogisticRegression(random_state=seed, **options))
        case "svm":
            model = _pipeline(features, CalibratedSVC(seed=seed, **options))
        case "nb":
            if any(body.get("kind") == "vectors" for body in features.values()):
                raise BadInput("naive Bayes counts words: it cannot take vectors")
            model = _pipeline(features, ComplementNB(**options))
        case kind:
            raise BadInput(
                f"classifier: expected kind majority, logreg, svm, nb or stack, found {kind!r}"
            )
    return PerTarget(model) if per_target else model


def fit_model(model: Any, examples: Examples, *, soft: bool = False) -> Any:
    """Return ``model`` fitted to the examples; with ``soft``, to the shares of their votes.

    A row is then repeated once a label, weighted by the label's share. Raises BadInput where a fit did not
    move or did not converge: that is an error, not a score.
    """
    frame, y, groups = examples.frame, examples.labels, examples.groups
    weight: Any = np.ones(len(y))
    if soft:
        shares: Floats = np.where(
            np.isnan(examples.soft), np.eye(len(examples.names))[y], examples.soft
        )
        rows, y = np.nonzero(shares)
        weight = shares[rows, y]
        frame, groups = frame.iloc[rows], groups[rows]
    with threadpool_limits(1):  # on sparse text threads cost more than they give; one is repeatable
        return _fit(model, frame, y.astype(np.int64), groups, weight)


def label_probabilities(model: Any, frame: pd.DataFrame, labels: int) -> Floats:
    """Return probabilities of shape (rows, labels); a label that the model never saw gets 0."""
    chances = np.zeros((len(frame), labels))
    if len(frame):
        with threadpool_limits(1):
            chances[:, model.classes_] = model.predict_proba(frame)
    return chances


def save_model(model: Any, path: Path) -> None:
    """Write the model with skops."""
    skops.io.dump(model, path)


def load_model(path: Path) -> Any:
    """Return a model of ours; raises BadInput for a file that is none or that asks for unknown types."""
    try:
        unknown = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED)
    except Exception as error:  # skops raises whatever zipfile, json and its own readers do
        raise BadInput(f"{path}: expected a model saved with skops, found {error}") from error
    if unknown:
        raise BadInput(f"{path}: refused, the file asks for the unknown type {min(unknown)}")
    try:
        return skops.io.load(path, trusted=TRUSTED)
    except Exception as error:
        raise BadInput(f"{path}: expected a model saved with skops, found {error}") from error


def top_features(
    model: Any, names: Sequence[str], count: int = 15
) -> dict[str, list[tuple[str, float]]]:
    """Return the features that weigh most for each label, for a linear pipeline; else nothing."""
    if not isinstance(model, Pipeline) or not hasattr(model[-1], "coef_"):
        return {}
    words = [str(w).split("__", 1)[-1] for w in model[0].get_feature_names_out()]
    weights = model[-1].coef_
    if len(model.classes_) == 2:
        weights = np.vstack([-weights[0], weights[0]])
    top: dict[str, list[tuple[str, float]]] = {}
    for label, row in zip(model.classes_, weights, strict=True):
        order = np.argsort(-row, kind="stable")[:count]
        top[names[label]] = [(words[i], float(row[i])) for i in order]
    return top


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


def _pipeline(features: Mapping[str, Mapping[str, Any]], classifier: Any) -> Pipeline:
    return Pipeline([("features", make_features(features)), ("classifier", classifier)])


def _fit(model: Any, frame: pd.DataFrame, y: Labels, groups: Any, weight: Any) -> Any:
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
