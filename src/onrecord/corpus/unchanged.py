"""What rows depend on, by content: the rules that make them, and the rows that they are made of."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from onrecord.core.tables import opened

_LIBRARIES = ("charset-normalizer", "numpy", "rensa", "trafilatura")  # that have a say in the rows


@cache
def rules_hash() -> str:
    """Return one hash of the code and the word lists of the corpus, and of the libraries' versions.

    Rows made by other rules are made again, whatever the version of On Record says.
    """
    digest = hashlib.sha256("".join(map(version, _LIBRARIES)).encode())
    for file in sorted(Path(__file__).parent.rglob("*")):
        if file.is_file() and file.suffix in {".py", ".yaml", ".skops"}:
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def article_keys(articles: Path, size: int, columns: Sequence[str]) -> Iterator[str]:
    """Yield a hash of ``columns`` for each of the shards that ``row_shards(articles, size)`` gives.

    The text counts through its SHA-256, which is one of the columns, and is read only where that is null.
    """
    with opened(articles) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=list(columns), use_threads=False)
            if table["sha256"].null_count:
                table = file.read_row_group(group, columns=[*columns, "text"])
            rows = table.to_pylist()
            for at in range(0, len(rows), size):
                said = json.dumps(rows[at : at + size], sort_keys=True)
                yield hashlib.sha256(said.encode()).hexdigest()


def repeated(values: Iterable[object]) -> set[int]:
    """Return the hashes, of 64 bits, that more than one of the values has; 8 bytes a value are held, not the values.

    >>> hash("b") in repeated(["a", "b", "b"]), hash("a") in repeated(["a", "b", "b"])
    (True, False)
    """
    hashes = np.fromiter(map(hash, values), np.int64)
    hashes.sort()
    return {*hashes[1:][hashes[1:] == hashes[:-1]].tolist()}


def unless_all(made: int, pieces: int) -> str:
    """Return how much of the work was done anew, in words, where not all of it was."""
    return f": {made} of {pieces} pieces made anew" if made < pieces else ""
