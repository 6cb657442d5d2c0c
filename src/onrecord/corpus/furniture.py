"""
Furniture: the text of a page that is not the article's prose, marked with its kind and never deleted.

Lines are judged, by what they say and by where they stand: the head (above the first line of prose), the
body, and the tail (below the last). Two kinds share a line with prose and are marked as a part of it: a
by-line in parentheses and a date line, before the first sentence. A headline and a deck assert something
and are annotated like any sentence, so ``segment`` passes them on; every other kind it marks.
"""

import re
from dataclasses import dataclass
from typing import Any

from onrecord.corpus.splitter import LINE, trimmed

LONGEST = 240  # code points: a longer line is prose, whatever it begins with
HEAD = 12  # lines looked at above the first line of prose

MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
DAY = r"(?:(?:Mon|Tues?|Wed(?:nes)?|Thur?s?|Fri|Sat(?:ur)?|Sun)(?:day|\.)?)"
CLOCK = r"\d{1,2}(?:[:.]\d\d)?\s*(?:[ap]\.?m\.?|AM|PM)?(?:\s*\(?(?:[ECMP][SD]?T|GMT|UTC)\)?)?"
DATE_PARTS = (
    rf"(?:{MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}|\d{{1,2}}\s+{MONTH},?\s+\d{{4}}|"
    r"\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{2,4})"
)
DATE = re.compile(
    rf"(?:(?:First\s+)?(?:Published|Posted|Updated|Last updated|Modified)(?:\s+(?:on|at))?:?\s+)?"
    rf"(?:{DAY},?\s+)?{DATE_PARTS}"
    rf"(?:,?\s*(?:at\s+|\|\s*|[-–—]\s*|T)?{CLOCK}[Z.]?)?",
    re.IGNORECASE,
)
PERSON = r"[A-Z][\w.’'-]*(?:\s+(?:[A-Z][\w.’'-]*|de|la|van|von|der|al|bin)){0,4}"
PEOPLE = rf"{PERSON}(?:(?:,\s+|,?\s+and\s+|\s+&\s+){PERSON}){{0,5}}"
BYLINE = re.compile(
    rf"(?:(?:Interview|Analysis|Commentary|Story|Text|Words)\s+)?(?:[Bb]y|BY):?\s+(?:the\s+)?{PEOPLE}(?:\s*[|/•]\s*[^.]{{2,60}}|,\s+[^.]{{2,60}})?"
    rf"|Special\s+to\s+(?:the\s+|The\s+)?[A-Z][^.!?]{{2,60}}"
    rf"|(?:{PERSON},?\s+)?(?:{PERSON}\s+)?(?:[Ss]taff|[Ss]enior|[Cc]hief|[Pp]olitical|[Nn]ational|[Ss]tatehouse)"
    r"(?:\s+[A-Z]?[a-z]+)?\s+(?:[Ww]riter|[Rr]eporter|[Cc]orrespondent)s?"
    r"|(?:--|—|–)\s*(?=[A-Z])(?:[A-Z]\.|[^.!?])+",
)
AGENCY = re.compile(
    r"(?:[A-Z][\w’'&.-]*\s+){1,5}(?:News\s+)?(?:Service|Press|Agency|Wire|Network|Bureau)"
    r"|(?:Reuters|Associated Press|The Associated Press|AP|AFP|UPI|Bloomberg)"
)
LEADING_BYLINE = re.compile(
    rf"\((?:By\s+)?{PEOPLE},\s+[A-Z][^()\n]{{1,60}}\)(?=\s+[A-Z“\"‘'])|\(By\s+{PEOPLE}\)(?=\s+[A-Z“\"‘'])"
)
PLACE = r"(?:[A-Z][A-Z.’'-]+)(?:[ -][A-Z][A-Z.’'-]+){0,3}"
DATELINE = re.compile(
    rf"{PLACE}(?:,\s+[A-Z][A-Za-z.]+(?:\s+[A-Z][a-z.]+)?)?(?:,?\s+{MONTH}\s+\d{{1,2}})?"
    r"(?:\s*\([A-Z][^()\n]{1,40}\))?\s*(?:[—–]|--|-(?=\s))(?=\s*[A-Z“\"‘'0-9$])"
)
BARE_DATELINE = re.compile(rf"{PLACE}(?:,\s+[A-Z][a-z.]+)?(?:\s+\([A-Z][^()]{{1,40}}\))?")
CREDIT = re.compile(
    r"(?:Photos?|Photograph|Image|Illustration|Graphic|Video|Picture|Credit|PHOTO|IMAGE|CREDIT|VIDEO)"
    r"(?:\s+(?:[Bb]y|[Cc]ourtesy(?:\s+of)?|[Cc]redit|[Ii]llustration|[Vv]ia)\b:?|\s*:|\s*/)\s*\S[^\n]*"
    r"|(?:Photo|Image)s?\s+\([^()]+\)"
    r"|\(?(?:AP\s+Photo|AP|AFP|REUTERS|Reuters|Getty(?:\s+Images)?|Associated\s+Press|Shutterstock|iStock)\s*/\s*[^/\n]{2,60}\)?"
    r"|[^/\n.!?]{2,50}/\s*(?:PHOTO|Photo|AP|AFP|Getty|Reuters|REUTERS|Associated Press|Shutterstock|UPI|EPA)\b[^\n]{0,40}"
    rf"|{PERSON}\s*/\s*(?:The\s+)?{PERSON}"
    r"|(?:Screenshot|Screengrab|Screen\s+capture)(?:\s+(?:via|from|of)|\s*[:/])[^\n]*"
    r"|(?:©|\(c\)|Copyright)\s+[^\n]*",
)
COMMENTS = re.compile(
    r"(?:(?:view|show|hide|read|see|post|leave|add|load|all|your)\s+)?(?:(?:all|a|the|more|your)\s+)?"
    r"(?:\d[\d,]*\s+|no\s+)?comments?(?:\s*[(:]?\s*\d[\d,]*\s*\)?)?:?"
    r"|comments?\s+(?:are|is)\s+(?:now\s+)?(?:closed|disabled|off)\b.*|comments?\s+closed\.?"
    r"|(?:please\s+)?let\s+us\s+know\s+if\s+you(?:['’]re|\s+are)\s+having\s+issues\s+with\s+commenting\.?"
    r"|be\s+the\s+first\s+to\s+comment\.?|(?:sign|log)\s+in\s+to\s+(?:join|comment|post|leave).*"
    r"|join\s+the\s+(?:conversation|discussion)\.?|what\s+do\s+you\s+think\?.*\bcomments?\b.*"
    r"|leave\s+a\s+(?:comment|reply)\b.*|(?:share|tell\s+us)\s+your\s+thoughts\b.*|say\s+something\.?",
    re.IGNORECASE,
)
PROMO = re.compile(
    r"(?:(?:RELATED|READ|ALSO|MORE|SEE|SUBSCRIBERS?|PHOTOS?|VIDEOS?|WATCH|LISTEN|GALLERY|NEWSLETTER|SLIDESHOW|"
    r"CLICK|PODCAST|POLL|QUIZ|SIGN\s+UP|ADVERTISEMENT|TRENDING|INSIDE)\b[A-Z’' ]{0,40}:.+)"
    r"|(?:(?i:related(?:\s+(?:stor(?:y|ies)|articles?|content|coverage|links?|news))?|read\s+(?:more|next|also)|"
    r"see\s+also|also\s+read|recommended|newsletter|more\s+(?:from|on|in)\s+[^.:]{2,40}|watch(?:\s+(?:live|now|below))?)"
    r"\s*:.*)"
    r"|(?i:(?:sign\s+up|subscribe|click\s+here|follow\s+us|like\s+us|download\s+the|get\s+the\s+latest|"
    r"support\s+reporting|become\s+a\s+(?:member|subscriber)|share\s+this|email\s+this|print\s+this|"
    r"advertisement|story\s+continues\s+below|continue\s+reading|read\s+more|related\s+(?:stories|articles|content)|"
    r"editor['’]s\s+picks|most\s+(?:read|popular)|trending(?:\s+now)?)\b.*)"
    r"|(?:[^.!?]{0,100}[?:]\s+)?(?:(?!Reach|Follow|Contact\s+[a-z])[A-Z][^.!?]{0,80}\s)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+\.?"
)  # fmt: skip
CONTINUES = (
    r"(?:(?:also|then|later|further|again|has|had|have)\s+)?(?:continued|added|went\s+on(?:\s+to\s+say)?|said|"
    r"says|wrote|writes|tweeted|posted|replied|responded|explained|concluded|declared|stated|noted|asked|"
    r"argued|told\s+\w+(?:\s+\w+){0,3})"
)
CUE = re.compile(
    rf"(?:And\s+|But\s+|Then\s+|As\s+)?(?:He|She|They|It|The\s+\w+(?:\s+\w+)?|{PERSON})\s+{CONTINUES}"
    rf"(?:\s+(?:in|on|at|to|via|of)\s+[^:.!?]{{2,40}}|\s+(?:that|later|further))?:"
)
ROLE = (
    r"(?:reporter|writer|editor|columnist|correspondent|journalist|author|fellow|professor|contributor|producer|"
    r"host|anchor|director|president|founder|intern|blogger|analyst|attorney|lawyer|strategist|consultant|"
    r"lecturer|student|machinist|teacher|historian|physician|contributing\s+\w+)"
)
BIO_SAYS = re.compile(
    rf"(?:is|was|are)\s+(?:(?:an?|the|our|[A-Z][\w’'.]+['’]s?)\s+)?(?:[\w’'.-]+\s+){{0,6}}{ROLE}s?\b"
    r"|(?:covers|reports\s+(?:on|for|from)|writes\s+(?:about|for|on|a)|contributed\s+to|has\s+covered|blogs\s+(?:at|for))\b"
    r"|(?:can\s+be\s+(?:reached|followed)|tweets\s+at|lives\s+in|teaches)\b",
)
BIO_ASKS = re.compile(
    r"(?:Follow|Reach|Contact|E-?mail|Write\s+to|Find)\s+(?:him|her|them|me|the\s+(?:author|writer|reporter)|"
    rf"{PERSON})\b.*(?:@|Twitter|Facebook|e-?mail|\bon\s+X\b|\bat\b).*"
    r"|(?:The\s+)?Associated\s+Press\s+(?:writers?|reporters?|journalists?)\b.*\bcontributed\b.*"
    r"|.*\bcontributed\s+to\s+this\s+(?:report|story|article)\.?"
)
ASKS = re.compile(r"(?:Have|Got|Do\s+you\s+have|Want|Need|Know|Spotted|Seen)\b[^.!?]*\?")
ENDS_PROSE = re.compile(r"[.!?…][\"'”’)\]]*$")
QUOTED = re.compile(r"[\"“‘'].*[\"”’']$", re.DOTALL)


