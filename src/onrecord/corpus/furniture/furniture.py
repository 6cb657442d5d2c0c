"""Furniture: the text of a page that is not the article's prose, marked with its kind and never deleted.

Lines are judged, by what they say and by where they stand: the head (above the first line of prose), the
body, and the tail (below the last). Two kinds share a line with prose and are marked as a part of it: a
by-line in parentheses and a date line, before the first sentence. A headline and a deck assert something
and are annotated like any sentence, so ``segment`` passes them on; every other kind it marks.
"""

import re
from importlib.resources import files
from typing import NamedTuple

import yaml

from onrecord.core.records import FurnitureSpan
from onrecord.corpus.splitter import LINE, trimmed

LONGEST = 240  # code points: a longer line is prose, whatever it begins with
MOST_LINES = 500  # of an article in which pull quotes are looked for: each looks through the text
HEAD = 12  # lines looked at above the first line of prose
# A line of these kinds is known by its pattern alone, up to a number of words; the first kind that fits counts.
MOST_WORDS = {
    "comments": LONGEST,
    "date": 16,
    "credit": 14,
    "caption": LONGEST,
    "cue": 10,
    "promo": 25,
}


def pattern_texts(file: str) -> dict[str, str]:
    """Return the regular expressions of a packaged file by name, the parts that they name filled in."""
    data = files("onrecord.corpus.furniture").joinpath(file).read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for name, text in yaml.load(data, yaml.CSafeLoader).items():
        found[name] = text.replace("\n", "") % found
    return found


TEXTS = pattern_texts("patterns_en.yaml")
PATTERNS = {name: re.compile(text) for name, text in TEXTS.items() if name.isupper()}
PLAIN_KINDS = [(kind, n, PATTERNS[kind.upper()].fullmatch) for kind, n in MOST_WORDS.items()]


class Line(NamedTuple):
    """A line of an article without the white space around it; ``text`` is empty where it is longer than LONGEST."""

    start: int
    end: int
    text: str
    words: int

    def is_a(self, pattern: str) -> bool:
        """Return whether the whole text fits a pattern."""
        return bool(self.text) and PATTERNS[pattern.upper()].fullmatch(self.text) is not None


def lines(text: str) -> list[Line]:
    """Return the lines of ``text`` that are not blank."""
    found = []
    for match in LINE.finditer(text):
        if span := trimmed(text, *match.span()):
            start, end = span
            shown = text[start:end] if end - start <= LONGEST else ""
            found.append(Line(start, end, shown, text.count(" ", start, end) + 1))
    return found


def mark(text: str, *, title: str | None = None, byline: str | None = None) -> list[FurnitureSpan]:
    r"""Return the furniture of an article, in order: ``{"start", "end", "kind"}``, offsets into ``text``.

    ``title`` and ``byline`` are what is known from elsewhere (a sidecar, a page's metadata): a first line
    that equals the title is a headline, and a closing line about the by-line's name is a bio.

    >>> mark("By Ana Roe\n\nThe council met on Monday and adjourned.\n3 Comments")
    [{'start': 0, 'end': 10, 'kind': 'byline'}, {'start': 53, 'end': 63, 'kind': 'comments'}]
    """
    rows = lines(text)
    kinds: list[str | None] = [line_kind(row) for row in rows]
    first = first_prose(rows, kinds, title)
    mark_head(rows, kinds, first, title)
    mark_body(text, rows, kinds, first)
    mark_tail(rows, kinds, first, byline or byline_found(rows, kinds))
    marked: list[FurnitureSpan] = [
        {"start": row.start, "end": row.end, "kind": kind}
        for row, kind in zip(rows, kinds, strict=True)
        if kind
    ]
    for row, kind in list(zip(rows, kinds, strict=True))[: first + 3]:
        if kind is None and (lead := leading(text, row)):
            marked.append(lead)
    return sorted(marked, key=lambda span: span["start"])


def line_kind(row: Line) -> str | None:
    """Return the kind of a line that shows by itself what it is, wherever it stands; else None."""
    if row.text:
        for kind, most, fits in PLAIN_KINDS:
            if row.words <= most and fits(row.text):
                return kind
    return None


def first_prose(rows: list[Line], kinds: list[str | None], title: str | None) -> int:
    """Return the index of the first line of prose: many words, or several, ending like a sentence.

    One such line may stand above a by-line or a date and be none: a headline may be a question, a deck a
    sentence. Two are the article's beginning.
    """
    head = rows[:HEAD]
    prose = [
        not kind and below != "credit" and is_sentence(row)
        for row, kind, below in zip(head, kinds, [*kinds[1:], None], strict=False)
    ]
    low = int(bool(title and rows and same(rows[0].text, title)))
    for index, row in enumerate(head):
        if sum(prose[: index + 1]) > 1 or row.words > 40 or not row.text:
            break
        signed = row.words <= 14 and row.text[0] not in "-—–" and row.is_a("byline")
        if kinds[index] == "date" or signed:
            low = index + 1
    return next((index for index in range(low, len(head)) if prose[index]), len(head))


def is_sentence(row: Line) -> bool:
    """Return whether a line reads like prose, and not like a headline, a deck or a quotation set apart."""
    if row.words > 40 or not row.text:
        return True
    if row.words <= 6:
        return row.is_a("short_prose")
    return row.is_a("ends_prose") and not row.is_a("quoted")


