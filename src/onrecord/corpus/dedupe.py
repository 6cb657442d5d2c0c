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
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

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


class ComparableSketches(Protocol):
    """What :func:`groups` asks of the articles' sketches, wherever they are kept."""

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return how many shingles each article has, shape (articles,)."""

    def band(self, index: int) -> Hashes:
        """Return the keys of one band, shape (articles,)."""

    def marks(self) -> Marks:
        """Return the low byte of each MinHash value, shape (articles, bands * rows)."""

    def of(self, index: int) -> Hashes:
        """Return the sorted, distinct shingle hashes of one article."""


@dataclass(frozen=True)
class Sketches:
    """What is compared of each article, in the articles' order.

    ``shingles[offsets[i]:offsets[i + 1]]`` are the sorted, distinct shingle hashes of article ``i``;
    ``bands`` has shape (bands, articles), ``bytes`` (articles, bands * rows): the low byte of each MinHash
    value. An article of fewer than three words has no shingle.
    """

    shingles: Hashes
    offsets: npt.NDArray[np.int64]
    bands: Hashes
    bytes: Marks

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return how many shingles each article has."""
        sizes: npt.NDArray[np.int64] = np.diff(self.offsets)
        return sizes

    def band(self, index: int) -> Hashes:
        """Return the keys of one band."""
        keys: Hashes = self.bands[index]
        return keys

    def marks(self) -> Marks:
        """Return the low bytes of the MinHash values."""
        return self.bytes

    def of(self, index: int) -> Hashes:
        """Return the shingle hashes of one article."""
        return self.shingles[self.offsets[index] : self.offsets[index + 1]]

    def save(self, path: Path) -> None:
        """Write the sketches to a file: how many articles, bands and marks; then all of each."""
        with atomic(path) as temporary, temporary.open("wb") as file:
            head = [len(self.offsets) - 1, len(self.bands), self.bytes.shape[1]]
            np.array(head, np.int64).tofile(file)
            for part in (self.offsets, self.bands, self.shingles, self.bytes):
                part.tofile(file)


class StoredSketches:
    """The sketches of several files, read piece by piece as they are asked for.

    Only the offsets stay in memory (8 bytes an article), and the marks while groups are found (one byte a
    MinHash value): reading a band or an article's shingles costs three system calls, which the disk's cache
    answers.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        # Opened as they are asked for: there may be more than may be open at a time.
        self.files = list(map(os.fspath, paths))
        self.heads = [np.fromfile(file, np.int64, 3).tolist() for file in self.files]
        self.offsets = [
            np.fromfile(file, np.int64, n + 1, offset=24)
            for file, (n, _, _) in zip(self.files, self.heads, strict=True)
        ]
        self.firsts = np.concatenate([[0], np.cumsum([n for n, _, _ in self.heads])]).tolist()

    def sizes(self) -> npt.NDArray[np.int64]:
        """Return how many shingles each article has."""
        return np.concatenate([*map(np.diff, self.offsets), np.empty(0, np.int64)])

    def band(self, index: int) -> Hashes:
        """Return the keys of one band."""
        parts = [
            self._read(file, 8 * (4 + n + index * n), n)
            for file, (n, _, _) in zip(self.files, self.heads, strict=True)
        ]
        return np.concatenate([*parts, np.empty(0, np.uint64)])

    def marks(self) -> Marks:
        """Return the low bytes of the MinHash values."""
        found = np.empty((self.firsts[-1], self.heads[0][2] if self.heads else 0), np.uint8)
        pieces = zip(self.files, self.heads, self.offsets, self.firsts, strict=False)
        for file, (n, bands, width), offsets, first in pieces:
            at = 8 * (4 + n + bands * n + int(offsets[-1]))
            data = np.fromfile(file, np.uint8, n * width, offset=at)
            found[first : first + n] = data.reshape(n, width)
        return found

    def of(self, index: int) -> Hashes:
        """Return the shingle hashes of one article."""
        part = bisect_right(self.firsts, index) - 1
        n, bands, _ = self.heads[part]
        start, end = self.offsets[part][index - self.firsts[part] :][:2].tolist()
        return self._read(self.files[part], 8 * (4 + n + bands * n + start), end - start)

    @staticmethod
    def _read(file: str, at: int, count: int) -> Hashes:
        descriptor = os.open(file, os.O_RDONLY)  # numpy's own reading takes four times as long
        try:
            return np.frombuffer(os.pread(descriptor, 8 * count, at), np.uint64)
        finally:
            os.close(descriptor)


def sketch(texts: Sequence[str], *, bands: int, rows: int) -> Sketches:
    """Return the sketches of texts: words in lower case, shingles of three, ``bands`` of ``rows`` values."""
    shingles: list[Hashes] = [np.empty(0, np.uint64)]
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
    return Sketches(
        np.concatenate(shingles),
        np.concatenate(offsets),
        np.ascontiguousarray(keys.T),
        digests.astype(np.uint8),  # the low byte
    )


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
    sketches: ComparableSketches,
    *,
    bands: int,
    jaccard: float,
    containment: float,
    shared: int,
    bucket: int,
    without: Set[int] = frozenset(),
) -> Places:
    """Return, for each article, the index of the first article of its group, shape (articles,).

    Those ``without`` are compared with none. Within a bucket an article is compared with the ``bucket`` articles before it and with no more, which
    keeps the cost near linear where a stock paragraph puts thousands of articles into one bucket.
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
