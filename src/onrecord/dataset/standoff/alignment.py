"""Sentences found again in a copy of their article, of which only hashes are known.

Tiers, best first: ``sentence`` (the same characters, elsewhere), ``folded`` (the same letters and digits),
``fuzzy`` (on demand: the stretch between two found neighbours that resembles what is missing). The order
of the sentences is kept, and no two come to stand on one place.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onrecord.core.records import text_sha256
from onrecord.dataset.standoff.fingerprints import (  # fmt: skip
    HEAD,
    Folded,
    distance,
    fold,
    gram_votes,
    head,
    packed,
    sha256,
)

OPENING, CLOSING = set("“‘\"'«‹„([{¿¡"), set("”’\"'»›)]}.,;:!?…%")
FUZZY_BITS = 14  # simhashes that differ in more of 64 bits are of different sentences
EDGE_BITS = 3  # what it costs a fuzzy match to leave letters between itself and a found neighbour
FUZZY_LENGTH = 0.2  # by which share a fuzzy match may be longer or shorter


@dataclass(frozen=True)
class Place:
    """Where a sentence stands in the copy, and by which tier it was found."""

    start: int
    end: int
    tier: str


@dataclass(frozen=True)
class Recovered:
    """One article of the release as it came back: from which text, each sentence's place, and why some have none."""

    text: str
    places: Mapping[str, Place]
    why: Mapping[str, str]


@dataclass(frozen=True)
class _Candidate:
    start: int  # in the folded copy
    end: int


def recover(
    wanted: Sequence[Mapping[str, Any]], text: str, *, fuzzy: bool = False
) -> list[Place | None]:
    """Return where each wanted sentence stands in ``text``, null where it does not.

    ``wanted`` are rows of a release's ``sentences.parquet``, of one article, in its order. As many
    sentences are found as can stand in their order without overlap. A default tier never gives a
    sentence whose letters and digits differ from the wanted one's.
    """
    copy = fold(text)
    heads: dict[int, list[int]] = defaultdict(list)
    for start in copy.words:
        heads[head(copy.text[start : start + HEAD])].append(start)
    chosen = longest_chain([_candidates(row, copy, heads) for row in wanted])
    places: list[Place | None] = []
    before = 0
    for row, candidate in zip(wanted, chosen, strict=True):
        place = None if candidate is None else _exact(row, text, copy, candidate, before)
        before = place.end if place is not None else before
        places.append(place)
    if fuzzy:
        _fill(places, wanted, text, copy, chosen)
    return places


def _candidates(
    row: Mapping[str, Any], copy: Folded, heads: Mapping[int, Sequence[int]]
) -> list[_Candidate]:
    """Return the places in the folded copy where the wanted folded text stands."""
    length = row["folded_length"]
    if length < HEAD:  # its head covers less than the copy's heads do
        starts: Sequence[int] = copy.words
    else:
        starts = heads.get(row["head"], ())
    return [
        _Candidate(start, start + length)
        for start in starts
        if length
        and start + length <= len(copy.text)
        and sha256(copy.text[start : start + length]) == row["folded_sha256"]
    ]


def longest_chain(
    candidates: Sequence[Sequence[_Candidate]],
) -> list[_Candidate | None]:
    """Return one candidate (or null) for each sentence: the most that stand in order without overlap.

    The longest increasing chain by patience: ``ends[n]`` is the earliest end of a chain of n + 1 sentences.
    """
    ends: list[int] = []
    last: list[Any] = []  # per chain length: sentence, its place, the link before
    for sentence, found in enumerate(candidates):
        for candidate in sorted(found, key=lambda c: -c.start):
            length = bisect_right(ends, candidate.start)
            link: Any = (sentence, candidate, last[length - 1] if length else None)
            if length == len(ends):
                ends.append(candidate.end)
                last.append(link)
            elif candidate.end < ends[length]:
                ends[length], last[length] = candidate.end, link
    chosen: list[_Candidate | None] = [None] * len(candidates)
    link = last[-1] if last else None
    while link is not None:
        chosen[link[0]] = link[1]
        link = link[2]
    return chosen


def _exact(
    row: Mapping[str, Any], text: str, copy: Folded, candidate: _Candidate, before: int
) -> Place:
    """Return the place in the copy's own text: the very characters where they are there, else the folded ones.

    A folded match takes the quotes and points that cling to its first and last word along.
    """
    first, last = copy.at[candidate.start], copy.at[candidate.end - 1] + 1
    length = row["end"] - row["start"]
    for lead in range(4):
        start = first - lead
        if start >= before and text_sha256(text[start : start + length]) == row["sha256"]:
            return Place(start, start + length, "sentence")
    while first > before and text[first - 1] in OPENING:
        first -= 1
    while last < len(text) and text[last] in CLOSING:
        last += 1
    return Place(first, last, "folded")


def _fill(
    places: list[Place | None],
    wanted: Sequence[Mapping[str, Any]],
    text: str,
    copy: Folded,
    chosen: Sequence[_Candidate | None],
) -> None:
    """Put in each gap between found neighbours the stretch that resembles the missing sentence most."""
    votes = np.vstack([np.zeros((1, 64), np.int32), np.cumsum(gram_votes(copy.text), axis=0)])
    low = 0
    for i, row in enumerate(wanted):
        found = chosen[i]
        if found is not None:
            low = found.end
            continue
        high = next((c.start for c in chosen[i + 1 :] if c is not None), len(copy.text))
        best = _nearest(row, copy, votes, low, high)
        if best is not None:
            first, last = copy.at[best.start], copy.at[best.end - 1] + 1
            while last < len(text) and text[last] in CLOSING:
                last += 1
            places[i] = Place(first, last, "fuzzy")
            low = best.end


def _nearest(
    row: Mapping[str, Any], copy: Folded, votes: Any, low: int, high: int
) -> _Candidate | None:
    starts = [w for w in copy.words if low <= w < high]
    ends = [*(w for w in copy.words if low < w <= high), high]
    length = row["folded_length"]
    reach = max(HEAD, int(FUZZY_LENGTH * length))
    scored = [
        (
            distance(packed(votes[max(start + 1, end - 3)] - votes[start]), row["simhash"])
            + EDGE_BITS * ((start != low) + (end != high)),
            start,
            end,
        )
        for start in starts
        for end in ends
        if abs(end - start - length) <= reach
    ]  # fmt: skip
    best = min(scored, default=None)
    return None if best is None or best[0] > FUZZY_BITS else _Candidate(best[1], best[2])
