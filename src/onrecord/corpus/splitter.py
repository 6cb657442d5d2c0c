"""
Where sentences end: rules for written news, with the words of a language taken from its config file.

Every line break is a boundary. Within a line, a boundary is looked for only where terminal punctuation
(and the quotation marks and brackets that close after it) meets white space, and is then decided from the
word before and the word after. Text is never changed: what is returned are spans of it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from onrecord.records import BadInput

Spans = list[tuple[int, int]]
Splitter = Callable[[str], Spans]

CLOSERS = "\"'”’»›)]}"
OPENERS = "\"'“‘«‹„‚([{"
BLANK = "\ufeff\u200b\u2060"  # nothing to read, though not white space to Unicode

# A line, without the breaks around it; the breaks are those of str.splitlines.
LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
# Terminal punctuation, what closes after it (a full stop may follow: "(R.)."), then white space.
CANDIDATE = re.compile(
    rf"[.!?…]+(?:[{re.escape(CLOSERS)}]+[.!?…]*)*(?=\s)|\s[”»](?=\s)|[。！？]+[」』”’）]*"
)
# What follows: white space, opening marks, the next word.
FOLLOWING = re.compile(rf"\s+([{re.escape(OPENERS)}—–•*-]*\s?)([^\W_][\w’'-]*)?([.]?)")
DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]$")  # U.S, a.m, Ph.D without its last stop
LIST_MARK = re.compile(r"\(?(?:\d{1,2}|[A-Za-z]|[ivxIVX]{1,4})$")
NAMES = r"(?:(?:[A-Z][\w’'.-]*|of|the|de|van|von)\s+){1,6}"
WORD_BEFORE = (
    40  # code points looked back at for the word before a stop: bounds the work on any text
)


def make(config: Mapping[str, Any]) -> Splitter:
    r"""
    Return the splitter that a file of ``conf/splitter/`` describes; raises BadInput for an unknown kind.

    >>> split = make({"kind": "lines"})
    >>> split("One. Two.\nThree.")
    [(0, 9), (10, 16)]
    """
    kind = config.get("kind")
    if kind == "rules":
        return RuleSplitter(
            titles=config["titles"],
            before_number=config["before_number"],
            abbreviations=config["abbreviations"],
            openers=config["openers"],
            reporting=config["reporting"],
        )
    if kind == "lines":
        return lambda text: [
            s for m in LINE.finditer(text) for s in [trimmed(text, *m.span())] if s
        ]
    raise BadInput(f"splitter.kind: expected rules or lines, found {kind!r}")


class RuleSplitter:
    """A splitter by rules. The word lists are those of ``conf/splitter/english.yaml``, without stops."""

    def __init__(
        self,
        *,
        titles: Iterable[str],
        before_number: Iterable[str],
        abbreviations: Iterable[str],
        openers: Iterable[str],
        reporting: Iterable[str],
    ) -> None:
        self.titles = frozenset(titles)
        self.before_number = frozenset(before_number)
        self.abbreviations = frozenset(abbreviations)
        self.openers = frozenset(openers)
        self.reported = re.compile(rf"\s+{NAMES}(?:{'|'.join(reporting)})\b")

    def __call__(self, text: str) -> Spans:
        """Return the spans of the sentences in ``text``, in order, without white space at either end."""
        spans: Spans = []
        for line in LINE.finditer(text):
            begin, end = line.span()
            for cut in self.boundaries(text, begin, end):
                if span := trimmed(text, begin, cut):
                    spans.append(span)
                begin = cut
            if span := trimmed(text, begin, end):
                spans.append(span)
        return spans

    def boundaries(self, text: str, begin: int, end: int) -> Iterator[int]:
        """Yield the offsets within the line ``[begin, end)`` at which a sentence ends."""
        start = begin
        for candidate in CANDIDATE.finditer(text, begin, end):
            if self.is_boundary(text, start, candidate, end):
                start = candidate.end()
                yield start

    def is_boundary(self, text: str, start: int, candidate: re.Match[str], end: int) -> bool:
        """Return whether the sentence that began at ``start`` ends with ``candidate``."""
        mark = candidate.group()
        if mark[0].isspace() or mark[0] in "。！？":
            return mark[0] in "。！？" or text[candidate.start() - 1] in ".!?…"
        following = FOLLOWING.match(text, candidate.end(), end)
        if following is None:
            return True
        opening, word, stop = following.groups()
        if not word:
            return following.end() == end or text[following.end()] not in ",;:…."
        if word[0].islower():
            return False
        closed = mark[-1] in CLOSERS
        if mark[0] in "!?":
            return not (closed and not opening and self.reported.match(text, candidate.end(), end))
        if mark[0] == "…" or mark.startswith(".."):
            return self.ends_at_ellipsis(text, candidate.start(), closed, opening, word)
        if closed and len(mark) > 2:
            return True
        before = text[max(start, candidate.start() - WORD_BEFORE) : candidate.start()]
        return self.ends_at_stop(before, closed, opening, word, stop)

    def ends_at_stop(self, before: str, closed: bool, opening: str, word: str, stop: str) -> bool:
        """Return whether a single stop after ``before`` ends a sentence, ``word`` being the next one."""
        last = before.rsplit(maxsplit=1)[-1].lstrip(OPENERS + "—–-/") if before.split() else ""
        last = re.split(r"[—–/(]", last)[-1]
        whole = before.strip() == last
        if closed:
            return True
        if word[0].isdigit():
            return last not in self.before_number and not (whole and LIST_MARK.match(last))
        if last in self.titles:
            return False
        if whole and LIST_MARK.match(last):
            return False
        opens = (word in self.openers and not stop) or bool(opening.strip())
        if len(last) == 1 and last.isalpha() and last.isupper():
            return (opens and last != "I") or (last == "I" and not stop)
        if last in self.abbreviations or DOTTED.search(last):
            return opens
        if "-" in last and last.rpartition("-")[2] in self.abbreviations:  # R-Ga.
            return opens
        return True

    def ends_at_ellipsis(self, text: str, at: int, closed: bool, opening: str, word: str) -> bool:
        """Return whether an ellipsis at ``at`` ends a sentence; one that stands alone is an omission."""
        if closed or opening.strip():
            return True
        if text[at - 1 : at].isspace():
            return word in self.openers and word != "I"
        return True


def trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """
    Return ``[start, end)`` without the blanks at its ends, or None where nothing is left.

    >>> trimmed("  a b ", 0, 6)
    (2, 5)
    """
    piece = text[start:end]
    left = piece.lstrip()
    while left and left[0] in BLANK:
        left = left[1:].lstrip()
    start = end - len(left)
    right = left.rstrip()
    while right and right[-1] in BLANK:
        right = right[:-1].rstrip()
    return (start, start + len(right)) if right else None
