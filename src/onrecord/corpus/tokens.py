"""Tokens of a sentence, in which every quotation is one token, and the word lists that they are told apart by."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from onrecord.corpus.lexicon import lexicon, words

VERBS = lexicon().verbs
AUX = words("aux")
ADVERBS = words("adverbs")
DETERMINERS = words("determiners")
PREPOSITIONS = words("prepositions")
CONJUNCTIONS = words("conjunctions")
PRONOUNS = words("pronouns_he", "pronouns_she", "pronouns_they", "pronouns_other")
PLAIN = words("verbs_plain")
DATES = words("weekdays", "time_nouns")
TITLES = words("titles")
DASHES = frozenset("—–―-")
MOST_TOKENS = 400  # of a sentence
MOST_LETTERS = 4000  # between two quotations
REACH = 40  # tokens: no noun phrase of news is longer

_NAMES_TOO = words("names_too")
_ABBREVIATIONS = [
    "Sen",
    "Sens",
    "Rep",
    "Reps",
    "Gov",
    "Govs",
    "Mr",
    "Mrs",
    "Ms",
    "Dr",
    "Lt",
    "Col",
    "Gen",
    "Sgt",
    "Capt",
    "Maj",
    "Rev",
    "Hon",
    "Prof",
    "St",
    "Jr",
    "Sr",
    "No",
]
_TOKEN = re.compile(
    r"\w+(?:[-–’'&.@]\w+|\(\w{1,3}\))*(?:\.(?:(?<=\b[A-Z]\.)|(?<=\.[A-Z]\.)|"
    + "|".join(rf"(?<=\b{a}\.)" for a in _ABBREVIATIONS)
    + r"))?|[^\w\s]"
)


class Token(NamedTuple):
    """A word, a mark, or a whole quotation; offsets are into the article.

    A quotation has an empty ``word``; its ``low`` is ``”,`` where it ends in a mark of its own, else ``”``.
    """

    word: str
    low: str
    start: int
    end: int


def tokens(text: str, start: int, end: int, quotes: Sequence[tuple[int, int]]) -> list[Token]:
    """Return the first tokens of ``text[start:end]``; ``quotes`` are the quoted parts of it, in order.

    No more than some 400 are read: no sentence of prose is longer, and what a cue looks at stays bounded.
    """
    found: list[Token] = []
    at = start
    # The tokens of an article are its cost: no match object and no named constructor for each of them.
    make, find, add = tuple.__new__, text.find, found.append
    for low, high in [*quotes, (end, end)]:
        stop = at
        for word in _TOKEN.findall(text, at, min(low, at + MOST_LETTERS)):
            begin = find(word, stop)  # only white space is between two tokens
            stop = begin + len(word)
            plain = word.lower()
            if "’" in plain:
                plain = plain.replace("’", "'")
            elif plain in _NAMES_TOO and found and word[0].isupper():
                plain = word  # Will Doyle, Theresa May: no auxiliary
            add(make(Token, (word, plain, begin, stop)))
        if high > low:
            ended = text[high - 2 : high - 1] in {",", ".", "?", "!", "…", "'"}
            found.append(Token("", "”," if ended else "”", low, high))
        at = high
        if len(found) > MOST_TOKENS:
            break
    return found[:MOST_TOKENS]
