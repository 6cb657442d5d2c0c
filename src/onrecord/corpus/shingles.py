"""Shingles of three words of many texts as 64-bit hashes, all letters of some texts at a time.

A word is hashed as a polynomial of its letters modulo 2⁶⁴ (Karp and Rabin 1987), each letter being a number
drawn once for all: a running sum over a text then gives every word's hash by one subtraction.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

SHINGLE = 3  # words
AT_ONCE = (
    1 << 16
)  # code points whose hashes are held at a time; a word longer than that is two words
BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2⁶⁴


def shingle_hashes(texts: Sequence[str]) -> tuple[Hashes, Places]:
    """Return the sorted, distinct hashes of each text's shingles, text after text, and where each text's end.

    Words are runs of letters, digits and ``_`` in lower case. The ends begin with 0, shape (texts + 1,).

    >>> hashes, ends = shingle_hashes(["One, two: three!", "one two", "one two three four"])
    >>> ends.tolist(), hashes[0] in hashes[1:]
    ([0, 1, 1, 3], True)
    """
    counts = np.zeros(len(texts), np.int64)
    found: list[Hashes] = [np.empty(0, np.uint64)]
    for owners, joined in batches(texts):
        starts, hashes = word_hashes(joined)
        begins = np.searchsorted(starts, [at for _, at in owners])
        for (owner, _), count in zip(owners, np.diff(begins, append=len(starts)), strict=True):
            counts[owner] += count
        found.append(hashes)
    word = np.concatenate(found)
    size = max(0, len(word) - SHINGLE + 1)
    mixed: Hashes = np.zeros(size, np.uint64)
    for place in range(SHINGLE):  # position matters, and every bit of a word reaches every bit
        mixed = (mixed ^ word[place : place + size]) * np.uint64(BASE)
        mixed ^= mixed >> np.uint64(29)
    each: list[Hashes] = [np.empty(0, np.uint64)]
    begin = 0
    for count in counts.tolist():
        own = mixed[begin : begin + max(0, count - SHINGLE + 1)]
        own.sort()
        kept = np.ones(len(own), np.bool_)
        np.not_equal(own[1:], own[:-1], out=kept[1:])
        each.append(own[kept])
        begin += count
    return np.concatenate(each), np.cumsum([*map(len, each)])


def batches(texts: Sequence[str]) -> Iterator[tuple[list[tuple[int, int]], str]]:
    """Yield the texts in lower case, joined by line breaks, with the texts' indices and where each begins.

    A long text comes in several parts, cut at a space where there is one.
    """
    owners: list[tuple[int, int]] = []
    parts: list[str] = []
    size = 0
    for index, text in enumerate(texts):
        at = 0
        while at < len(text):
            end = min(len(text), at + AT_ONCE)
            if end < len(text):
                end = text.rfind(" ", at + 1, end) + 1 or end
            if parts and size + end - at > AT_ONCE:
                yield owners, "\n".join(parts)
                owners, parts, size = [], [], 0
            part = text[at:end].lower()
            owners.append((index, size))
            parts.append(part)
            size += len(part) + 1
            at = end
    if parts:
        yield owners, "\n".join(parts)


def word_hashes(text: str) -> tuple[Places, Hashes]:
    """Return where each word of a text begins, and its hash."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    letters = letter_numbers(codes)
    is_word = np.zeros(len(codes) + 2, np.bool_)
    np.not_equal(letters, 0, out=is_word[1:-1])
    edges = np.flatnonzero(is_word[1:] != is_word[:-1])
    starts, ends = edges[::2], edges[1::2]
    powers, inverses = base_powers(2 * AT_ONCE)  # in lower case one code point may be two
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(letters * powers[: len(codes)], out=sums[1:])
    return starts, (sums[ends] - sums[starts]) * inverses[starts]


def letter_numbers(codes: npt.NDArray[np.uint32]) -> Hashes:
    """Return the number of each code point that is part of a word, and 0 for those that are not."""
    table = letter_table()
    if codes.max(initial=0) < len(table):
        return table[codes]
    common = codes < len(table)
    found = np.where(common, table[np.where(common, codes, 0)], np.uint64(0))
    for code in np.unique(codes[~common]).tolist():
        if chr(code).isalnum():
            found[codes == code] = mixed_up(np.array([code], np.uint64))
    return found


@cache
def letter_table() -> Hashes:
    """Return the numbers of the first 65,536 code points."""
    numbers = mixed_up(np.arange(1 << 16, dtype=np.uint64))
    in_word = [c.isalnum() or c == "_" for c in map(chr, range(1 << 16))]
    numbers[~np.array(in_word)] = 0
    return numbers


def mixed_up(codes: Hashes) -> Hashes:
    """Return a number for each code point, as if drawn at random (splitmix64; Steele et al. 2014); never 0."""
    z = (codes + np.uint64(1)) * np.uint64(BASE)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@cache
def base_powers(size: int) -> tuple[Hashes, Hashes]:
    """Return the first powers of BASE and those of its inverse modulo 2⁶⁴, from 0 on."""
    powers, inverses = np.ones(size, np.uint64), np.ones(size, np.uint64)
    powers[1:], inverses[1:] = BASE, pow(BASE, -1, 1 << 64)
    return np.cumprod(powers), np.cumprod(inverses)
