"""Noun phrases of a sentence, found by word lists: no tagger, no parser, every scan bounded."""

from collections.abc import Sequence

from onrecord.corpus.lexicon import words
from onrecord.corpus.tokens import (
    ADVERBS,
    AUX,
    CONJUNCTIONS,
    DASHES,
    DATES,
    DETERMINERS,
    PLAIN,
    PREPOSITIONS,
    PRONOUNS,
    REACH,
    TITLES,
    VERBS,
    Token,
)

_TITLE = 40  # code points: longer in quotation marks is speech, not the title of a book
_JOINING = words("joining")
_REDUCED = words("reduced")
_VENUES = words("venues")
_LY_NOUNS = words("ly_nouns")
_NEARNESS = words("nearness")
_NOBODY = words("nobody")
_MARKS_OF_NAMES = frozenset("'’@#$%&.")
_OBJECTS = words("articles") | {"us", "me", "him", "them", "it"}
_NO_START = frozenset(["'", "’", ".", "and"])
_OPENERS = CONJUNCTIONS | {",", ":", "as", "—", "–", "-", "'", "("}
# A phrase does not end in these: "some" and "others" can stand alone, "the" cannot.
_NO_END = PREPOSITIONS | CONJUNCTIONS | words("articles")
_LEADING = CONJUNCTIONS | ADVERBS | {","}
_SKIPPED = ADVERBS | {","}
_CIRCUMSTANCE = PREPOSITIONS | {"when", "while", "as", "if", "after"}
_COMMON_START = DETERMINERS | TITLES
_CLOCK = frozenset(["a.m.", "p.m.", ".", "m", "am", "pm"])
_RELATIVE = frozenset(["who", "whose", "which"])
_SINCE = frozenset(["later", "ago", "earlier", "before", "afterward", "after"])


def phrase_right(row: Sequence[Token], start: int) -> tuple[int, int] | None:
    """Return the noun phrase that begins at ``start``, its of- and for-phrases included.

    A phrase without a name takes other prepositions too ("officials at the agency"), but not where the
    speech took place ("officials in a statement").
    """
    j = start
    named = False
    while j < min(len(row), start + 18):
        token = row[j]
        low, word = token.low, token.word
        if word in {"'", "’"}:
            j += 1
            continue
        if word == "" or not (word[0].isalnum() or word[0] in "@#$&"):
            break
        if j > start:
            if low in _JOINING:
                pass
            elif low == "and":
                # "Lee and Orr", "lobbyist and party strategist Ann Lee"
                ahead = row[j + 1 : j + 2] if named else row[j + 1 : j + 5]
                if not any(t.word[:1].isupper() for t in ahead):
                    break
            elif low in PREPOSITIONS:
                if named or _venue(row, j):
                    break
            elif low in CONJUNCTIONS or low in AUX or low in PRONOUNS:
                break
            elif low in DATES:
                if row[j - 1].low not in DETERMINERS:
                    break
            elif word[0].islower() and (
                low in PLAIN
                or (low in ADVERBS and low != "all")
                or (
                    low in VERBS
                    and not VERBS[low].nounish
                    and low not in _REDUCED
                    and not (VERBS[low].participle and row[j - 1].low in DETERMINERS)
                )
                or (
                    row[j - 1].word[:1].isupper()
                    and (
                        low.endswith(("ed", "ly"))
                        or (low in VERBS and VERBS[low].opinion)
                        or (low.endswith("s") and _takes_object(row, j))
                    )
                    and low not in _LY_NOUNS
                )
            ):
                break
        named = named or (word[0].isupper() and low not in DETERMINERS and low not in TITLES)
        j += 1
    while j > start and (
        row[j - 1].low in _JOINING or row[j - 1].low in PREPOSITIONS or row[j - 1].low == "and"
    ):
        j -= 1
    return (start, j) if j > start else None


def _takes_object(row: Sequence[Token], at: int) -> bool:
    """Say whether an unknown word in -s is a verb: "NAME gavels us in"."""
    return at + 1 < len(row) and (row[at + 1].low in _OBJECTS)


