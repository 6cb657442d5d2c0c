"""Sentences that read the same, or nearly the same, in two splits, in near-linear time.

Every such pair of sentences with two different words or more is found, unless more than CROWD sentences
share the same two rare words (a form letter): then each is compared with the CROWD that follow it.

Two sentences are near-same if the Jaccard index of their normalised words is a threshold or more. With words
ordered from rare to common, two such sets share at least two words among the first ``n - ceil(t n) + 2`` of
each (``n`` words, threshold ``t``), so only sentences with a pair of rare words in common are compared.
Source: Chaudhuri, Ganti and Kaushik (2006), "A primitive operator for similarity joins in data cleaning";
Wang, Li and Feng (2012), "Can we beat the prefix filtering?", for prefixes that must share more than one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from onrecord.core.text_normalization import normalized_words

Ints = npt.NDArray[np.int64]

SHARDS = 8  # pairs of rare words are looked through in so many passes, to bound memory
CHUNK = 400_000  # pairs of sentences that are compared at once
CROWD = 400  # more sentences than this that share a pair of rare words are compared with their neighbours only


class Leak(TypedDict):
    """A sentence of one split that reads like one of another: ``gone`` is the copy that goes under drop.

    ``similarity`` is the Jaccard index of their normalised words: 1 for the same words.
    """

    kind: str
    gone: str
    stays: str
    splits: list[str]
    similarity: float


@dataclass(frozen=True)
class _Texts:
    """The different texts: ``rows[i]`` are the rows of text i, the one to stay first; ``top`` that one's split."""

    rows: list[list[int]]
    top: Ints
    words: list[list[str]]


def sentence_leaks(
    ids: Sequence[str],
    texts: Sequence[str],
    splits: Sequence[str],
    held_out: Mapping[str, int],
    *,
    near: float = 0.75,
    min_words: int = 8,
) -> list[Leak]:
    """Return the sentences of ``min_words`` normalised words or more that read (nearly) the same across splits.

    The one in the less held-out split (``held_out``: split → rank; at equal ranks the later row) is the one
    to go. One leak is given for each row that would have to go, with its nearest counterpart, in the
    order of the rows.

    >>> text = "The council voted to make every bus in the city free"
    >>> found = sentence_leaks(["a", "b"], [text, text.upper() + "!"], ["train", "test"], {"train": 0, "test": 1})
    >>> found[0]["kind"], found[0]["gone"], found[0]["stays"]
    ('same', 'a', 'b')
    """
    number = {split: i for i, split in enumerate(sorted(set(splits)))}
    part_of = np.array([number[split] for split in splits], dtype=np.int64)
    rank = [held_out[s] for s in splits]
    unique = _unique_texts(texts, rank, part_of, min_words)
    best: dict[int, tuple[float, bool, int]] = {}

    def goes(row: int, stays: int, similarity: float, *, same: bool = False) -> None:
        if row not in best or best[row][:2] < (similarity, same):
            best[row] = (similarity, same, stays)

    for rows in unique.rows:
        for row in rows[1:]:
            if part_of[row] != part_of[rows[0]]:
                goes(row, rows[0], 1.0, same=True)
    for one, other, similarity in _near_pairs(unique, near):
        first, second = unique.rows[one][0], unique.rows[other][0]
        winner, loser = (one, other) if (-rank[first], first) < (-rank[second], second) else (other, one)  # fmt: skip
        stays = unique.rows[winner][0]
        for row in unique.rows[loser]:
            if part_of[row] != part_of[stays]:
                goes(row, stays, similarity)
    return [
        Leak(
            kind="same" if same else "near", gone=ids[row], stays=ids[stays],
            splits=[splits[row], splits[stays]], similarity=round(similarity, 3),
        )
        for row, (similarity, same, stays) in sorted(best.items())
    ]  # fmt: skip


def _unique_texts(
    texts: Sequence[str], rank: Sequence[int], part_of: Ints, min_words: int
) -> _Texts:
    place: dict[str, int] = {}
    rows: list[list[int]] = []
    words: list[list[str]] = []
    for row, text in enumerate(texts):
        found = normalized_words(text)
        if len(found) < min_words:
            continue
        key = " ".join(found)
        if key in place:
            rows[place[key]].append(row)
        else:
            place[key] = len(rows)
            rows.append([row])
            words.append(found)
    for same in rows:
        if len(same) > 1:
            same.sort(key=lambda row: (-rank[row], row))
    return _Texts(rows, np.array([part_of[same[0]] for same in rows], dtype=np.int64), words)


