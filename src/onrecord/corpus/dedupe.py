"""Groups of articles that are copies of one story.

Candidates come from MinHash over shingles of three words, cut into bands (Broder 1997; Leskovec, Rajaraman
and Ullman, "Mining of Massive Datasets", ch. 3). Each candidate pair is then *verified* on the shingles
themselves, by Jaccard similarity or by containment of the shorter in the longer, and only verified pairs
are joined (union-find). Unverified buckets would chain unrelated stories into one giant group.

rensa makes the MinHash values. The candidates are our own: rensa's index finds the same groups in 5 times
the CPU time of 20,000 articles, datasketch's in 14 times (``benchmarks/dedupe.md``).
"""

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rensa import RMinHash

from onrecord.core.files import atomic
from onrecord.corpus.shingles import Hashes, Places, shingle_hashes

Marks = npt.NDArray[np.uint8]

SEED = 42  # of the MinHash permutations: fixed, so that groups do not depend on a run
# Share of MinHash values in common below which a pair is not verified: half of what the loosest copies that
# the default settings accept have (a version 52 % of which is in one three times as long: 0.15).
LEAST = 0.08
AT_ONCE = 500  # texts whose MinHash values are made at a time
CHUNK = 5_000  # pairs whose marks are compared at a time


class SketchFile(NamedTuple):
    """A file of sketches: its path, how many articles, bands and MinHash values, and where shingles begin."""

    path: str
    articles: int
    bands: int
    values: int
    offsets: npt.NDArray[np.int64]


class Sketches:
    """What is compared of the articles, in their order: in files, read piece by piece as it is asked for.

    Only the offsets stay in memory (8 bytes an article), and the marks while groups are found (one byte a
    MinHash value): reading a band or an article's shingles costs three system calls, which the disk's cache
    answers. The files are opened each time: there may be more than may be open at once.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.parts = []
        for path in paths:
            articles, bands, values = np.fromfile(path, np.int64, 3).tolist()
            offsets = np.fromfile(path, np.int64, articles + 1, offset=24)
            self.parts.append(SketchFile(os.fspath(path), articles, bands, values, offsets))
        self.firsts = [0, *accumulate(part.articles for part in self.parts)]

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return how many shingles each article has, shape (articles,)."""
        sizes = [np.diff(part.offsets) for part in self.parts]
        return np.concatenate([*sizes, np.empty(0, np.int64)])

    def band(self, index: int) -> Hashes:
        """Return the keys of one band, shape (articles,)."""
        keys = [_read(part, index * part.articles, part.articles) for part in self.parts]
        return np.concatenate([*keys, np.empty(0, np.uint64)])

    def marks(self) -> Marks:
        """Return the low byte of each MinHash value, shape (articles, values)."""
        found = np.empty((self.firsts[-1], self.parts[0].values if self.parts else 0), np.uint8)
        for first, part in zip(self.firsts, self.parts, strict=False):
            at = 8 * (4 + part.articles * (1 + part.bands) + int(part.offsets[-1]))
            data = np.fromfile(part.path, np.uint8, part.articles * part.values, offset=at)
            found[first : first + part.articles] = data.reshape(part.articles, part.values)
        return found

    def of(self, index: int) -> Hashes:
        """Return the sorted, distinct shingle hashes of one article."""
        at = bisect_right(self.firsts, index) - 1
        part = self.parts[at]
        start, end = part.offsets[index - self.firsts[at] :][:2].tolist()
        return _read(part, part.bands * part.articles + start, end - start)


def _read(part: SketchFile, at: int, count: int) -> Hashes:
    descriptor = os.open(part.path, os.O_RDONLY)  # numpy's own reading takes four times as long
    try:
        data = os.pread(descriptor, 8 * count, 8 * (4 + part.articles + at))
    finally:
        os.close(descriptor)
    return np.frombuffer(data, np.uint64)