def _venue(row: Sequence[Token], at: int) -> bool:
    """Say whether a prepositional phrase tells where or when something was said, not who said it."""
    for token in row[at + 1 : at + 5]:
        if (
            token.low in _VENUES
            or token.low in DATES
            or token.low.isdigit()
            or token.low in PRONOUNS
        ):
            return True
        if token.word == "" or not token.word[0].isalnum():
            return False
    return False


def phrase_left(row: Sequence[Token], end: int) -> tuple[int, int] | None:
    """Return the noun phrase whose last token is ``end``."""
    if end < 0 or row[end].low in _NO_END:
        return None
    if row[end].low in _NOBODY:
        return None
    if row[end].low in PRONOUNS:
        return end, end + 1
    k = end
    stop = max(-1, end - REACH)
    while k > stop:
        token = row[k]
        low = token.low
        if token.word == ")":
            m = k
            while m > stop and row[m].low != "(":
                m -= 1
            k = m - 1
            continue
        if token.word == "":
            if token.low != "”" or token.end - token.start > 40 or k == end:
                break
            k -= 1
            continue
        if not (token.word[0].isalnum() or token.word in _MARKS_OF_NAMES):
            break
        if low == "." and k < end:
            break
        if low == "and" and k < end:
            after_capital = row[k + 1].word[:1].isupper()
            before_capital = k > 0 and row[k - 1].word[:1].isupper()
            if not (after_capital and before_capital) and not _opens_phrase(row, k):
                break
            k -= 1
            continue
        if low in CONJUNCTIONS or low in PRONOUNS or low in AUX:
            break
        if (
            token.word[0].islower()
            and (low in PLAIN or (low in VERBS and not VERBS[low].nounish and not VERBS[low].base))
            and k < end
        ):
            break
        if low == "to" and not (k and row[k - 1].low in _NEARNESS):
            break
        k -= 1
    if k > 1 and row[k].low in AUX and row[k - 1].low in _RELATIVE:
        k -= 1  # "NAME, who is the owner said"
    if (
        k > 1
        and row[k].low in _RELATIVE
        and k < end
        and row[k + 1].word[0].islower()
        and row[k + 1].low not in DETERMINERS
    ):
        found = phrase_left(row, k - 1 if row[k - 1].low != "," else k - 2)
        if found is None or found[0] < 2 or row[found[0] - 1].low != ",":
            return found
        # "NAME, the pollster who founded it, said": the name before the appositive
        name = phrase_left(row, found[0] - 2)
        return name if name is not None and _ends_in_name(row, name) else found
    begin = k + 1
    while begin <= end and (row[begin].low in ADVERBS or row[begin].word in _NO_START):
        begin += 1
    # "In Iowa Trump said": a phrase that opens with a preposition is its last name only
    if begin <= end and row[begin].low in PREPOSITIONS and row[begin].low not in {"critics"}:
        m = end
        while m >= begin and row[m].word[:1].isupper():
            m -= 1
        if m < end and m >= begin:
            begin = m + 1
        else:
            return None
    return (begin, end + 1) if begin <= end else None


def _opens_phrase(row: Sequence[Token], joint: int) -> bool:
    """Say whether the words before an "and" reach back to a mark or the sentence's start: one subject."""
    k = joint - 1
    while k >= 0 and joint - k <= 5:
        low = row[k].low
        if row[k].word == "" or low == "," or low in DASHES:
            return k < joint - 1
        if low in AUX or low in PLAIN or (low in VERBS and not VERBS[low].nounish):
            return False
        k -= 1
    return k < 0


def main_subject(row: Sequence[Token], before: int) -> tuple[int, int] | None:
    """Return the subject of the sentence's main clause, as far as words without a parse tell."""
    j = 0
    for at in range(1, min(before, 7)):
        if row[at].low == ":" and row[at - 1].low in _CLOCK:
            j = at + 1  # a time of day
    if before > 2 and row[0].word.isupper() and row[1].low in DASHES:
        j = 2  # a date line
    while j < before and row[j].low in _LEADING:
        j += 1
    comma = next((k for k in range(j + 1, min(before, j + 6)) if row[k].low == ","), j)
    if row[comma - 1].low in _SINCE:
        j = comma + 1  # "A few days later, NAME"
    if j < before and (
        row[j].low in PREPOSITIONS or row[j].low in _CIRCUMSTANCE or row[j].low.endswith("ing")
    ):
        k = j
        while k < min(before, j + 30) and row[k].low != ",":
            k += 1
        if k < before and row[k].low == ",":
            j = k + 1
        else:
            m = next((m for m in range(j, before) if row[m].low in {"he", "she", "they"}), None)
            if m is not None:
                return m, m + 1
    while j < before and row[j].low in _SKIPPED:
        j += 1
    if j >= before or row[j].word == "":
        return None
    if row[j].low in _NOBODY:
        return None
    if row[j].low in PRONOUNS:
        return j, j + 1
    return appositive_name(row, phrase_right(row, j))