def _near_pairs(texts: _Texts, threshold: float) -> Iterator[tuple[int, int, float]]:
    """Yield each pair of texts in different splits whose word sets have a Jaccard index of ``threshold`` or more."""
    if len(texts.rows) < 2 or len(set(texts.top.tolist())) < 2:
        return
    start, ranks = _ranked_words(texts.words)
    size = np.diff(start)
    seen: Ints = np.empty(0, dtype=np.int64)
    for keys, owners in _prefix_pairs(start, ranks, size, threshold):
        pairs = _sharing(keys, owners, texts.top)
        ratio = np.minimum(size[pairs[0]], size[pairs[1]]) / np.maximum(size[pairs[0]], size[pairs[1]])  # fmt: skip
        one, other = pairs[0][ratio >= threshold], pairs[1][ratio >= threshold]
        seen = np.union1d(seen, one * len(size) + other)
    for at in range(0, len(seen), CHUNK):
        one, other = np.divmod(seen[at : at + CHUNK], len(size))
        common = _words_in_common(start, ranks, one, other)
        similarity = common / (size[one] + size[other] - common)
        kept = similarity >= threshold
        yield from zip(
            one[kept].tolist(), other[kept].tolist(), similarity[kept].tolist(), strict=True
        )


def _ranked_words(words: Sequence[Sequence[str]]) -> tuple[Ints, Ints]:
    """Return the different words of each text as ranks (0 for the rarest), flat, and where each text begins."""
    number: dict[str, int] = {}
    lengths = np.fromiter((len(found) for found in words), dtype=np.int64, count=len(words))
    flat = np.fromiter(
        (number.setdefault(word, len(number)) for found in words for word in found),
        dtype=np.int64, count=int(lengths.sum()),
    )  # fmt: skip
    owner = np.repeat(np.arange(len(words)), lengths)
    different = np.unique(owner * len(number) + flat)
    owner, flat = np.divmod(different, len(number))
    frequency = np.bincount(flat, minlength=len(number))
    rank = np.empty(len(number), dtype=np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(number))
    different = np.sort(owner * len(number) + rank[flat])
    owner, ranks = np.divmod(different, len(number))
    return np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(words)))]), ranks


def _prefix_pairs(
    start: Ints, ranks: Ints, size: Ints, threshold: float
) -> Iterator[tuple[Ints, Ints]]:
    """Yield, a shard at a time, the pairs of rare words (as one number) of every text, and the text of each."""
    length = np.minimum(size, size - np.ceil(threshold * size - 1e-9).astype(np.int64) + 2)
    width = int(ranks.max()) + 1
    for shard in range(SHARDS):
        keys, owners = [], []
        for n in np.unique(length):
            texts = np.flatnonzero(length == n)
            prefix = ranks[start[texts][:, None] + np.arange(n)]
            first, second = np.triu_indices(n, 1)
            for a, b in zip(first, second, strict=True):
                key = prefix[:, a] * width + prefix[:, b]
                mine = (key % SHARDS) == shard
                keys.append(key[mine])
                owners.append(texts[mine])
        yield np.concatenate(keys), np.concatenate(owners)


def _sharing(keys: Ints, owners: Ints, top: Ints) -> tuple[Ints, Ints]:
    """Return the pairs of texts, in different splits, that have a key in common; the lower number first.

    Under one key each text is paired with the up to CROWD texts that follow it.
    """
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    ones, others = [], []
    alive: Ints = np.arange(len(keys))
    for step in range(1, CROWD + 1):
        alive = alive[alive + step < len(keys)]
        alive = alive[keys[alive] == keys[alive + step]]
        if not len(alive):
            break
        apart = alive[top[owners[alive]] != top[owners[alive + step]]]
        ones.append(owners[apart])
        others.append(owners[apart + step])
    if not ones:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(ones), np.concatenate(others)


def _words_in_common(start: Ints, ranks: Ints, one: Ints, other: Ints) -> Ints:
    """Return for each pair of texts how many words they share."""
    width = int(ranks.max()) + 1
    flat: list[Ints] = []
    owner: list[Ints] = []
    for texts in (one, other):
        size = start[texts + 1] - start[texts]
        inside = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        flat.append(ranks[np.repeat(start[texts], size) + inside])
        owner.append(np.repeat(np.arange(len(texts)), size))
    keys = np.sort(np.concatenate(owner) * width + np.concatenate(flat))
    twice = keys[1:][keys[1:] == keys[:-1]]
    return np.bincount(twice // width, minlength=len(one))