def mark_head(rows: list[Line], kinds: list[str | None], first: int, title: str | None) -> None:
    """Mark what stands above the prose: headline, deck, by-line, caption, a bare date line."""
    headline = deck = False
    for index in range(min(first, len(rows))):
        row, kind = rows[index], kinds[index]
        if title and same(row.text, title) and not headline:
            kinds[index], headline = "headline", True
        elif kind:
            continue
        elif is_signed(rows, kinds, index):
            kinds[index] = "byline"
        elif index + 1 < len(rows) and kinds[index + 1] == "credit" and (index or row.words > 14):
            kinds[index] = "caption"
        elif index == first - 1 and row.words <= 5 and index and row.is_a("bare_dateline"):
            kinds[index] = "dateline"
        elif not headline and index == 0 and len(rows) > 1:
            kinds[index], headline = "headline", True
        elif not deck and headline and row.words <= 40:
            kinds[index], deck = "deck", True


def is_signed(rows: list[Line], kinds: list[str | None], index: int) -> bool:
    """Return whether a line of the head is a by-line, names alone above a date, or the outlet below a by-line."""
    row, below = rows[index], kinds[index + 1] if index + 1 < len(rows) else None
    if row.words <= 14 and row.is_a("byline"):
        return True
    if not index or row.words > 12:
        return False
    names = below == "date" and row.is_a("bare_byline")
    outlet = kinds[index - 1] == "byline" and row.is_a("outlet")
    return bool(names or outlet or row.is_a("agency"))


def mark_body(text: str, rows: list[Line], kinds: list[str | None], first: int) -> None:
    """Mark what stands amid the prose: lines in capitals, sign-offs of letters, pull quotes."""
    searched = len(rows) <= MOST_LINES
    for index in range(first, len(rows)):
        row = rows[index]
        if kinds[index] or not row.text:
            continue
        if 3 <= row.words <= 25 and row.text.isupper() and not row.is_a("ends_prose"):
            kinds[index] = "promo"
        elif row.words <= 9 and row.text[0] in "-—–" and row.is_a("byline"):
            kinds[index] = "byline"
        elif 5 <= row.words <= 40 and index > first and searched and is_pulled(text, row):
            kinds[index] = "deck"


def is_pulled(text: str, row: Line) -> bool:
    """Return whether a line is a pull quote: set apart, without a full stop, its words found elsewhere too."""
    core = row.text.strip("\"“”‘’' …")
    if len(core) < 20 or (row.is_a("ends_prose") and not row.is_a("quoted")):
        return False
    core = core.rstrip(".")
    at = text.find(core)
    return at >= 0 and (at < row.start or text.find(core, row.end) >= 0)


def mark_tail(rows: list[Line], kinds: list[str | None], first: int, byline: str | None) -> None:
    """Mark the lines about the author that close an article."""
    names = author_names(byline)
    prose = " ".join(row.text for row in rows[first:])
    last = [index for index in range(first + 1, len(rows)) if not kinds[index]][-3:]
    while last and not (rows[last[0]].text and is_bio(rows[last[0]].text, names, prose)):
        last = last[1:]
    goes_on = [
        PATTERNS["BIO_GOES_ON"].match(rows[i].text)
        or (names and PATTERNS["PRONOUN"].match(rows[i].text))
        or is_bio(rows[i].text, names, prose)
        for i in last[1:]
    ]
    if all(goes_on):  # prose below a line shows that the line is no close
        for index in last:
            kinds[index] = "bio" if rows[index].words <= 60 else None
    for index in range(len(rows) - 2, first, -1):  # "Have a question? / Write to …"
        asks = not kinds[index] and rows[index].words <= 12 and rows[index].is_a("asks")
        if asks and kinds[index + 1] == "promo" and "@" in rows[index + 1].text:
            kinds[index] = "promo"


def is_bio(line: str, names: list[str], article: str) -> bool:
    """Return whether a closing line tells who the author is or how to reach them.

    Where there is no by-line, a person whom the ``article`` names elsewhere is not its author.
    """
    if PATTERNS["BIO_ASKS"].fullmatch(line):
        return True
    if any(re.match(rf"{re.escape(name)}(?:['’]s)?\b", line) for name in names):
        return True
    subject = PATTERNS["BIO_SUBJECT"].match(line)
    if not subject:
        return False
    describes = PATTERNS["BIO_SAYS"].match(line, subject.end()) is not None
    if not describes or PATTERNS["BIO_ASKS"].search(line):
        return describes
    person = subject.group().split(",")[0].split()
    return len(person) >= 2 and not names and article.count(person[-1]) == line.count(person[-1])


def author_names(byline: str | None) -> list[str]:
    """Return the full names in a by-line.

    >>> author_names("By Ana Roe and Lee Po, The Herald")
    ['Ana Roe', 'Lee Po', 'The Herald']
    """
    if not byline:
        return []
    bare = re.sub(r"^.*?\b(?:by|BY|By)\b:?\s*", "", byline.strip()).strip("()")
    parts = re.split(r",\s*|\s+and\s+|\s+&\s+|\s*[|/•]\s*", bare)
    return [part for part in parts if len(part.split()) >= 2 and part[0].isupper()]


def byline_found(rows: list[Line], kinds: list[str | None]) -> str | None:
    """Return the first by-line of the head, as it stands there."""
    return next((r.text for r, k in zip(rows[:HEAD], kinds, strict=False) if k == "byline"), None)


def leading(text: str, row: Line) -> FurnitureSpan | None:
    """Return the by-line or date line that opens a line of prose, or None."""
    for kind, name in (("byline", "LEADING_BYLINE"), ("dateline", "DATELINE")):
        if found := PATTERNS[name].match(text, row.start, min(row.end, row.start + LONGEST)):
            return {"start": row.start, "end": found.end(), "kind": kind}
    return None


def same(one: str, other: str) -> bool:
    """Return whether two titles read the same, quotation marks, case and spacing apart."""

    def bare(words: str) -> str:
        return re.sub(r"\W+", " ", words).strip().lower()

    return bool(bare(one)) and bare(one) == bare(other)
