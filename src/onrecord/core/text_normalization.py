"""Text normalised to its words, or to its letters, so that sentences which differ in typesetting compare equal.

Normalising forgets case, compatibility forms (ligatures, full-width letters, non-breaking spaces), quotes,
dashes, punctuation and white space, and nothing else: a changed digit or letter makes another sentence.
"""

import re
import unicodedata
from dataclasses import dataclass

# Characters that some copies have inside words and others do not: soft hyphens, joiners, byte order marks.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")
_WORD = re.compile(r"[^\W_]+")
_COMBINING = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_WORD_WITH_MARKS = re.compile(rf"(?:[^\W_]{_COMBINING.pattern}*)+")
_LETTER_WITH_MARKS = re.compile(rf".{_COMBINING.pattern}*")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_BETWEEN_DIGITS = {".", ",", ":", "/", "-"}
_LINE_BREAK = re.compile(
    r"(?<=[^\W\d_])[-\u2010]\s+(?=[^\W\d_A-Z])"
)  # inside a word, after a hyphen
# Cyrillic and Greek letters that look like Latin ones, as swapped in to make a copy differ.
_LOOKALIKES = str.maketrans(
    "АВЕКМНОРСТУХІЈЅаеорсухіјѕһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ",
    "ABEKMHOPCTYXIJSaeopcyxijshdqwABEZHIKMNOPTYXovp",
)


def normalized_words(text: str) -> list[str]:
    """Return the words of ``text``, normalised; a word that a hyphen breaks over lines is one, as are look-alikes.

    >>> normalized_words("“It’s the law\u00a0—\u00a0full stop,” he said.")
    ['it', 's', 'the', 'law', 'full', 'stop', 'he', 'said']
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
        if sum(map(str.isascii, text)) > len(text) / 2:  # else a text in another script
            text = text.translate(_LOOKALIKES)
    if "-" in text or "\u2010" in text:
        text = _LINE_BREAK.sub("", text)
    return _WORD.findall(text.casefold())


def normalized(text: str) -> str:
    """Return the normalised words with single spaces between: equal for two sentences that read the same.

    >>> normalized("Law-and-order") == normalized("law and ORDER!")
    True
    """
    return " ".join(normalized_words(text))


def letters_and_digits(text: str) -> str:
    """Return the letters and digits of a text in lower case, their forms as they are.

    >>> letters_and_digits("“It’s 5 p.m.”")
    'its5pm'
    """
    return "".join(c for c in text.lower() if c.isalnum())


@dataclass(frozen=True)
class Letters:
    """A text's normalised letters and digits, without spaces.

    ``offsets[i]`` is where in the original text letter i came from; ``word_starts`` are the positions in
    ``text`` at which a word begins.
    """

    text: str
    offsets: list[int]
    word_starts: list[int]


def normalized_letters(text: str) -> Letters:
    """Return the letters and digits of ``text`` with their offsets.

    Between two digits the separator is kept: 1.5 is not 15.

    >>> normalized_letters("“It’s ﬁne—1.5%,” 11 000").text
    'itsfine1.511 000'
    """
    letters: list[str] = []
    offsets: list[int] = []
    word_starts: list[int] = []
    end = 0
    # A combining mark belongs to its letter.
    for match in (_WORD_WITH_MARKS if _COMBINING.search(text) else _WORD).finditer(text):
        start, word = match.start(), match.group()
        gap = text[end:start] if offsets else ""
        if gap and text[end - 1].isdigit() and word[0].isdigit():
            separator = " " if gap.isspace() else gap.translate(_DASHES)
            if separator == " " or separator in _BETWEEN_DIGITS:
                letters.append(separator)
                offsets.append(end)
        word_starts.append(len(offsets))
        end = start + len(word)
        if word.isascii():
            letters.append(word.lower())
            offsets.extend(range(start, end))
        else:
            for letter in _LETTER_WITH_MARKS.finditer(word):
                for part in unicodedata.normalize("NFKC", letter.group()).casefold():
                    if part.isalnum() or part == "⁄":
                        letters.append(part)
                        offsets.append(start + letter.start())
    return Letters("".join(letters), offsets, word_starts)
