"""What a stand-off release says of a sentence so that it can be found again, and found to be the same.

A text is folded to its letters and digits, each remembering where it stood, so that a copy set with
other quotes, dashes, white space, case or punctuation folds alike. Between two digits the separator is
kept: 1.5 is not 15.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

HEAD = 8  # folded characters at a sentence's beginning that its `head` stands for
_WORD = re.compile(r"[^\W_]+")
_COMBINING = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_BETWEEN_DIGITS = {".", ",", ":", "/", "-"}


@dataclass(frozen=True)
class Folded:
    """A text's folded characters; ``at[i]`` is where in the text the i-th came from."""

    text: str
    at: list[int]
    words: list[int]  # where in ``text`` a word of the article begins


class Anchor(TypedDict):
    """What is published of a sentence's text: enough to find it and know it, too little to spell it.

    ``folded_sha256`` and ``folded_length`` are of the folded text; ``head`` is 16 bits of a hash of its
    first characters, which narrows the search; ``simhash`` is for fuzzy matching.
    """

    folded_sha256: str
    folded_length: int
    head: int
    simhash: int


def fold(text: str) -> Folded:
    """Return the letters and digits of ``text``, case and compatibility forms folded, with their places.

    >>> fold("“It’s ﬁne—1.5%,” 11 000").text
    'itsfine1.511 000'
    """
    characters: list[str] = []
    places: list[int] = []
    words: list[int] = []
    end = 0
    for match in _words(text):
        start, word = match
        gap = text[end:start] if places else ""
        if gap and text[end - 1].isdigit() and word[0].isdigit():
            plain = " " if gap.isspace() else gap.translate(_DASHES)
            if plain == " " or plain in _BETWEEN_DIGITS:
                characters.append(plain)
                places.append(end)
        words.append(len(places))
        end = start + len(word)
        if word.isascii():
            characters.append(word.lower())
            places.extend(range(start, end))
        else:
            _fold_letters(word, start, characters, places)
    return Folded("".join(characters), places, words)


def _words(text: str) -> list[tuple[int, str]]:
    """Return each run of letters and digits with its place; a combining mark belongs to its letter."""
    if not _COMBINING.search(text):
        return [(match.start(), match.group()) for match in _WORD.finditer(text)]
    clusters = re.compile(rf"(?:[^\W_]{_COMBINING.pattern}*)+")
    return [(match.start(), match.group()) for match in clusters.finditer(text)]


def _fold_letters(word: str, start: int, characters: list[str], places: list[int]) -> None:
    """Append a word's folded letters; a letter and its combining marks are one."""
    for match in re.finditer(rf".{_COMBINING.pattern}*", word):
        for part in unicodedata.normalize("NFKC", match.group()).casefold():
            if part.isalnum() or part == "⁄":
                characters.append(part)
                places.append(start + match.start())


def anchor(text: str) -> Anchor:
    """Return what a stand-off release says of a sentence."""
    folded = fold(text).text
    return Anchor(
        folded_sha256=sha256(folded),
        folded_length=len(folded),
        head=head(folded),
        simhash=int(simhash(folded)),
    )


def sha256(text: str) -> str:
    """Return the SHA-256, in hex, of the UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def head(folded: str) -> int:
    """Return 16 bits that stand for the first characters of a folded text."""
    return int.from_bytes(hashlib.blake2b(folded[:HEAD].encode(), digest_size=2).digest())


def gram_votes(folded: str, size: int = 4) -> npt.NDArray[np.int32]:
    """Return for each n-gram of a folded text a row of 64 votes, +1 or -1: shape (n-grams, 64)."""
    grams = [folded[i : i + size] for i in range(max(1, len(folded) - size + 1))]
    digests = b"".join(hashlib.blake2b(gram.encode(), digest_size=8).digest() for gram in grams)
    bits = np.unpackbits(np.frombuffer(digests, dtype=np.uint8).reshape(-1, 8), axis=1)
    return bits.astype(np.int32) * 2 - 1


def simhash(folded: str) -> np.uint64:
    """Return 64 bits of which similar texts share most: each is the majority over the text's n-grams.

    It is what fuzzy matching compares; 64 bits say too little to spell the sentence. Source: Charikar (2002),
    "Similarity estimation techniques from rounding algorithms".

    >>> distance(simhash("thecouncilmeetsontuesday"), simhash("thecouncilmeetsontuesdays")) < 16
    True
    """
    return packed(gram_votes(folded).sum(axis=0))


def packed(votes: npt.NDArray[np.int32]) -> np.uint64:
    """Return the 64 signs of a row of votes as one number."""
    return np.uint64(int.from_bytes(np.packbits(votes > 0).tobytes()))


def distance(one: np.uint64 | int, other: np.uint64 | int) -> int:
    """Return in how many of 64 bits two simhashes differ."""
    return (int(one) ^ int(other)).bit_count()