def write_sketches(path: Path, texts: Sequence[str], *, bands: int, rows: int) -> None:
    """Write what :class:`Sketches` reads of texts: words in lower case, shingles of three, ``bands`` of ``rows`` values.

    A file has the numbers of articles, bands and MinHash values; where each article's shingles begin and the
    last ones end; the keys, shape (bands, articles); the sorted, distinct shingle hashes of each article (of
    fewer than three words: none); the low byte of each MinHash value.
    """
    shingles: list[Hashes] = []
    offsets: list[Places] = [np.zeros(1, np.int64)]
    digests = np.zeros((len(texts), bands * rows), np.uint32)
    for at in range(0, len(texts), AT_ONCE):
        flat, ends = shingle_hashes(texts[at : at + AT_ONCE])
        found = RMinHash.digest_matrix_from_flat_token_hashes(
            flat, ends.astype(np.uint64), bands * rows, SEED
        )
        digests[at : at + AT_ONCE] = found.to_rows()
        shingles.append(flat)
        offsets.append(ends[1:] + offsets[-1][-1])
    keys: Hashes = np.zeros((len(texts), bands), np.uint64)
    for row in range(rows):
        keys = (keys ^ digests[:, row::rows]) * np.uint64(0xD6E8FEB86659FD93)
        keys ^= keys >> np.uint64(32)
    head = np.array([len(texts), bands, bands * rows], np.int64)
    arrays: list[npt.NDArray[Any]] = [head, *offsets, keys.T, *shingles, digests.astype(np.uint8)]
    with atomic(path) as temporary, temporary.open("wb") as file:
        for values in arrays:
            values.tofile(file)


def are_copies(
    one: Hashes, other: Hashes, *, jaccard: float, containment: float, shared: int
) -> bool:
    """Return whether two sorted sets of shingles are those of copies of one story.

    They are when the sets overlap by ``jaccard`` of their union, or when ``containment`` of the smaller
    lies in the larger and at least ``shared`` shingles do: a slogan or a stock paragraph is no copy.
    """
    if len(one) > len(other):
        one, other = other, one
    if not len(one):
        return False
    place = np.minimum(np.searchsorted(other, one), len(other) - 1)
    common = int(np.count_nonzero(other[place] == one))
    if common >= jaccard * (len(one) + len(other) - common):
        return True
    return common >= shared and common >= containment * len(one)


def groups(
    sketches: Sketches,
    *,
    bands: int,
    jaccard: float,
    containment: float,
    shared: int,
    bucket: int,
    without: Set[int] = frozenset(),
) -> Places:
    """Return, for each article, the index of the first article of its group, shape (articles,).

    Those ``without`` are compared with none. Within a bucket an article is compared with the ``bucket``
    articles before it and with no more, which keeps the cost near linear where a stock paragraph puts
    thousands of articles into one bucket.
    """
    sized = sketches.sizes() > 0
    sized[list(without)] = False
    parent = array("q", range(len(sized)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    marks = sketches.marks()
    for index in range(bands):
        for one, other in candidates(sketches.band(index), sized, bucket, marks):
            a, b = root(one), root(other)
            # A pair that was refused may come again in another band, one in twenty does: keeping it costs more.
            if a != b and are_copies(
                sketches.of(one), sketches.of(other),
                jaccard=jaccard, containment=containment, shared=shared,
            ):  # fmt: skip
                parent[max(a, b)] = min(a, b)
    return np.fromiter(map(root, range(len(parent))), np.int64, len(parent))


def candidates(
    keys: Hashes, sized: npt.NDArray[np.bool_], bucket: int, marks: Marks
) -> Iterator[tuple[int, int]]:
    """Yield the pairs of ``sized`` articles that share a key and LEAST of their marks.

    ``keys`` and ``sized`` have shape (articles,). Of the articles with one key, each is paired with the
    ``bucket`` before it.
    """
    at = np.flatnonzero(sized)
    order = at[np.argsort(keys[at], kind="stable")]
    ordered = keys[order]
    for distance in range(1, bucket + 1):
        places = np.flatnonzero(ordered[distance:] == ordered[:-distance])
        if not len(places):
            break
        for part in np.array_split(places, len(places) // CHUNK + 1):
            one, other = order[part + distance], order[part]
            alike = np.count_nonzero(marks[one] == marks[other], axis=1) >= LEAST * marks.shape[1]
            yield from zip(one[alike].tolist(), other[alike].tolist(), strict=True)
