"""Frozen sentence vectors, computed once a text and kept by content.

A vector is found again by the hash of the encoder's weights and of the text, whatever the sweep, the split
or the dataset that it is needed in. torch is imported only when a text is new.
"""

import hashlib
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from platformdirs import user_cache_dir

from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256
from onrecord.experiment.data import Examples
from onrecord.experiment.models.text_features import NO_CACHE

Vectors = npt.NDArray[np.float32]
AT_A_TIME = 256


def attach_vectors(examples: Examples, encoder: str, cache_folder: str | None) -> Examples:
    """Return the examples with the columns ``vector`` and ``target_vector``, from the cache where known."""
    return replace(examples, frame=vector_columns(examples.frame, encoder, cache_folder))


def vector_columns(frame: pd.DataFrame, encoder: str, cache_folder: str | None) -> pd.DataFrame:
    """Return a frame with ``text`` and ``target`` with their vectors in two more columns."""
    texts, targets = list(frame["text"]), list(frame["target"])
    distinct = list(dict.fromkeys([*texts, *targets]))
    found = sentence_vectors(distinct, encoder, cache_folder)
    place = {text: i for i, text in enumerate(distinct)}
    return frame.assign(
        vector=[found[place[t]] for t in texts], target_vector=[found[place[t]] for t in targets]
    )


def sentence_vectors(texts: Sequence[str], encoder: str, cache_folder: str | None) -> Vectors:
    """Return one vector a text, shape (texts, width); new texts are encoded and added to the cache.

    ``encoder`` is a folder or the name of a sentence-transformers model; ``cache_folder`` a folder, by default the
    user's, or NO_CACHE to keep nothing. Raises BadInput where the encoder is not to be had.
    """
    folder = encoder_folder(encoder)
    weights = weights_hash(folder)
    path = Path(NO_CACHE)
    if cache_folder != NO_CACHE:
        path = Path(cache_folder or user_cache_dir("onrecord")) / "vectors.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
    return cached_vectors(texts, weights, path, lambda new: encode(new, folder))


def cached_vectors(
    texts: Sequence[str], weights: str, path: Path, compute: Callable[[Sequence[str]], Vectors]
) -> Vectors:
    """Return a vector a text from the cache at ``path``; those not in it are computed and put there."""
    keys = [hashlib.sha256(f"{weights}\n{text}".encode()).digest() for text in texts]
    # other jobs of a sweep write here too: wait for them, and take what they put in meanwhile
    with closing(sqlite3.connect(path, timeout=600)) as base:
        base.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB)")
        known = _look_up(base, keys)
        new = [i for i, key in enumerate(keys) if key not in known]
        for start in range(0, len(new), AT_A_TIME):
            part = new[start : start + AT_A_TIME]
            made = np.asarray(compute([texts[i] for i in part]), dtype=np.float32)
            known |= {keys[i]: vector for i, vector in zip(part, made, strict=True)}
            rows = [(keys[i], known[keys[i]].tobytes()) for i in part]
            with base:
                base.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
    return np.stack([known[key] for key in keys])


def _look_up(base: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
    known: dict[bytes, Vectors] = {}
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        marks = ",".join("?" * len(part))
        rows = base.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", part)  # noqa: S608
        known |= {key: np.frombuffer(vector, dtype=np.float32) for key, vector in rows}
    return known


def encoder_folder(encoder: str) -> Path:
    """Return the folder that an encoder's files are in: the one named, or the hub's copy of it."""
    if Path(encoder).is_dir():
        return Path(encoder)
    from huggingface_hub import snapshot_download  # noqa: PLC0415 (slow, and seldom needed)
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError  # noqa: PLC0415

    try:
        return Path(snapshot_download(encoder, ignore_patterns=["onnx/*", "openvino/*", "*.bin", "*.h5", "*.ot"]))  # fmt: skip
    except (HFValidationError, HfHubHTTPError, OSError) as error:
        raise BadInput(
            f"encoder={encoder}: expected a folder, or a model in the cache or on the hub, found neither"
        ) from error


def weights_hash(folder: Path) -> str:
    """Return the hash of an encoder's weights; raises BadInput where there are none."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise BadInput(f"encoder={folder}: expected model.safetensors in it, found none")
    return " ".join(file_sha256(file) for file in files)


def encode(texts: Sequence[str], folder: Path) -> Vectors:
    """Return the encoder's vectors, each of length 1; raises BadInput where it is not installed."""
    return np.asarray(
        _model(str(folder)).encode(list(texts), normalize_embeddings=True, show_progress_bar=False),
        dtype=np.float32,
    )


@cache
def _model(folder: str) -> Any:
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 (an extra, and slow)
    except ImportError as error:
        raise BadInput(
            "sentence vectors need the extra `embeddings`: pip install -r requirements-embeddings.txt"
        ) from error
    if not sys.stderr.isatty():
        import_module("transformers.utils.logging").disable_progress_bar()  # its weights' loading
    return SentenceTransformer(folder, device="cpu")
