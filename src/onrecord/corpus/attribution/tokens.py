"""Tokens of a sentence, in which every quotation is one token, whatever is in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from onrecord.corpus.attribution.lexicon import LEX

MOST_TOKENS = 400  # of a sentence
MOST_LETTERS = 4000  # between two quotations
REACH = 40  # tokens: no noun phrase of news is longer

_ENDS = frozenset([",", ".", "?", "!", "…", "'"])  # of what is quoted, before the closing mark
_JOINED = r"(?:[-–’'&.@]\w+|\(\w{1,3}\))*"  # to a word, without a space
_FULL_STOP = (
    r"(?:\.(?:(?<=\b[A-Z]\.)|(?<=\.[A-Z]\.)|"
    + "|".join(rf"(?<=\b{a}\.)" for a in LEX.abbreviations)
    + "))?"
)
# To most words nothing is joined: the look ahead spares them the rest.
_TOKEN = re.compile(rf"\w++(?:(?![-–’'&.@(])|{_JOINED}{_FULL_STOP})|[^\w\s]")


@dataclass(slots=True)
class Tokens:
    """The tokens of a sentence, in order: words, marks, and whole quotations.

    A list for each thing known of them, not an object for each token: they are what an article costs.
    """

    text: str  # of the article
    begin: int  # of the sentence in it
    quotes: Sequence[tuple[int, int]]  # the quoted parts of it, in order
    words: list[str]  # as written; empty for a quotation
    # in lower case; ``”,`` for a quotation that ends in a mark of its own, else ``”``
    lowercased: list[str]
    sizes: list[int]  # in code points
    _starts: list[int] = field(default_factory=list)

    def start_of(self, at: int) -> int:
        """Return where in the article a token begins."""
        found, words, sizes = self._starts, self.words, self.sizes
        if len(found) <= at:
            before = len(found)
            end = found[-1] + sizes[before - 1] if found else self.begin
            quoted = words[:before].count("")
            for j in range(before, at + 1):
                if words[j]:
                    begin = self.text.find(words[j], end)  # only white space is between two tokens
                else:
                    begin = self.quotes[quoted][0]
                    quoted += 1
                found.append(begin)
                end = begin + sizes[j]
        return found[at]

    def end_of(self, at: int) -> int:
        """Return where in the article a token ends."""
        return self.start_of(at) + self.sizes[at]


def tokens(text: str, start: int, end: int, quotes: Sequence[tuple[int, int]]) -> Tokens:
    """Return the first tokens of ``text[start:end]``; ``quotes`` are the quoted parts of it, in order.

    No more than some 400 are read: no sentence of prose is longer, and what a cue looks at stays bounded.
    """
    words: list[str] = []
    lowercased: list[str] = []
    sizes: list[int] = []
    at = start
    for low, high in [*quotes, (end, end)]:
        found = _TOKEN.findall(text, at, min(low, at + MOST_LETTERS))
        if found:
            plain = list(map(str.lower, found))
            if text.find("’", at, low) >= 0:
                plain = [word.replace("’", "'") for word in plain]
            if not LEX.names_too.isdisjoint(plain):  # Will Doyle, Theresa May: no auxiliary
                for j in range(not words, len(plain)):
                    if plain[j] in LEX.names_too and found[j][0].isupper():
                        plain[j] = found[j]
            words += found
            lowercased += plain
            sizes += map(len, found)
        if high > low:
            words.append("")
            lowercased.append("”," if text[high - 2 : high - 1] in _ENDS else "”")
            sizes.append(high - low)
        at = high
        if len(words) > MOST_TOKENS:
            break
    return Tokens(
        text, start, quotes, words[:MOST_TOKENS], lowercased[:MOST_TOKENS], sizes[:MOST_TOKENS]
    )
