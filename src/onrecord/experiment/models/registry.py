"""Models from plain specs: made, fitted to examples by group, saved with skops and read again.

A spec is what stands under ``model``, ``features`` and ``classifier`` in the config. Every model is an
estimator over the examples' frame with ``classes_`` (indices of label names) and ``predict_proba``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from onrecord.core.errors import BadInput
from onrecord.experiment.data import Examples
from onrecord.experiment.models.estimators import (
    CalibratedSVC,
    PerTarget,
    Stacked,
    fit_checked,
)
from onrecord.experiment.models.text_features import (
    Interactions,
    MarkTarget,
    PairVectors,
    make_features,
)
from onrecord.experiment.ngrams import NgramTfidf

Floats = npt.NDArray[np.float64]

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
        return fit_checked(model, frame, y.astype(np.int64), groups, weight)


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
        model = skops.io.load(path, trusted=TRUSTED)
    except Exception as error:
        raise BadInput(f"{path}: expected a model saved with skops, found {error}") from error
    if not (hasattr(model, "classes_") and hasattr(model, "predict_proba")):
        raise BadInput(f"{path}: expected a fitted model, found {type(model).__name__}")
    return model


def _pipeline(features: Mapping[str, Mapping[str, Any]], classifier: Any) -> Pipeline:
    return Pipeline([("features", make_features(features)), ("classifier", classifier)])
