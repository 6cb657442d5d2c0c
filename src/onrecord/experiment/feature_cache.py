"""N-gram weights kept by content, so that a sweep's jobs count the n-grams of a fold once.

What is kept is found again by the hash of the texts, of the block's settings and of the code that counts,
whatever the job, the model or the label. Plain arrays in npz files, never pickles; written atomically, so that
the jobs of a sweep can share the folder. The folder is bounded: what was used longest ago goes first.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import scipy
import scipy.sparse as sp

from onrecord.core.files import atomic

Arrays = Mapping[str, npt.NDArray[np.generic]]

MOST_BYTES = 4 << 30
NOWHERE = ":memory:"  # a cache of this name keeps nothing: SQLite's word for it
_folder: ContextVar[Path | None] = ContextVar("_folder", default=None)


@contextmanager
def features_kept(folder: Path | None) -> Iterator[None]:
    """Keep in ``folder`` what blocks compute meanwhile, and take from it what is there; None keeps nothing.

    A context and not an argument: the blocks stand deep in estimators that are cloned, nested and saved, and
    where something is kept is no part of a model.
    """
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def kept(
    about: Callable[[], Sequence[object]], texts: Sequence[str], compute: Callable[[], Arrays]
) -> Arrays:
    """Return ``compute()``, or what it returned before for the same texts and the same ``about()``.

    What ``about`` tells is told apart by ``repr``; it is asked only where something is kept. Raises what ``compute`` raises; a file that cannot be read is made again.
    """
    folder = _folder.get()
    if folder is None:
        return compute()
    path = folder / f"{_digest(about(), texts)}.npz"
    with suppress(OSError, ValueError, EOFError, BadZipFile):
        with np.load(path, allow_pickle=False) as file:
            found = dict(file)
        os.utime(path)  # used now
        return found
    made = compute()
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **made)  # type: ignore[arg-type]
    prune(folder, MOST_BYTES)
    return made


def features_folder(cache: str | None, workspace: Path) -> Path | None:
    """Return where features are kept: in the folder named, by default in the workspace; None for NOWHERE."""
    if cache == NOWHERE:
        return None
    return Path(cache) / "features" if cache else workspace / ".features"


def prune(folder: Path, most: int) -> None:
    """Remove the files used longest ago until the folder holds at most ``most`` bytes."""
    found = []
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):  # another job's prune
            state = entry.stat()
            found.append((state.st_mtime_ns, state.st_size, entry.path))
    excess = sum(size for _, size, _ in found) - most
    for _, size, path in sorted(found):
        if excess <= 0:
            break
        Path(path).unlink(missing_ok=True)
        excess -= size


def matrix_arrays(matrix: sp.csr_matrix) -> Arrays:
    """Return a sparse matrix as the arrays that it is made of."""
    return {
        "data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr,
        "shape": np.array(matrix.shape),
    }  # fmt: skip


def matrix_of(arrays: Arrays) -> sp.csr_matrix:
    """Return the sparse matrix of :func:`matrix_arrays`.

    >>> matrix_of(matrix_arrays(sp.csr_matrix([[0.0, 2.0]]))).toarray().tolist()
    [[0.0, 2.0]]
    """
    parts = (arrays["data"], arrays["indices"], arrays["indptr"])
    return sp.csr_matrix(parts, shape=tuple(arrays["shape"].tolist()))


def _digest(about: Sequence[object], texts: Sequence[str]) -> str:
    digest = hashlib.sha256(repr((*about, _code(), len(texts))).encode())
    for text in texts:
        coded = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(coded))
        digest.update(coded)
    return digest.hexdigest()


@cache
def _code() -> tuple[str, str, str]:
    """Return what the weights depend on besides: the code that counts them, and the libraries' versions."""
    source = Path(__file__).with_name("ngrams.py").read_bytes()
    return hashlib.sha256(source).hexdigest(), np.__version__, scipy.__version__
