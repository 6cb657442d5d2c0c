"""
What a stand-off release says of a sentence so that it can be found again, and found to be the same.

A text is folded to its letters and digits, each remembering where it stood, so that a copy set with
other quotes, dashes, white space, case or punctuation folds alike. Between two digits the separator is
kept: 1.5 is not 15.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass

_NUMBER_SEPARATORS = ".,:/-"
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")


@dataclass(frozen=True)
class Folded:
    """A text's folded characters; ``at[i]`` is where in the text the i-th came from."""

    text: str
    at: list[int]


def fold(text: str) -> Folded:
    """Return the letters and digits of ``text``, case and compatibility forms folded, with their places.

    >>> fold("“It’s ﬁne—1.5%,”").text
    'itsfine1.5'
    """
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        plain = (
            character
            if character.isascii()
            else unicodedata.normalize("NFKC", character.translate(_DASHES))
        )
        for part in plain.casefold():
            if part.isalnum() or (
                part in _NUMBER_SEPARATORS
                and text[place - 1 : place].isdigit()
                and text[place + 1 : place + 2].isdigit()
            ):
                characters.append(part)
                places.append(place)
    return Folded("".join(characters), places)


def anchor(text: str) -> tuple[str, int, int]:
    """Return the SHA-256 of the folded text, its length in folded characters, and its simhash."""
    folded = fold(text).text
    return hashlib.sha256(folded.encode()).hexdigest(), len(folded), simhash(folded)


def simhash(folded: str, size: int = 4) -> int:
    """Return 64 bits of which similar texts share most: each is the majority over the text's n-grams.

    It is what fuzzy matching compares; 64 bits say too little to spell the sentence. Source: Charikar (2002),
    "Similarity estimation techniques from rounding algorithms".

    >>> simhash("") == 0, (simhash("thecouncilmeets") ^ simhash("thecouncilmeet")).bit_count() < 24
    (True, True)
    """
    votes = [0] * 64
    grams = {folded[i : i + size] for i in range(max(1, len(folded) - size + 1))} - {""}
    for gram in grams:
        bits = int.from_bytes(hashlib.blake2b(gram.encode(), digest_size=8).digest())
        for bit in range(64):
            votes[bit] += 1 if bits >> bit & 1 else -1
    return sum(1 << bit for bit in range(64) if votes[bit] > 0)


def word_starts(text: str) -> list[int]:
    """Return where in ``text`` a word may begin: every letter or digit that follows none.

    >>> word_starts("“Don’t!” 9 a.m.")
    [1, 5, 9, 11, 13]
    """
    return [match.start() for match in re.finditer(r"(?<![^\W_])[^\W_]", text)]