@dataclass(frozen=True)
class Line:
    """A line of an article without the white space around it; ``words`` is counted by white space."""

    start: int
    end: int
    text: str
    words: int


def lines(text: str) -> list[Line]:
    """Return the lines of ``text`` that say something."""
    found = []
    for match in LINE.finditer(text):
        if span := trimmed(text, *match.span()):
            words = text.count(" ", *span) + 1
            found.append(
                Line(*span, text[slice(*span)] if span[1] - span[0] <= LONGEST else "", words)
            )
    return found


def mark(text: str, *, title: str | None = None, byline: str | None = None) -> list[dict[str, Any]]:
    r"""
    Return the furniture of an article, in order: ``{"start", "end", "kind"}``, offsets into ``text``.

    ``title`` and ``byline`` are what is known from elsewhere (a sidecar, a page's metadata): a first line
    that equals the title is a headline, and a closing line about the by-line's name is a bio.

    >>> mark("By Ana Roe\n\nThe council met on Monday and adjourned.\n3 Comments")
    [{'start': 0, 'end': 10, 'kind': 'byline'}, {'start': 53, 'end': 63, 'kind': 'comments'}]
    """
    rows = lines(text)
    kinds: list[str | None] = [line_kind(row) for row in rows]
    first = first_prose(rows, kinds)
    mark_head(rows, kinds, first, title)
    mark_body(rows, kinds, first)
    mark_tail(rows, kinds, first, byline or byline_found(rows, kinds))
    marked = [
        {"start": row.start, "end": row.end, "kind": kind}
        for row, kind in zip(rows, kinds, strict=True)
        if kind
    ]
    for row, kind in list(zip(rows, kinds, strict=True))[: first + 2]:
        if kind is None and (lead := leading(text, row)):
            marked.append(lead)
    return sorted(marked, key=lambda span: span["start"])


