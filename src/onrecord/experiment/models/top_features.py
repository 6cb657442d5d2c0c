"""What speaks for each label: the features that weigh most, in every linear part of a model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from onrecord.experiment.models.estimators import PerTarget, Stacked
from onrecord.experiment.models.text_features import PairVectors

Top = Mapping[str, Sequence[tuple[str, float]]]


def top_features(model: Any, names: Sequence[str], count: int = 15) -> dict[str, Top]:
    """Return, for each linear part of a model, the ``count`` features that weigh most for each label.

    Parts are named by their target and, in a stack, their member; a model of one part is named "". Vectors have
    no words and are left out, so a part of vectors alone has no entry, nor has one that is not linear.
    """
    found: dict[str, Top] = {}
    for part, pipeline in _parts(model):
        weights = _weights(pipeline[-1])
        if weights is None:
            continue
        silent = {name for name, block, _ in pipeline[0].transformers_ if isinstance(block, PairVectors)}  # fmt: skip
        told = [str(word).split("__", 1) for word in pipeline[0].get_feature_names_out()]
        named = np.flatnonzero([block not in silent for block, _ in told])
        if not len(named):
            continue
        top: dict[str, list[tuple[str, float]]] = {}
        for label, row in zip(pipeline.classes_, weights, strict=True):
            order = named[np.argsort(-row[named], kind="stable")[:count]]
            top[names[label]] = [(told[i][1], float(row[i])) for i in order]
        found[part] = top
    return found


def _parts(model: Any, name: str = "") -> Iterator[tuple[str, Pipeline]]:
    if isinstance(model, Pipeline):
        yield name, model
    elif isinstance(model, PerTarget):
        for target, single in zip(model.targets_, model.models_, strict=True):
            yield from _parts(single, target)
    elif isinstance(model, Stacked):
        for number, member in enumerate(model.fitted_, 1):
            yield from _parts(member, f"{name}, member {number}".removeprefix(", "))


def _weights(classifier: Any) -> npt.NDArray[np.float64] | None:
    """Return one row of weights a class, or None for a classifier that has none.

    Naive Bayes' weights are taken against their mean over the classes, which changes no decision.
    """
    if hasattr(classifier, "coef_"):
        weights = np.asarray(classifier.coef_)
        return weights if len(weights) > 1 else np.vstack([-weights, weights])
    if hasattr(classifier, "feature_log_prob_"):
        weights = np.asarray(classifier.feature_log_prob_)
        return np.asarray(weights - weights.mean(axis=0))
    return None
