"""Where sentences end: rules for written news, with the words of a language taken from its config file.

Every line break is a boundary. Within a line, a boundary is looked for only where terminal punctuation
(and the quotation marks and brackets that close after it) meets white space, and is then decided from the
word before and the word after. Text is never changed: what is returned are spans of it.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from onrecord.core.errors import BadInput

Spans = list[tuple[int, int]]
Splitter = Callable[[str], Spans]

CLOSERS = "\"'”’»›)]}“‘"  # the last two close in German
APART = frozenset("”»")  # a closing mark that stands apart, white space before it
TERMINAL = frozenset(".!?…")
OPENERS = "\"'“‘«‹„‚([{"
QUOTES = tuple("\"“‘«„'")
YEAR = 4  # digits: as many are no ordinal
DASHES = "—–―-•*"
NOT_WORD = OPENERS + CLOSERS + DASHES
BLANK = "\ufeff\u200b\u2060"  # nothing to read, though not white space to Unicode

# A line, without the breaks around it; the breaks are those of str.splitlines.
LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
EDGE = frozenset(chr(c) for c in range(0x3001) if chr(c).isspace()) | {*BLANK}
BLANKS = "".join(EDGE)
# Terminal punctuation (an ellipsis may be spaced out, or stand after a stop) and what closes after it (a
# stop may follow: "(R.)."); or a closing mark that stands apart. It is a place to decide where white space
# follows, group 1 or 2. Quantifiers are possessive, and a run that is no such place is taken whole: work
# stays linear on any text. What it may begin with is said first, so that the search runs from one to the next.
CANDIDATE = re.compile(
    r"[.!?…”»](?:(?<=[.!?…])[.!?…]*+(?:[ \xa0]++[.…]++)*+"
    rf"(?:[{re.escape(CLOSERS)}]++[.!?…]*+)*+(?=(\s)?)|(?<=\s[”»])(?=(\s)))"
)
# What follows: white space, opening marks, the next word.
FOLLOWING = re.compile(rf"\s+((?:[{re.escape(OPENERS)}—–―•*-]\s?)*)([^\W_][\w’'-]*)?([.]?)")
NICKNAME = re.compile(r"\s+[\"“][A-Z][\w’'.]*[\"”]\s+[A-Z]")
DOTTED = re.compile(r"(?:[^\W\d_]\.&?)+[^\W\d_]$")  # U.S, a.m, Ph.D without its last stop
PARTED = re.compile(r"[—–/(>“”\"‘]")
LIST_MARK = re.compile(r"\s*\(?(?:\d{1,2}|[A-Za-z]|[ivxIVX]{1,4})")
NAMES = r"(?:(?:[A-Z][\w’'.-]*|of|the|de|van|von)\s+){1,6}"
WORD_BEFORE = 40  # code points looked back at for the word before a stop: bounds the work


def make_splitter(config: Mapping[str, Any]) -> Splitter:
    r"""Return the splitter that a file of ``conf/splitter/`` describes; raises BadInput for an unknown kind.

    >>> split = make_splitter({"kind": "lines"})
    >>> split("One. Two.\nThree.")
    [(0, 9), (10, 16)]
    """
    kind = config.get("kind")
    if kind == "rules":
        return RuleSplitter(config)
    if kind == "lines":
        return lambda text: [s for m in LINE.finditer(text) if (s := trimmed(text, *m.span()))]
    raise BadInput(f"splitter.kind: expected rules or lines, found {kind!r}")


def words(config: Mapping[str, Any], key: str) -> list[str]:
    """Return the words of a key: one value to Hydra, which takes a tenth of a second over lists of them."""
    value = config.get(key)
    if not isinstance(value, str):
        found = "no such key" if value is None else type(value).__name__
        raise BadInput(f"splitter.{key}: expected words with spaces between them, found {found}")
    return value.split()


class RuleSplitter:
    """A splitter by rules, with the word lists of a file of ``conf/splitter/``, which are without stops.

    ``ordinals`` in the file means that a number before a stop is one ("am 3. Oktober"), and does not end a sentence.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.titles = frozenset(words(config, "titles"))
        self.before_number = frozenset(words(config, "before_number"))
        self.abbreviations = frozenset(words(config, "abbreviations"))
        self.known = self.titles | self.before_number | self.abbreviations
        self.openers = frozenset(words(config, "openers"))
        reporting = "|".join(map(re.escape, words(config, "reporting")))
        self.reported = re.compile(rf"\s+{NAMES}(?:{reporting})\b")
        self.ordinals = bool(config.get("ordinals"))

    def __call__(self, text: str) -> Spans:
        """Return the spans of the sentences in ``text``, in order, without white space at either end."""
        spans: Spans = []
        for line in LINE.finditer(text):
            start, end = line.span()
            begin = start  # of the span; after a boundary, one behind its white space
            for candidate in CANDIDATE.finditer(text, start, end):
                if candidate.lastindex and self.is_boundary(text, start, candidate, end):
                    start = candidate.end()
                    if span := trimmed(text, begin, start):
                        spans.append(span)
                    begin = start + 1
            if span := trimmed(text, begin, end):
                spans.append(span)
        return spans

    def is_boundary(self, text: str, start: int, candidate: re.Match[str], end: int) -> bool:
        """Return whether the sentence that began at ``start`` ends with ``candidate``."""
        mark, at = candidate.group(), candidate.start()
        left = text[at - 1] if at > start else ""
        if mark in APART:
            return at - 1 > start and text[at - 2] in TERMINAL
        following = FOLLOWING.match(text, candidate.end(), end)
        if following is None:
            return True
        opening, word, stop = following.groups()
        if opening and opening[0] in DASHES:  # an attribution, or (after a hyphen) the next item
            return (
                bool(word) and not word[0].islower() and mark in ("?", "!") and opening[0] in "-•*"
            )
        if not word:
            return following.end() == end or text[following.end()] not in ",;:!?…."
        if word[0].islower():
            return False
        if mark[-1] in CLOSERS and mark[0] != "." and not opening:
            return not self.reported.match(text, candidate.end(), end)
        if mark[0] in "!?":
            return True
        if len(mark) > 1:
            if mark[0] == "…" or mark[1] == "." or mark[1].isspace():
                return self.ends_at_ellipsis(left, mark, opening, word)
            return mark != ".)" or not LIST_MARK.fullmatch(text, start, at)
        before = text[max(start, at - WORD_BEFORE) : at]
        if not self.ends_at_stop(before, opening, word, stop):
            return False
        return not (
            opening and before[-2:-1] in " ." and NICKNAME.match(text, candidate.end(), end)
        )

    def ends_at_stop(self, before: str, opening: str, word: str, stop: str) -> bool:
        """Return whether a bare stop after ``before`` ends a sentence, ``word`` being the next one."""
        last = before[max(before.rfind(" "), before.rfind("\xa0")) + 1 :].lstrip(NOT_WORD)
        if len(last) > 4 and last.isalpha() and last not in self.known:  # most are plain words
            return True
        last = PARTED.split(last)[-1]
        whole = len(last) <= 4 and before.strip() == last and LIST_MARK.fullmatch(last)
        if word[0].isdigit():
            return last not in self.before_number and not whole
        if whole or last in self.titles:
            return False
        opens = (word in self.openers and not stop) or opening[:1] in QUOTES
        if last in self.abbreviations or DOTTED.search(last):
            return opens
        if self.ordinals and last.isdecimal() and len(last) < YEAR:
            return opens
        if len(last) == 1 and last.isalpha() and last.isupper():
            return opens or last == "I"
        if "-" in last:  # then-Sen., R-Ga.
            tail = last.rpartition("-")[2]
            if tail in self.titles:
                return False
            if tail in self.abbreviations:
                return opens
        return True

    def ends_at_ellipsis(self, left: str, mark: str, opening: str, word: str) -> bool:
        """Return whether an ellipsis after the character ``left`` ends a sentence; alone, it is an omission."""
        if left in {"[", "("} or (left.isspace() and mark[-1] not in CLOSERS):
            return word in self.openers or opening[:1] in QUOTES
        return True


def trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return ``[start, end)`` without the blanks at its ends, or None where nothing is left.

    >>> trimmed("  a b ", 0, 6)
    (2, 5)
    """
    if start < end and text[start] not in EDGE and text[end - 1] not in EDGE:
        return start, end
    left = text[start:end].lstrip(BLANKS)
    start = end - len(left)
    right = left.rstrip(BLANKS)
    return (start, start + len(right)) if right else None
