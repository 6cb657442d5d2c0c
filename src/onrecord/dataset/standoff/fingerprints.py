"""What a stand-off release gives of a sentence so that it can be found in a copy, and recognised.

Hashes are of the sentence's normalised letters, so that a copy with other quotes, dashes, white space, case or
punctuation gives the same ones.
"""

import hashlib
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from onrecord.core.records import text_sha256
from onrecord.core.text_normalization import normalized_letters

HEAD = 8  # letters at a sentence's beginning that `head` hashes


class Fingerprint(TypedDict):
    """What is published of a sentence's text: enough to find and recognise it, too little to spell it.

    ``folded_sha256`` and ``folded_length`` are of the normalised letters; ``head`` is 16 bits of a hash of the
    first HEAD of them, which narrows the search; ``simhash`` is for fuzzy matching.
    """

    folded_sha256: str
    folded_length: int
    head: int
    simhash: int


def fingerprint(text: str) -> Fingerprint:
    """Return the fingerprint of a sentence."""
    letters = normalized_letters(text).text
    return Fingerprint(
        folded_sha256=text_sha256(letters),
        folded_length=len(letters),
        head=head(letters),
        simhash=int(simhash(letters)),
    )


def head(letters: str) -> int:
    """Return 16 bits of a hash of the first HEAD letters."""
    return int.from_bytes(hashlib.blake2b(letters[:HEAD].encode(), digest_size=2).digest())


def gram_votes(letters: str, size: int = 4) -> npt.NDArray[np.int32]:
    """Return for each n-gram of letters a row of 64 votes, +1 or -1: shape (n-grams, 64)."""
    grams = [letters[i : i + size] for i in range(max(1, len(letters) - size + 1))]
    digests = b"".join(hashlib.blake2b(gram.encode(), digest_size=8).digest() for gram in grams)
    bits = np.unpackbits(np.frombuffer(digests, dtype=np.uint8).reshape(-1, 8), axis=1)
    return bits.astype(np.int32) * 2 - 1


def simhash(letters: str) -> np.uint64:
    """Return 64 bits, each the majority over the n-grams; similar texts share most of them.

    64 bits are too few to spell the sentence. Source: Charikar (2002), "Similarity estimation techniques from
    rounding algorithms".

    >>> bit_distance(simhash("thecouncilmeetsontuesday"), simhash("thecouncilmeetsontuesdays")) < 16
    True
    """
    return majority_bits(gram_votes(letters).sum(axis=0))


def majority_bits(votes: npt.NDArray[np.int32]) -> np.uint64:
    """Return the 64 signs of a row of votes as one number."""
    return np.uint64(int.from_bytes(np.packbits(votes > 0).tobytes()))


def bit_distance(one: np.uint64 | int, other: np.uint64 | int) -> int:
    """Return in how many of 64 bits two simhashes differ."""
    return (int(one) ^ int(other)).bit_count()
