"""Quotations of an article: where quotation marks open and close, paragraph by paragraph.

A paragraph is a line. A quotation left open at a paragraph's end is cut there, and said to run on when
the next paragraph opens with a quotation mark, which is how newspapers print long speech.
"""

import re
from typing import NamedTuple


class Quotation(NamedTuple):
    """A quotation, marks included, half-open in code points; ``runs_on`` says the next one continues it."""

    start: int
    end: int
    runs_on: bool


# Two straight apostrophes or two back-ticks stand for a double mark in older news feeds.
_MARK = re.compile(r"[“”„‟«»\"‘’'`\n](?:(?<=')'{1,2}|(?<=`)`)?")
_OPENING = frozenset("“„‟«") | {"``"}
_SINGLE = frozenset("‘’'")
_CLOSING = frozenset("”»")
_INCHES = re.compile(r".?\d[’']\d{1,2}", re.DOTALL)
_AHEAD = 2000  # code points: how far a nested quotation looks for its end
_BEFORE_CLOSE = frozenset(".,!?…;-–—")


def quotations(text: str) -> list[Quotation]:
    """Return the quotations of ``text`` in order; they never overlap and never cross a line break.

    Nested marks belong to the quotation around them, whose paragraph must close both. A closing mark
    without an opening one is ignored, as are inches (5’2”), unless the quotation before was left open: then
    the paragraph continues it.
    Time and memory are linear in the text.

    >>> [("He said “yes” and 'no way.'")[q.start : q.end] for q in quotations("He said “yes” and 'no way.'")]
    ['“yes”', "'no way.'"]
    """
    found: list[Quotation] = []
    opened = -1  # start of the open double quotation, or -1
    single = -1  # start of an open single quotation outside any double one, or -1
    nested = 0  # quotations open inside the open one
    begun = 0  # start of the paragraph
    left = False  # the last quotation was left open, and none has opened in the paragraph since
    for match in _MARK.finditer(text):
        mark, at = match[0], match.start()
        if mark == "`":
            continue
        if mark in _SINGLE:
            if opened >= 0:
                continue
            after = text[at + 1 : at + 2]
            if after.isalnum():
                if (
                    single < 0
                    and (mark == "‘" or not text[at - 1 : at].isalnum())
                    and not after.isdigit()
                ):
                    single = at
            elif single >= 0 and mark != "‘" and (text[at - 1] in _BEFORE_CLOSE or at - single > 3):
                found.append(Quotation(single, at + 1, False))
                single = -1
        elif mark == "\n":
            if opened >= 0:
                found.append(Quotation(opened, at, _opens_next(text, match.end())))
                left = True
            opened = single = -1
            nested, begun = 0, match.end()
        elif opened < 0 and left and mark in _CLOSING:
            # the line broke within the quotation, and single quotations stand in it
            while found[-1].start >= begun:
                found.pop()
            found[-1] = found[-1]._replace(runs_on=True)
            found.append(Quotation(begun, match.end(), False))
            single, left = -1, False
        elif opened < 0:
            left = False
            if mark in _CLOSING or (mark not in _OPENING and not _can_open(text, match.end() - 1)):
                continue
            opened, single = at, -1
        elif mark in _OPENING and not _closes(text, at):
            nested += _nests(text, opened, at)
        elif nested and mark in _CLOSING:
            nested -= 1
        elif not (mark in _CLOSING and _INCHES.fullmatch(text, at - 4, at)):
            found.append(Quotation(opened, match.end(), False))
            opened, nested = -1, 0
    if opened >= 0:
        found.append(Quotation(opened, len(text), False))
    return found


def _nests(text: str, opened: int, at: int) -> bool:
    """Say whether the mark at ``at`` opens a quotation inside the one open since ``opened``: both close in turn."""
    end = text.find("\n", at, at + _AHEAD)
    end = at + _AHEAD if end < 0 else end
    outer = text[opened] in _OPENING
    return text.count("”", at, end) >= text.count("“", at, end) + outer


def _closes(text: str, at: int) -> bool:
    """Say whether an opening mark was typed for a closing one: after a full stop or comma, before a space."""
    return text[at - 1] in ".,!?…" and (at + 1 == len(text) or text[at + 1].isspace())


def _can_open(text: str, at: int) -> bool:
    """Say whether a straight mark whose last character is at ``at`` has a word to open, close after it."""
    return at + 1 < len(text) and not text[at + 1].isspace()


def _opens_next(text: str, at: int) -> bool:
    while at < len(text) and text[at].isspace():
        at += 1
    return text[at : at + 1] in _OPENING or text[at : at + 1] == '"' or text[at : at + 2] == "''"
