"""Models from specs: made, fitted to examples by group, saved with skops and read again.

Every model is an estimator over the examples' frame with ``classes_`` (indices of label names) and
``predict_proba``. A classifier with margins only is given probabilities by one temperature.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd
import skops.io
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from onrecord.core.errors import BadInput
from onrecord.experiment.data import Examples
from onrecord.experiment.models.estimators import (
    PerTarget,
    Stacked,
    TemperatureScaled,
    fit_checked,
)
from onrecord.experiment.models.instantiate import Spec, allowed_class, instantiate
from onrecord.experiment.models.text_features import make_features, needs_vectors

Floats = npt.NDArray[np.float64]
DATA_TYPES = {
    "scipy.sparse._csr.csr_matrix"
}  # no estimators, but some keep their training rows in one


class ModelSpec(TypedDict):
    """What stands under ``model`` in the config: what a model sees, and what learns from it.

    ``features`` are blocks by name, none for a classifier that looks at labels and targets only. ``members``, for
    ``Stacked``, are the specs of the models whose predictions it learns from.
    """

    name: NotRequired[str]
    classifier: Spec
    features: NotRequired[dict[str, Spec]]
    per_target: NotRequired[bool]
    members: NotRequired[dict[str, "ModelSpec"]]


class FittedPart(TypedDict):
    """One fitted classifier of a model: its part (target, member; empty for the whole), class and parameters."""

    part: str
    classifier: str
    parameters: dict[str, Any]


def make_model(spec: ModelSpec, seed: int = 0) -> Any:
    """Return an unfitted model; raises BadInput for a key that is not known and for what does not go together."""
    known = ModelSpec.__annotations__
    unknown = [key for key in spec if key not in known]
    if unknown:
        raise BadInput(f"model: expected the keys {', '.join(known)}, found {unknown[0]!r}")
    estimator = _classifier(spec, seed)
    features = spec.get("features") or {}
    if isinstance(estimator, DummyClassifier | Stacked):
        model = estimator
    elif features:
        model = Pipeline([("features", make_features(features)), ("classifier", estimator)])
    else:
        raise BadInput("model.features: expected at least one block, found none")
    return PerTarget(model) if spec.get("per_target") else model


def _classifier(spec: ModelSpec, seed: int) -> Any:
    estimator = instantiate(spec["classifier"], "model.classifier", seed)
    members, name = spec.get("members") or {}, type(estimator).__name__
    if isinstance(estimator, Stacked):
        if len(members) < 2:
            raise BadInput("model.members: expected two models or more to stack, found fewer")
        return estimator.set_params(
            members=[make_model(member, seed) for member in members.values()]
        )
    if members:
        raise BadInput(f"model.members: {name} stacks no models: leave the key out")
    if hasattr(estimator, "fit") and hasattr(estimator, "predict_proba"):
        return estimator
    if is_classifier(estimator) and hasattr(estimator, "decision_function"):
        return TemperatureScaled(estimator)
    raise BadInput(
        f"model.classifier: expected a classifier with predict_proba or decision_function, found {name}"
    )


def wants_vectors(spec: ModelSpec) -> bool:
    """Return whether a model needs the sentence encoder."""
    return needs_vectors(spec.get("features") or {}) or any(
        wants_vectors(member) for member in (spec.get("members") or {}).values()
    )


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
    probabilities = np.zeros((len(frame), labels))
    if len(frame):
        with threadpool_limits(1):
            probabilities[:, model.classes_] = model.predict_proba(frame)
    return probabilities


def model_parts(model: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the single models that a fitted model is made of, each with its target and, in a stack, its member."""
    if isinstance(model, PerTarget):
        for target, single in zip(model.targets_, model.models_, strict=True):
            yield from model_parts(single, target)
    elif isinstance(model, Stacked):
        for number, member in enumerate(model.fitted_, 1):
            yield from model_parts(member, f"{name}, member {number}".removeprefix(", "))
    else:
        yield name, model


def fitted_classifier(model: Any) -> Any:
    """Return the classifier of a single model, as the user named it."""
    last = model[-1] if isinstance(model, Pipeline) else model
    return last.estimator_ if isinstance(last, TemperatureScaled) else last


def describe_fitted(model: Any) -> list[FittedPart]:
    """Return what was fitted, from the fitted objects themselves."""
    return [
        FittedPart(
            part=part,
            classifier=type(found := fitted_classifier(single)).__name__,
            parameters={k: _plain(v) for k, v in found.get_params(deep=False).items()},
        )
        for part, single in model_parts(model)
    ]


def _plain(value: Any) -> Any:
    """Return a parameter as JSON can have it."""
    finite = isinstance(value, float) and np.isfinite(value)
    return value if finite or isinstance(value, int | str | None) else str(value)


def save_model(model: Any, path: Path) -> None:
    """Write the model with skops."""
    skops.io.dump(model, path)


def load_model(path: Path) -> Any:
    """Return a model of ours; raises BadInput for a file that is none or that asks for unknown types."""
    try:
        types: Sequence[str] = skops.io.get_untrusted_types(file=path)
    except Exception as error:  # skops raises whatever zipfile, json and its own readers do
        raise BadInput(f"{path}: expected a model saved with skops, found {error}") from error
    unknown = [name for name in types if allowed_class(name) is None and name not in DATA_TYPES]
    old = [name for name in unknown if name.startswith("onrecord.")]
    if old:
        raise BadInput(
            f"{path}: saved by another version of onrecord (it has {old[0]}): run `onrecord train` again"
        )
    if unknown:
        raise BadInput(f"{path}: refused, the file asks for the unknown type {min(unknown)}")
    try:
        model = skops.io.load(path, trusted=types)
    except Exception as error:
        raise BadInput(f"{path}: expected a model saved with skops, found {error}") from error
    if not (hasattr(model, "classes_") and hasattr(model, "predict_proba")):
        raise BadInput(f"{path}: expected a fitted model, found {type(model).__name__}")
    return model
