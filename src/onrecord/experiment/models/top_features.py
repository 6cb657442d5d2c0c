"""The features with the largest weights for each label, in every linear part of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from onrecord.experiment.models.registry import fitted_classifier, model_parts
from onrecord.experiment.models.text_features import PairVectors

Top = Mapping[str, Sequence[tuple[str, float]]]


def top_features(model: Any, names: Sequence[str], count: int = 15) -> dict[str, Top]:
    """Return, for each linear part of a model, the ``count`` features of largest weight for each label.

    Parts are named by their target and, in a stack, their member; a model of one part is named "". Vectors have
    no words and are left out, so a part of vectors alone has no entry, nor has one that is not linear.
    """
    found: dict[str, Top] = {}
    for part, pipeline in model_parts(model):
        if not isinstance(pipeline, Pipeline):
            continue
        weights = _weights(fitted_classifier(pipeline))
        blocks = [block for _, block, _ in pipeline[0].transformers_ if block != "drop"]
        if weights is None or not all(hasattr(b, "get_feature_names_out") for b in blocks):
            continue
        silent = {name for name, block, _ in pipeline[0].transformers_ if isinstance(block, PairVectors)}  # fmt: skip
        features = [str(word).split("__", 1) for word in pipeline[0].get_feature_names_out()]
        named = np.flatnonzero([block not in silent for block, _ in features])
        if not len(named):
            continue
        top: dict[str, list[tuple[str, float]]] = {}
        for label, row in zip(pipeline.classes_, weights, strict=True):
            order = named[np.argsort(-row[named], kind="stable")[:count]]
            top[names[label]] = [(features[i][1], float(row[i])) for i in order]
        found[part] = top
    return found


def _weights(classifier: Any) -> npt.NDArray[np.float64] | None:
    """Return one row of weights a class, or None for a classifier that is not linear.

    Naive Bayes' weights are taken against their mean over the classes, which changes no decision.
    """
    weights = getattr(classifier, "coef_", None)
    if isinstance(weights, np.ndarray):
        weights = weights if len(weights) > 1 else np.vstack([-weights, weights])
    elif hasattr(classifier, "feature_log_prob_"):
        weights = np.asarray(classifier.feature_log_prob_)
        weights = weights - weights.mean(axis=0)
    one_a_class = weights is not None and len(weights) == len(classifier.classes_)
    return np.asarray(weights) if one_a_class else None
