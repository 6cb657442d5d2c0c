"""What a model sees of an example: blocks of features that combine freely, one named block a config entry.

A block takes columns of the examples' frame and returns a matrix. Speakers are the suggested ones, never gold;
the outlet is left out unless its block is asked for, because it leaks.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import sklearn
from platformdirs import user_cache_dir
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer

from onrecord.core.errors import BadInput
from onrecord.experiment.data import INPUTS
from onrecord.experiment.models.instantiate import Spec, instantiate

TARGET_MARK = " xtargetx "
MIN_LETTERS = 5  # of a target's word that counts as a mention of the target
VECTOR_COLUMNS = ("vector", "target_vector")
MAX_CACHE_BYTES = 4 << 30
NO_CACHE = ":memory:"  # a cache of this name keeps nothing: SQLite's word for it
NO_MEMORY = joblib.Memory(None)
_memory: ContextVar[joblib.Memory] = ContextVar("_memory", default=NO_MEMORY)


@contextmanager
def cached_features(cache: str | None) -> Iterator[None]:
    """Take n-gram weights from a cache where they were computed before; add those that were not.

    ``cache`` is a folder, by default the user's, or NO_CACHE. joblib keeps pickles, so the cache is never inside a
    workspace, which may be a stranger's. A context, not an argument: blocks are cloned and nested in estimators,
    and where something is cached is no part of a model.
    """
    folder = None if cache == NO_CACHE else Path(cache or user_cache_dir("onrecord")) / "features"
    memory = joblib.Memory(folder, verbose=0)
    token = _memory.set(memory)
    try:
        yield
    finally:
        _memory.reset(token)
        if folder is not None:
            memory.reduce_size(bytes_limit=MAX_CACHE_BYTES)


class Ngrams(TfidfVectorizer):  # type: ignore[misc]
    """scikit-learn's TF-IDF, computed once a sweep (:func:`cached_features`) and saved compactly.

    The vocabulary is saved as one text: skops and joblib write a dictionary entry by entry, which takes skops 20 MB,
    and a second to load, for 46,000 n-grams (benchmarks/predict.md).
    """

    def fit(self, raw_documents: Any, y: Any = None) -> "Ngrams":
        """Learn the n-grams and their idf."""
        self.fit_transform(raw_documents)
        return self

    def fit_transform(self, raw_documents: Any, y: Any = None) -> sp.csr_matrix:
        """Learn the n-grams and return the texts' weights, shape (texts, n-grams)."""
        fit = _memory.get().cache(_fit)
        state, weights = fit(self.get_params(), list(raw_documents), sklearn.__version__)
        self.__dict__.update(_unpacked(state))
        return weights

    def transform(self, raw_documents: Any) -> sp.csr_matrix:
        """Return the texts' weights; unknown n-grams weigh nothing."""
        if not hasattr(self, "content_"):  # read from a file
            return super().transform(raw_documents)
        transform = _memory.get().cache(_transform, ignore=["vectorizer"])
        return transform(self, self.content_, list(raw_documents))

    def __getstate__(self) -> dict[str, Any]:
        state = _packed(super().__getstate__())
        state.pop("content_", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(_unpacked(state))


def _packed(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a vectoriser's attributes with the vocabulary as one text, its n-grams in column order."""
    known = state.get("vocabulary_")
    return dict(state) if known is None else {**state, "vocabulary_": json.dumps(sorted(known, key=known.get))}  # fmt: skip


def _unpacked(state: Mapping[str, Any]) -> dict[str, Any]:
    if "vocabulary_" not in state:
        return dict(state)
    ngrams = json.loads(state["vocabulary_"])
    return {**state, "vocabulary_": dict(zip(ngrams, range(len(ngrams)), strict=True))}


def _fit(
    options: Mapping[str, Any], texts: list[str], version: str
) -> tuple[dict[str, Any], sp.csr_matrix]:
    """Return a fitted vectoriser's attributes and the texts' weights; ``version`` is scikit-learn's."""
    vectorizer = TfidfVectorizer(**options)
    weights = vectorizer.fit_transform(texts)
    content = joblib.hash((options, texts, version))
    return {**_packed(vars(vectorizer)), "content_": content}, weights


def _transform(vectorizer: Ngrams, content: str, texts: list[str]) -> sp.csr_matrix:
    """Return the texts' weights; ``content`` stands for what the vectoriser was fitted to."""
    return super(Ngrams, vectorizer).transform(texts)


class Interactions(Ngrams):
    """N-grams of the text, apart for each target: the same word may favour one target and oppose another.

    Input is a frame with ``text`` and ``target``; output has one copy of the n-grams for each target seen in
    training, and nothing for a target that was not.
    """

    def fit_transform(self, raw_documents: Any, y: Any = None) -> sp.csr_matrix:
        """Learn the n-grams and the targets; return each text's weights in its target's columns."""
        self.targets_ = sorted(set(raw_documents["target"]))
        return self._by_target(super().fit_transform(raw_documents["text"]), raw_documents)

    def transform(self, raw_documents: Any) -> sp.csr_matrix:
        """Return each text's weights in its target's columns."""
        return self._by_target(super().transform(raw_documents["text"]), raw_documents)

    def _by_target(self, weights: sp.csr_matrix, frame: pd.DataFrame) -> sp.csr_matrix:
        weights = weights.tocoo()
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
        grams = super().get_feature_names_out()
        return np.array([f"{g} @ {t}" for t in self.targets_ for g in grams], dtype=object)


class MarkedNgrams(Ngrams):
    """N-grams of the text with each mention of its target replaced by one mark, to see what is said of it.

    Input is a frame with ``text`` and ``target``. A mention is the target in full, or one of its words of five
    letters or more.
    """

    def fit_transform(self, raw_documents: Any, y: Any = None) -> sp.csr_matrix:
        """Learn the n-grams of the marked texts and return their weights."""
        return super().fit_transform(mark_targets(raw_documents))

    def transform(self, raw_documents: Any) -> sp.csr_matrix:
        """Return the weights of the marked texts."""
        return super().transform(mark_targets(raw_documents))


def mark_targets(frame: pd.DataFrame) -> list[str]:
    """Return each row's ``text`` with the mentions of its ``target`` replaced by a mark."""
    patterns = {target: _mentions(target) for target in set(frame["target"])}
    return [
        pattern.sub(TARGET_MARK, text) if (pattern := patterns[target]) else text
        for text, target in zip(frame["text"], frame["target"], strict=True)
    ]


def _mentions(target: str) -> re.Pattern[str] | None:
    words = [w for w in re.findall(r"\w+", target) if len(w) >= MIN_LETTERS]
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


def make_features(blocks: Mapping[str, Spec]) -> ColumnTransformer:
    """Return the transformer for the named blocks, unfitted.

    A block is the spec of a transformer with two keys of ours: ``column`` (the column that it takes, by default
    ``text``, or a list of columns) and ``weight`` (by default 1; scales the block). Raises BadInput for a column
    that a model may not see.
    """
    steps, weights = [], {}
    for name, block in blocks.items():
        options, where = dict(block), f"model.features.{name}"
        column: str | list[str] = options.pop("column", "text")
        for one in [column] if isinstance(column, str) else column:
            if one not in (*INPUTS, *VECTOR_COLUMNS):
                raise BadInput(f"{where}: a model may not see the column {one!r}")
        weights[name] = float(options.pop("weight", 1.0))
        transformer = instantiate(options, where)
        if not hasattr(transformer, "transform"):
            raise BadInput(f"{where}: expected a transformer with `_target_`, found {block!r:.80}")
        steps.append((name, transformer, column))
    return ColumnTransformer(steps, transformer_weights=weights, sparse_threshold=1.0)


def needs_vectors(blocks: Mapping[str, Spec]) -> bool:
    """Return whether a block needs the sentence encoder."""
    return any({*VECTOR_COLUMNS} & {*block.get("column", ())} for block in blocks.values())