def line_kind(row: Line) -> str | None:
    """Return the kind of a line that says itself what it is, wherever it stands; else None."""
    said = row.text
    if not said:
        return None
    if COMMENTS.fullmatch(said):
        return "comments"
    if row.words <= 12 and DATE.fullmatch(said):
        return "date"
    if row.words <= 14 and CREDIT.fullmatch(said):
        return "credit"
    if row.words <= 10 and CUE.fullmatch(said):
        return "cue"
    if row.words <= 25 and PROMO.fullmatch(said):
        return "promo"
    return None


def first_prose(rows: list[Line], kinds: list[str | None]) -> int:
    """Return the index of the first line of prose: many words, or several, ending like a sentence.

    Above a by-line or a date nothing is prose but a long line: a headline may be a question.
    """
    low = 0
    for index, row in enumerate(rows[:HEAD]):
        if row.words > 40 or not row.text:
            break
        if kinds[index] == "date" or (row.words <= 14 and BYLINE.fullmatch(row.text)):
            low = index + 1
    for index, row in enumerate(rows[:HEAD]):
        if kinds[index] or index < low:
            continue
        captioned = index + 1 < len(rows) and kinds[index + 1] == "credit"
        ends = ENDS_PROSE.search(row.text) if row.text else True
        if not captioned and (
            row.words > 40 or (ends and row.words > 6 and not QUOTED.match(row.text))
        ):
            return index
    return min(len(rows), HEAD)


