"""TF-IDF over n-grams of words or characters, counted in numpy.

The weights are scikit-learn's TfidfVectorizer's (sublinear tf, smoothed idf, rows of length 1); a test holds
them equal. Python touches each text once, not each n-gram, which makes it several times faster
(benchmarks/predict.md), and a fitted vectoriser is three arrays, small to save.

An n-gram is one 64-bit key: each unit (a character or a word) has a code from 1 on in ``64 // high`` bits,
so that no two n-grams share a key. Code 0 stands for what is unknown and for every boundary; an n-gram that
holds a 0 is none.
"""

import hashlib
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin

from onrecord.core.errors import BadInput
from onrecord.experiment.feature_cache import Arrays, kept, matrix_arrays, matrix_of

WORD = re.compile(r"\b\w\w+\b|\n")  # a newline parts two texts; none is left inside a text
BREAK = "\n"
Codes = npt.NDArray[np.uint64]


class NgramTfidf(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A bag of n-grams, ``low`` to ``high`` units long, those in fewer than ``min_df`` texts left out.

    ``unit`` is ``word`` (two letters or more) or ``char`` (within words, a blank at both ends counting as a
    character). Input is a sequence of texts; output a sparse matrix (texts, n-grams).
    """

    def __init__(
        self,
        unit: Literal["word", "char"] = "word",
        low: int = 1,
        high: int = 2,
        min_df: int = 1,
    ) -> None:
        self.unit = unit
        self.low = low
        self.high = high
        self.min_df = min_df

    def fit(self, texts: Sequence[str], y: Any = None) -> "NgramTfidf":
        """Learn the n-grams and their idf; raises BadInput where there is not one n-gram."""
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts: Sequence[str], y: Any = None, **_: Any) -> sp.csr_matrix:
        """Learn the n-grams and return the texts' weights."""
        about = ("fit", self.unit, self.low, self.high, self.min_df)
        made = kept(lambda: about, texts, lambda: self._fitted(texts))
        self.alphabet_ = made["alphabet"].tobytes().decode("utf-32-le", "surrogatepass")
        self.keys_, self.idf_ = made["keys"], made["idf"]
        return matrix_of(made)

    def transform(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Return the texts' weights, shape (texts, n-grams); unknown n-grams weigh nothing."""
        return matrix_of(kept(self._told, texts, lambda: matrix_arrays(self._transformed(texts))))

    def _told(self) -> tuple[object, ...]:
        """Return what the weights of new texts depend on besides the texts."""
        state = hashlib.sha256(self.alphabet_.encode("utf-8", "surrogatepass"))
        state.update(self.keys_.tobytes())
        state.update(self.idf_.tobytes())
        return ("transform", self.unit, self.low, self.high, state.hexdigest())

    def _fitted(self, texts: Sequence[str]) -> Arrays:
        """Return what is learnt from the texts, and their weights, as arrays."""
        units, owner = self._units(texts)
        self.alphabet_ = self._alphabet(units)
        keys, rows = self._keys(units, owner)
        distinct, columns = np.unique(keys, return_inverse=True)
        counts = _counts(rows, columns, (len(texts), len(distinct)))
        frequency = np.bincount(counts.indices, minlength=len(distinct))
        common = frequency >= self.min_df
        if not common.any():
            raise BadInput(
                f"no {self.unit} n-gram stands in {self.min_df} texts or more of the {len(texts)} trained on"
            )
        self.idf_ = np.log((1 + len(texts)) / (1 + frequency[common])) + 1
        weights = self._weights(counts[:, common])
        alphabet = np.frombuffer(self.alphabet_.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        return {
            "alphabet": alphabet, "keys": distinct[common], "idf": self.idf_, **matrix_arrays(weights)
        }  # fmt: skip

    def _transformed(self, texts: Sequence[str]) -> sp.csr_matrix:
        units, owner = self._units(texts)
        keys, rows = self._keys(units, owner)
        columns = np.searchsorted(self.keys_, keys)
        columns[columns == len(self.keys_)] = 0
        known = self.keys_[columns] == keys
        return self._weights(_counts(rows[known], columns[known], (len(texts), len(self.keys_))))

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Return the n-grams as text, in column order; words are parted by a blank."""
        units = self._alphabet_units()
        bits, mask = 64 // self.high, (1 << (64 // self.high)) - 1
        between = " " if self.unit == "word" else ""
        names = []
        for key in self.keys_.tolist():
            shifts = range(0, int(key).bit_length(), bits)
            codes = [key >> shift & mask for shift in shifts]
            names.append(between.join(units[code - 1] for code in reversed(codes)))
        return np.array(names, dtype=object)

    def _units(self, texts: Sequence[str]) -> tuple[Any, npt.NDArray[np.int64]]:
        """Return all units of all texts in one row, breaks between them, and the text that each is of."""
        if self.unit == "word":
            words = WORD.findall(BREAK.join(" ".join(t.lower().split()) for t in texts))
            breaks = np.fromiter((w == BREAK for w in words), dtype=np.int64, count=len(words))
            return words, np.cumsum(breaks)
        padded = [
            " " + f" {BREAK} ".join(t.lower().split()) + f" {BREAK}" if t.strip() else BREAK
            for t in texts
        ]
        owner = np.repeat(np.arange(len(padded)), [len(p) for p in padded])
        # surrogatepass: a lone surrogate in a text is a character like any other
        points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype="<u4")
        return points, owner

    def _alphabet(self, units: Any) -> str:
        found = (
            sorted(set(units) - {BREAK})
            if self.unit == "word"
            else [chr(point) for point in np.unique(units) if point != ord(BREAK)]
        )
        bits = 64 // self.high
        if len(found) >= 1 << bits:
            raise BadInput(
                f"{self.unit} n-grams up to {self.high}: expected fewer than {1 << bits} different {self.unit}s, found {len(found)}"
            )
        return ("\n" if self.unit == "word" else "").join(found)

    def _alphabet_units(self) -> Sequence[str]:
        return self.alphabet_.split("\n") if self.unit == "word" else self.alphabet_

    def _keys(
        self, units: Any, owner: npt.NDArray[np.int64]
    ) -> tuple[Codes, npt.NDArray[np.int64]]:
        """Return the key and the text of every n-gram."""
        codes = self._codes(units)
        bits = np.uint64(64 // self.high)
        keys, all_keys, all_rows = codes, [], []
        for n in range(1, self.high + 1):
            if n > 1:
                following = codes[n - 1 :]
                keys = np.where(
                    (keys[:-1] != 0) & (following != 0), (keys[:-1] << bits) | following, 0
                ).astype(np.uint64)
            if n >= self.low:
                real = np.flatnonzero(keys)
                all_keys.append(keys[real])
                all_rows.append(owner[real])
        return np.concatenate(all_keys), np.concatenate(all_rows)

    def _codes(self, units: Any) -> Codes:
        known = self._alphabet_units()
        if self.unit == "word":
            code_of = dict(zip(known, range(1, len(known) + 1), strict=True))
            return np.fromiter(
                (code_of.get(u, 0) for u in units), dtype=np.uint64, count=len(units)
            )
        table = np.zeros(0x110000, dtype=np.uint64)
        points = [ord(unit) for unit in chain(known)]
        table[points] = np.arange(1, len(points) + 1, dtype=np.uint64)
        return np.asarray(table[units])

    def _weights(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        counts.data = (1 + np.log(counts.data)) * self.idf_[counts.indices]
        squared = np.add.reduceat(np.append(counts.data**2, 0.0), counts.indptr[:-1])
        length = np.sqrt(np.where(np.diff(counts.indptr) > 0, squared, 1.0))
        counts.data /= np.repeat(length, np.diff(counts.indptr))
        return counts


def _counts(rows: Any, columns: Any, shape: tuple[int, int]) -> sp.csr_matrix:
    """Return how often each column occurs in each row."""
    counts = sp.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts.sum_duplicates()
    return counts
