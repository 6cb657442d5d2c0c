"""What a model sees of an example: blocks of features that combine freely, one named block a config entry.

A block takes columns of the examples' frame and gives a matrix. Speakers are the suggested ones, never gold;
the outlet is left out unless its block is asked for, since it is what leaks.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from onrecord.core.errors import BadInput
from onrecord.experiment.ngrams import NgramTfidf

TARGET_MARK = " xtargetx "
VECTOR_COLUMNS = ("vector", "target_vector")


class Interactions(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """N-grams of the text, apart for each target: the same word may speak for one and against another.

    Input is a frame with ``text`` and ``target``; output has one copy of the n-grams a target seen in
    training, and nothing for a target that was not.
    """

    def __init__(self, unit: str = "word", low: int = 1, high: int = 2, min_df: int = 1) -> None:
        self.unit = unit
        self.low = low
        self.high = high
        self.min_df = min_df

    def fit(self, frame: pd.DataFrame, y: Any = None) -> "Interactions":
        """Learn the n-grams and the targets."""
        self.ngrams_ = NgramTfidf(self.unit, self.low, self.high, self.min_df)  # type: ignore[arg-type]
        self.ngrams_.fit(list(frame["text"]))
        self.targets_ = sorted(set(frame["target"]))
        return self

    def transform(self, frame: pd.DataFrame) -> sp.csr_matrix:
        """Return each text's weights in its target's columns."""
        weights = self.ngrams_.transform(list(frame["text"])).tocoo()
        width = weights.shape[1]
        place = {target: i for i, target in enumerate(self.targets_)}
        block = np.array([place.get(t, -1) for t in frame["target"]], dtype=np.int64)[weights.row]
        known = block >= 0
        return sp.csr_matrix(
            (weights.data[known], (weights.row[known], (weights.col + block * width)[known])),
            shape=(len(frame), width * len(self.targets_)),
        )

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return ``n-gram @ target``."""
        grams = self.ngrams_.get_feature_names_out()
        return np.array([f"{g} @ {t}" for t in self.targets_ for g in grams], dtype=object)


class MarkTarget(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The text with each mention of its target replaced by one mark, so that n-grams say what is done to it.

    A mention is the target in full, or one of its words of ``letters`` or more.
    """

    def __init__(self, letters: int = 5) -> None:
        self.letters = letters

    def fit(self, frame: pd.DataFrame, y: Any = None) -> "MarkTarget":
        """Learn nothing."""
        self.fitted_ = True
        return self

    def transform(self, frame: pd.DataFrame) -> list[str]:
        """Return the marked texts."""
        patterns = {target: self._mentions(target) for target in set(frame["target"])}
        return [
            pattern.sub(TARGET_MARK, text) if (pattern := patterns[target]) else text
            for text, target in zip(frame["text"], frame["target"], strict=True)
        ]

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return ``marked text``: what comes out is a text, whose n-grams the next step names."""
        return np.array(["marked text"], dtype=object)

    def _mentions(self, target: str) -> re.Pattern[str] | None:
        words = [w for w in re.findall(r"\w+", target) if len(w) >= self.letters]
        forms = sorted({target, *words} - {""}, key=len, reverse=True)
        return re.compile(rf"\b(?:{'|'.join(map(re.escape, forms))})\b", re.I) if forms else None


class PairVectors(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Frozen vectors of sentence (u) and target (v): u, and with ``pair`` also v, |u - v| and u * v.

    Input is a frame whose columns ``vector`` and ``target_vector`` hold arrays of one length.
    """

    def __init__(self, pair: bool = True) -> None:
        self.pair = pair

    def fit(self, frame: pd.DataFrame, y: Any = None) -> "PairVectors":
        """Learn nothing but the vectors' length."""
        self.width_ = len(frame["vector"].iloc[0])
        return self

    def transform(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return an array of shape (rows, width) or, with ``pair``, (rows, 4 * width)."""
        u = np.stack(list(frame["vector"])).astype(np.float64)
        if not self.pair:
            return u
        v = np.stack(list(frame["target_vector"])).astype(np.float64)
        return np.hstack([u, v, np.abs(u - v), u * v])

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return ``vector 0`` and so on: they have no words."""
        count = self.width_ * (4 if self.pair else 1)
        return np.array([f"vector {i}" for i in range(count)], dtype=object)


def make_features(blocks: Mapping[str, Mapping[str, Any]]) -> ColumnTransformer:
    """Return the transformer for the named blocks, unfitted.

    A block's keys are ``kind`` (ngrams, interactions, marked, category, vectors), ``column`` where it has
    one, ``weight`` (1 by default; scales the block) and what its transformer takes. Raises BadInput for a
    kind or column that is not there.
    """
    if not blocks:
        raise BadInput("features: expected at least one block, found none")
    steps, weights = [], {}
    for name, body in blocks.items():
        options = dict(body)
        weights[name] = float(options.pop("weight", 1.0))
        steps.append((name, *_block(name, options)))
    return ColumnTransformer(steps, transformer_weights=weights, sparse_threshold=1.0)


def needs_vectors(blocks: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether a block needs the sentence encoder."""
    return any(body.get("kind") == "vectors" for body in blocks.values())


def _block(name: str, options: dict[str, Any]) -> tuple[Any, str | list[str]]:
    kind, column = options.pop("kind", None), options.pop("column", "text")
    if column not in ("text", "target", "before", "after", "speaker", "outlet"):
        raise BadInput(f"features.{name}: there is no column {column!r} that a model may look at")
    try:
        match kind:
            case "ngrams":
                return NgramTfidf(**options), column
            case "interactions":
                return Interactions(**options), ["text", "target"]
            case "marked":
                mark = MarkTarget(options.pop("letters", 5))
                return Pipeline([("mark", mark), ("ngrams", NgramTfidf(**options))]), [
                    "text", "target",
                ]  # fmt: skip
            case "category":
                return OneHotEncoder(handle_unknown="ignore", **options), [column]
            case "vectors":
                return PairVectors(**options), list(VECTOR_COLUMNS)
    except TypeError as error:
        raise BadInput(f"features.{name}: {error}") from error
    raise BadInput(
        f"features.{name}: expected kind ngrams, interactions, marked, category or vectors, found {kind!r}"
    )


def describe(blocks: Mapping[str, Mapping[str, Any]]) -> Sequence[str]:
    """Return a line a block, for the model card."""
    return [
        f"{name}: " + ", ".join(f"{k} {v}" for k, v in body.items())
        for name, body in blocks.items()
    ]