def mark_head(rows: list[Line], kinds: list[str | None], first: int, title: str | None) -> None:
    """Mark what stands above the prose: headline, deck, by-line, caption, a bare date line."""
    headline = deck = False
    for index in range(min(first, len(rows))):
        row, kind = rows[index], kinds[index]
        if title and same(row.text, title) and not headline:
            kinds[index], headline = "headline", True
        elif kind:
            continue
        elif (row.words <= 14 and BYLINE.fullmatch(row.text)) or (
            index and AGENCY.fullmatch(row.text)
        ):
            kinds[index] = "byline"
        elif index + 1 < len(rows) and kinds[index + 1] == "credit" and (index or row.words > 14):
            kinds[index] = "caption"
        elif index == first - 1 and row.words <= 5 and index and BARE_DATELINE.fullmatch(row.text):
            kinds[index] = "dateline"
        elif not headline and index == 0 and len(rows) > 1:
            kinds[index], headline = "headline", True
        elif not deck and headline and row.words <= 40:
            kinds[index], deck = "deck", True


def mark_body(rows: list[Line], kinds: list[str | None], first: int) -> None:
    """Mark what stands amid the prose: lines in capitals, sign-offs of letters, captions with a credit."""
    for index in range(first, len(rows)):
        row = rows[index]
        if kinds[index] or not row.text or row.words > 25:
            continue
        said = row.text
        if row.words >= 3 and said.isupper() and not ENDS_PROSE.search(said):
            kinds[index] = "promo"
        elif row.words <= 9 and said[0] in "-—–" and BYLINE.fullmatch(said):
            kinds[index] = "byline"


def mark_tail(rows: list[Line], kinds: list[str | None], first: int, byline: str | None) -> None:
    """Mark the lines about the author that close an article."""
    names = author_names(byline)
    last = [index for index in range(first + 1, len(rows)) if not kinds[index]][-3:]
    begun = False
    for index in last:  # what follows such a line, to the end, is about the author too
        row = rows[index]
        begun = begun or bool(row.text and is_bio(row.text, names))
        if begun and row.words <= 60:
            kinds[index] = "bio"
    for index in range(len(rows) - 2, first, -1):  # "Have a question? / Write to …"
        asks = not kinds[index] and rows[index].words <= 12 and ASKS.fullmatch(rows[index].text)
        if asks and kinds[index + 1] == "promo" and "@" in rows[index + 1].text:
            kinds[index] = "promo"


def is_bio(said: str, names: list[str]) -> bool:
    """Return whether a closing line tells who the author is or how to reach them."""
    if BIO_ASKS.fullmatch(said):
        return True
    if any(re.match(rf"{re.escape(name)}(?:['’]s)?\b", said) for name in names):
        return True
    subject = re.match(rf"{PERSON}(?:,[^,]{{2,60}},)?\s+(?=[a-z])", said)
    if not subject:
        return False
    told = BIO_SAYS.match(said, subject.end())
    return bool(told) and (
        bool(BIO_ASKS.search(said)) or (len(subject.group().split()) >= 2 and not names)
    )


def author_names(byline: str | None) -> list[str]:
    """
    Return the full names in a by-line.

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


def leading(text: str, row: Line) -> dict[str, Any] | None:
    """Return the by-line or date line that opens a line of prose, or None."""
    for kind, pattern in (("byline", LEADING_BYLINE), ("dateline", DATELINE)):
        if found := pattern.match(text, row.start, row.end):
            return {"start": row.start, "end": found.end(), "kind": kind}
    return None


def same(one: str, other: str) -> bool:
    """Return whether two titles read the same, quotation marks, case and spacing apart."""

    def bare(words: str) -> str:
        return re.sub(r"\W+", " ", words).strip().lower()

    return bool(bare(one)) and bare(one) == bare(other)
