"""Sentences found again in a copy of their article, of which only hashes are known.

Tiers, best first: ``text`` (the copy is the same text), ``sentence`` (the same characters, elsewhere), ``folded``
(the same letters and digits), ``fuzzy`` (on demand: the stretch between two found neighbours that is most similar
to what is missing). The order of the sentences is kept, and no two share a place.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from onrecord.core.records import text_sha256
from onrecord.core.text_normalization import Letters, normalized_letters
from onrecord.dataset.standoff.fingerprints import (
    HEAD,
    bit_distance,
    gram_votes,
    head,
    majority_bits,
)
from onrecord.dataset.standoff.standoff import ReleasedArticle, SentenceHash

Tier = Literal["text", "sentence", "folded", "fuzzy"]

OPENING, CLOSING = set("“‘\"'«‹„([{¿¡"), set("”’\"'»›)]}.,;:!?…%")
FUZZY_BITS = 14  # simhashes that differ in more of 64 bits belong to different sentences
EDGE_BITS = 3  # penalty of a fuzzy match for letters left between it and a found neighbour
FUZZY_LENGTH = 0.2  # by which share a fuzzy match may be longer or shorter


@dataclass(frozen=True)
class Place:
    """Where a sentence is in the copy, and by which tier it was found."""

    start: int
    end: int
    tier: Tier


@dataclass(frozen=True)
class RecoveredArticle:
    """An article as it was recovered: from which text, each sentence's place, and why the others have none."""

    text: str
    places: Mapping[str, Place]
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Candidate:
    start: int  # in the copy's letters
    end: int


def recover_articles(
    articles: Sequence[ReleasedArticle],
    sentences: Sequence[SentenceHash],
    copies: Mapping[str, str],
    *,
    fuzzy: bool = False,
) -> dict[str, RecoveredArticle]:
    """Return each article as recovered from the copies (id → text); one without a copy has no places.

    A text whose hash is the article's is taken whatever its name; else the text under the article's id;
    else, of the texts under the ids of its group, the one in which most sentences are found.
    """
    by_hash = {text_sha256(text): text for text in copies.values()}
    rows: dict[str, list[SentenceHash]] = defaultdict(list)
    for row in sentences:
        rows[row["article_id"]].append(row)
    members: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        members[article["group_id"]].append(article["article_id"])
    recovered = {}
    for article in articles:
        name, wanted = article["article_id"], rows[article["article_id"]]
        if article["sha256"] in by_hash:
            places = {r["sentence_id"]: Place(r["start"], r["end"], "text") for r in wanted}
            recovered[name] = RecoveredArticle(by_hash[article["sha256"]], places)
            continue
        near = [m for m in ([name] if name in copies else members[article["group_id"]]) if m in copies]  # fmt: skip
        tried = [_recover_article(wanted, copies[member], fuzzy) for member in near]
        recovered[name] = max(tried, key=lambda r: len(r.places), default=RecoveredArticle(
            "", {}, {r["sentence_id"]: "no copy of the article was given" for r in wanted}))  # fmt: skip
    return recovered


def _recover_article(wanted: Sequence[SentenceHash], text: str, fuzzy: bool) -> RecoveredArticle:
    places, why = {}, {}
    for row, place in zip(wanted, recover(wanted, text, fuzzy=fuzzy), strict=True):
        if place is not None:
            places[row["sentence_id"]] = place
        elif recover([row], text)[0]:
            why[row["sentence_id"]] = "in the copy, but out of order or at another sentence's place"
        else:
            why[row["sentence_id"]] = "not in the copy"
    return RecoveredArticle(text, places, why)


