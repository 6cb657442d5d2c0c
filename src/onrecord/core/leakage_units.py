"""Leakage units: what no cut may part. Groups that share an article, or a sentence that reads (nearly) the same.

Every cut uses them: the splits of `build`, and folds, curves and early stopping on its dataset.

Two sentences are near-same if the Jaccard index of their normalised words is a threshold or more. Every such
pair with 2 to LONG different words is found, unless more than CROWD sentences share the same two rare words
(a form letter): then each is compared with the CROWD that follow it. With words ordered from rare to common, two
such sets share at least two words among the first ``n - ceil(t n) + 2`` of each (``n`` words, threshold ``t``), so
only sentences with a pair of rare words in common are compared.
Source: Chaudhuri, Ganti and Kaushik (2006), "A primitive operator for similarity joins in data cleaning";
Wang, Li and Feng (2012), "Can we beat the prefix filtering?", for prefixes that must share more than one.

A sentence contained in a longer one, or with a fifth of its words changed, is below that index, and in longer texts
pairs of words are too many. Texts that share a run of RUN words which is rare (in at most RARE texts) are therefore
compared, too, and are near-same if CONTAINED of the shorter one's words are in the longer one, and runs as many as
RUNS of its words.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from onrecord.core.text_normalization import normalized_words

Ints = npt.NDArray[np.int64]
_NONE: Ints = np.empty(0, dtype=np.int64)
Node = TypeVar("Node", str, int)

SHARDS = 8  # pairs of rare words are looked through in so many passes, to bound memory
CHUNK = 16_000_000  # words of pairs of sentences that are compared at once
CROWD = 400  # more sentences than this that share a pair of rare words are compared with their neighbours only
LONG = 64  # texts of more different words are found by their runs alone
RUN, RARE = 3, 40
CONTAINED, RUNS = 0.75, 0.2
UNIT_SHARE = 0.1  # of the rows that a unit of several groups may hold


@dataclass(frozen=True)
class NearSame:
    """``text_of`` is the number of each row's text, -1 where it is too short; the pairs are (text, text, similarity).

    Rows with the same normalised words have one number. Similarity is the Jaccard index of the words, or, where a
    sentence is contained in the other, the share of its words that are. Pairs within one group are not given.
    """

    text_of: Ints
    pairs: list[tuple[int, int, float]]


@dataclass(frozen=True)
class LeakageUnits:
    """``unit_of`` names each row's unit: its group, or the first by name of the groups that were joined.

    ``recurring`` are the rows of sentences that were not followed, since a unit would hold more than UNIT_SHARE
    of the rows: boilerplate, of which one row is to count. ``joined`` counts the groups that are in a unit with others.
    """

    unit_of: list[str]
    recurring: list[list[int]]
    joined: int


def leakage_units(
    groups: Sequence[str], found: NearSame, articles: Sequence[str | None] | None = None
) -> LeakageUnits:
    """Return the unit of each row. Groups are joined by an article in both, then by sentences, the rarest first.

    >>> text = "The council voted to make every bus in the city free"
    >>> rows = [text, text.upper(), "Snow fell.", "Rain fell.", "Hail fell.", "Night fell."]
    >>> leakage_units([*"bacdef"], near_same(rows, [*"bacdef"])).unit_of
    ['a', 'a', 'c', 'd', 'e', 'f']
    """
    size = Counter(groups)
    limit = max(UNIT_SHARE * len(groups), min(len(groups) / 3, 30), max(size.values(), default=0))
    parent = {group: group for group in size}

    def join(rows: Sequence[int], most: float) -> bool:
        roots = sorted({_root(parent, groups[row]) for row in rows})
        total = sum(size[root] for root in roots)
        if len(roots) > 1 and total > most:
            return False
        for root in roots[1:]:
            parent[root] = roots[0]
        size[roots[0]] = total
        return True

    rows_of: dict[str, list[int]] = {}
    for row, article in enumerate(articles or ()):
        if article is not None:
            rows_of.setdefault(article, []).append(row)
    for rows in rows_of.values():
        join(rows, len(groups))
    clusters = _clusters(found)
    clusters.sort(key=lambda rows: len({groups[row] for row in rows}))
    recurring = [rows for rows in clusters if not join(rows, limit)]
    unit_of = [_root(parent, group) for group in groups]
    members = Counter(_root(parent, group) for group in parent)
    return LeakageUnits(unit_of, recurring, sum(n for n in members.values() if n > 1))


def _root(parent: dict[Node, Node], node: Node) -> Node:
    while parent[node] != node:
        parent[node] = node = parent[parent[node]]
    return node


def _clusters(found: NearSame) -> list[list[int]]:
    """Return the rows of each text, and of texts that pairs lead to from it, where there are two or more."""
    parent = {text: text for pair in found.pairs for text in pair[:2]}
    for one, other, _ in found.pairs:
        first, second = sorted((_root(parent, one), _root(parent, other)))
        parent[second] = first
    repeated = np.bincount(found.text_of[found.text_of >= 0]) > 1
    clusters: dict[int, list[int]] = {}
    for row, text in enumerate(found.text_of.tolist()):
        if text in parent or (text >= 0 and repeated[text]):
            clusters.setdefault(_root(parent, text) if text in parent else text, []).append(row)
    return list(clusters.values())


def near_same(
    texts: Sequence[str], groups: Sequence[str], *, near: float = 0.75, min_words: int = 8
) -> NearSame:
    """Return which texts of ``min_words`` normalised words or more read (nearly) the same in different groups."""
    number: dict[str, int] = {}
    text_number: dict[bytes, int] = {}
    group_number = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    text_of = np.full(len(texts), -1, dtype=np.int64)
    words, lengths, group_of = array("i"), array("q"), array("q")
    for row, text in enumerate(texts):
        found = array("i", [number.setdefault(word, len(number)) for word in normalized_words(text)])  # fmt: skip
        if len(found) < min_words:
            continue
        text_of[row] = i = text_number.setdefault(found.tobytes(), len(text_number))
        if i == len(lengths):
            words.extend(found)
            lengths.append(len(found))
            group_of.append(group_number[groups[row]])
        elif group_of[i] != group_number[groups[row]]:
            group_of[i] = -1 - i  # in several groups: no pair of this text lies within one
    flat = np.frombuffer(words, dtype=np.int32) if words else np.empty(0, dtype=np.int32)
    del number, text_number
    pairs = _near_pairs(flat, np.array(lengths), np.array(group_of), near)
    return NearSame(text_of, list(pairs))


def _near_pairs(
    words: npt.NDArray[np.int32], lengths: Ints, group_of: Ints, threshold: float
) -> Iterator[tuple[int, int, float]]:
    if len(lengths) < 2:
        return
    start, ranks = _ranked_words(words, lengths)
    size = np.diff(start)
    alike = _NONE
    for keys, owners in _prefix_pairs(start, ranks, size, threshold):
        one, other = _sharing(keys, owners, group_of)
        ratio = np.minimum(size[one], size[other]) / np.maximum(size[one], size[other])
        alike = np.union1d(alike, (one * len(size) + other)[ratio >= threshold])
    runs = [_sharing(keys, owners, group_of) for keys, owners in _rare_runs(words, lengths)]
    pairs, shared = np.unique(np.concatenate([one * len(size) + other for one, other in runs]), return_counts=True)  # fmt: skip
    enough = shared >= RUNS * np.minimum(*(size[texts] for texts in np.divmod(pairs, len(size))))
    alike = np.union1d(alike, pairs[enough])
    step = int(CHUNK / (2 * size.mean()))
    for at in range(0, len(alike), step):
        one, other = np.divmod(alike[at : at + step], len(size))
        common = _words_in_common(start, ranks, one, other)
        jaccard = common / (size[one] + size[other] - common)
        contained = common / np.minimum(size[one], size[other])
        contained[~np.isin(alike[at : at + step], pairs[enough])] = 0
        similarity = np.where(jaccard >= threshold, jaccard, contained)
        kept = (jaccard >= threshold) | (contained >= CONTAINED)
        yield from zip(
            one[kept].tolist(), other[kept].tolist(), similarity[kept].tolist(), strict=True
        )


def _ranked_words(words: npt.NDArray[np.int32], lengths: Ints) -> tuple[Ints, Ints]:
    """Return where each text begins, and the different words of each as ranks (0 for the rarest), flat."""
    width = int(words.max()) + 1
    owner, flat = np.divmod(np.unique(np.repeat(np.arange(len(lengths)), lengths) * width + words), width)  # fmt: skip
    rank = np.empty(width, dtype=np.int64)
    rank[np.argsort(np.bincount(flat, minlength=width), kind="stable")] = np.arange(width)
    owner, ranks = np.divmod(np.sort(owner * width + rank[flat]), width)
    return np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(lengths)))]), ranks


def _prefix_pairs(
    start: Ints, ranks: Ints, size: Ints, threshold: float
) -> Iterator[tuple[Ints, Ints]]:
    """Yield, a shard at a time, the pairs of rare words (as one number) of every text, and the text of each."""
    length = np.minimum(size, size - np.ceil(threshold * size - 1e-9).astype(np.int64) + 2)
    width = int(ranks.max()) + 1
    for shard in range(SHARDS):
        keys, owners = [], []
        for n in np.unique(length[(size > 1) & (size <= LONG)]):
            texts = np.flatnonzero((length == n) & (size <= LONG))
            prefix = ranks[start[texts][:, None] + np.arange(n)]
            first, second = np.triu_indices(n, 1)
            for a, b in zip(first, second, strict=True):
                key = prefix[:, a] * width + prefix[:, b]
                mine = (key % SHARDS) == shard
                keys.append(key[mine])
                owners.append(texts[mine])
        yield np.concatenate([_NONE, *keys]), np.concatenate([_NONE, *owners])


def _rare_runs(words: npt.NDArray[np.int32], lengths: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield, a shard at a time, a hash of each run of RUN words in 2 to RARE texts, and the text of each."""
    runs = np.zeros(max(len(words) - RUN + 1, 0), dtype=np.int64)
    for offset in range(RUN):
        runs *= 1_000_003
        runs += words[offset : len(words) - RUN + 1 + offset]
    inside = np.arange(len(runs)) + RUN <= np.repeat(np.cumsum(lengths), lengths)[: len(runs)]
    owner = np.repeat(np.arange(len(lengths)), lengths)[: len(runs)]
    for shard in range(SHARDS):
        mine = inside & (runs % SHARDS == shard)
        keys, owners = runs[mine], owner[mine]
        order = np.lexsort((owners, keys))
        keys, owners = keys[order], owners[order]
        count = np.unique(keys, return_counts=True)[1]
        rare = np.repeat((count > 1) & (count <= RARE), count)
        yield keys[rare], owners[rare]


def _sharing(keys: Ints, owners: Ints, group_of: Ints) -> tuple[Ints, Ints]:
    """Return the pairs of texts, in different groups, that have a key in common; the lower number first.

    Under one key each text is paired with the up to CROWD texts that follow it.
    """
    order = np.lexsort((owners, keys))
    keys, owners = keys[order], owners[order]
    ones, others = [_NONE], [_NONE]
    alive: Ints = np.arange(len(keys))
    for step in range(1, CROWD + 1):
        alive = alive[alive + step < len(keys)]
        alive = alive[keys[alive] == keys[alive + step]]
        if not len(alive):
            break
        apart = alive[group_of[owners[alive]] != group_of[owners[alive + step]]]
        ones.append(owners[apart])
        others.append(owners[apart + step])
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