def appositive_name(row: Sequence[Token], span: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the name in apposition to a phrase that holds none ("her partner, Nico Bassey, …"), or the phrase."""
    if span is None or span[1] + 1 >= len(row) or row[span[1]].low != ",":
        return span
    return named_after(row, span, span[1] + 1) or span


def named_after(
    row: Sequence[Token], span: tuple[int, int] | None, at: int
) -> tuple[int, int] | None:
    """Return the person's name at ``at`` that a description before it introduces: "another pollster, NAME of …"."""
    if span is None or span[1] != at - 1:
        return None
    first = row[span[0]]
    described = first.low in DETERMINERS and row[min(span[0] + 1, span[1] - 1)].word[:1].islower()
    if row[span[1] - 1].word[:1].isupper() and not described:
        return None
    k = at
    while k < len(row) and row[k].word[:1].isupper() and row[k].low not in DETERMINERS:
        k += 1
    closes = k == len(row) or row[k].low in {",", "."} or (described and row[k].low in {"of", "at"})
    return (at, k) if 2 <= k - at <= 5 and closes else None


def over_appositive(row: Sequence[Token], j: int) -> tuple[int, int] | None:
    """Return the phrase before the appositives that end at the mark ``j``: "NAME, director of …, said"."""
    marks = DASHES if row[j].low in DASHES else {","}
    k = j - 1
    stops: list[int] = []
    while k >= max(0, j - REACH) and row[k].low not in {";", ":"}:
        if row[k].word == "" and (k == 0 or row[k].end - row[k].start > _TITLE):
            break
        if row[k].low in marks:
            stops.append(k)
        k -= 1
    segment = stops[0] + 1 if stops else j
    if not stops or (row[j - 1].low == ")" and row[segment].word[:1].isupper()):
        return phrase_left(row, j - 1)
    spans = [span for stop in reversed(stops) if (span := phrase_left(row, stop - 1)) is not None]
    for span in spans:
        begins = span[0] - 1
        opens = begins < 0 or row[begins].word == "" or row[begins].low in _OPENERS
        if opens and _ends_in_name(row, span):
            return span
    inner = stops[0] + 1
    described = named_after(row, phrase_left(row, stops[0] - 1), inner)
    if described is not None:
        return described
    # "the White House spokesman, Josh Earnest, said": the appositive is the name
    if row[inner].word[:1].isupper() and row[inner].low not in _COMMON_START:
        name = phrase_left(row, j - 1)
        if name is not None and name[0] == inner and j - inner <= 4:
            return name
    return phrase_left(row, stops[0] - 1)


def _ends_in_name(row: Sequence[Token], span: tuple[int, int]) -> bool:
    """Say whether a phrase is likely a person's name: two capitals at its end, or one pronoun."""
    last, before = row[span[1] - 1], row[max(span[0], span[1] - 2)]
    if last.low in PRONOUNS:
        return True
    return (
        last.word[:1].isupper()
        and last.low not in DATES
        and (span[1] - span[0] == 1 or before.word[:1].isupper())
        and row[span[0]].low not in {"the", "a", "an", "one", "another"}
    )


def skip_dates(row: Sequence[Token], j: int) -> int:
    """Return the token before a date that ends at ``j`` ("NAME on Tuesday said"), or ``j``."""
    k = j
    while k >= 0 and (row[k].low in DATES or row[k].low.isdigit()):
        k -= 1
    if k < j and k >= 0 and row[k].low in {"on", "in", "late", "early"}:
        k -= 1
    return k if k >= 0 else j