def recover(
    wanted: Sequence[SentenceHash], text: str, *, fuzzy: bool = False
) -> list[Place | None]:
    """Return where each wanted sentence is in ``text``, null where it is not.

    ``wanted`` are the sentences of one article, in its order. As many are found as fit in their order without
    overlap. Without ``fuzzy``, a sentence whose letters or digits differ from the wanted one's is never given.
    """
    copy = normalized_letters(text)
    starts_of: dict[int, list[int]] = defaultdict(list)
    for start in copy.word_starts:
        starts_of[head(copy.text[start : start + HEAD])].append(start)
    chosen = longest_chain([_candidates(row, copy, starts_of) for row in wanted])
    places: list[Place | None] = []
    before = 0
    for row, candidate in zip(wanted, chosen, strict=True):
        place = None if candidate is None else _exact_place(row, text, copy, candidate, before)
        before = place.end if place is not None else before
        places.append(place)
    if fuzzy:
        _add_fuzzy_places(places, wanted, text, copy, chosen)
    return places


def _candidates(
    row: SentenceHash, copy: Letters, starts_of: Mapping[int, Sequence[int]]
) -> list[_Candidate]:
    """Return the places in the copy's letters where the wanted letters are."""
    length = row["folded_length"]
    if length < HEAD:  # its head covers fewer letters than the copy's heads do
        starts: Sequence[int] = copy.word_starts
    else:
        starts = starts_of.get(row["head"], ())
    return [
        _Candidate(start, start + length)
        for start in starts
        if length
        and start + length <= len(copy.text)
        and text_sha256(copy.text[start : start + length]) == row["folded_sha256"]
    ]


@dataclass(frozen=True)
class _Link:
    sentence: int
    candidate: _Candidate
    before: "_Link | None"


def longest_chain(
    candidates: Sequence[Sequence[_Candidate]],
) -> list[_Candidate | None]:
    """Return one candidate (or null) for each sentence: the most that stand in order without overlap.

    The longest increasing chain by patience sorting: ``ends[n]`` is the earliest end of a chain of n + 1 sentences.
    """
    ends: list[int] = []
    last: list[_Link] = []  # per chain length
    for sentence, found in enumerate(candidates):
        for candidate in sorted(found, key=lambda c: -c.start):
            length = bisect_right(ends, candidate.start)
            link = _Link(sentence, candidate, last[length - 1] if length else None)
            if length == len(ends):
                ends.append(candidate.end)
                last.append(link)
            elif candidate.end < ends[length]:
                ends[length], last[length] = candidate.end, link
    chosen: list[_Candidate | None] = [None] * len(candidates)
    at = last[-1] if last else None
    while at is not None:
        chosen[at.sentence] = at.candidate
        at = at.before
    return chosen


def _exact_place(
    row: SentenceHash, text: str, copy: Letters, candidate: _Candidate, before: int
) -> Place:
    """Return the place in the copy's own text: of the same characters if they are there, else of the same letters.

    A match by letters includes the quotes and full stops next to its first and last word.
    """
    first, last = copy.offsets[candidate.start], copy.offsets[candidate.end - 1] + 1
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


def _add_fuzzy_places(
    places: list[Place | None],
    wanted: Sequence[SentenceHash],
    text: str,
    copy: Letters,
    chosen: Sequence[_Candidate | None],
) -> None:
    """Put in each gap between found neighbours the stretch that is most similar to the missing sentence."""
    votes = np.vstack([np.zeros((1, 64), np.int32), np.cumsum(gram_votes(copy.text), axis=0)])
    low = 0
    for i, row in enumerate(wanted):
        found = chosen[i]
        if found is not None:
            low = found.end
            continue
        high = next((c.start for c in chosen[i + 1 :] if c is not None), len(copy.text))
        best = _most_similar(row, copy, votes, low, high)
        if best is not None:
            first, last = copy.offsets[best.start], copy.offsets[best.end - 1] + 1
            while last < len(text) and text[last] in CLOSING:
                last += 1
            places[i] = Place(first, last, "fuzzy")
            low = best.end


def _most_similar(
    row: SentenceHash, copy: Letters, votes: npt.NDArray[np.int32], low: int, high: int
) -> _Candidate | None:
    starts = [w for w in copy.word_starts if low <= w < high]
    ends = [*(w for w in copy.word_starts if low < w <= high), high]
    length = row["folded_length"]
    reach = max(HEAD, int(FUZZY_LENGTH * length))
    scored = [
        (
            bit_distance(majority_bits(votes[max(start + 1, end - 3)] - votes[start]), row["simhash"])
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
