"""Noun phrases of a sentence, found by word lists: no tagger, no parser, every scan bounded."""

from onrecord.corpus.attribution.lexicon import LEX, VERBS
from onrecord.corpus.attribution.tokens import REACH, Tokens

_TITLE = 40  # code points: longer in quotation marks is speech, not the title of a book
_MARKS_OF_NAMES = frozenset("'’@#$%&.")
# A phrase does not end in these: "some" and "others" can stand alone, "the" cannot.
_FINITE = LEX.verbs_plain | {
    form for form, verb in VERBS.items() if not verb.nounish and not verb.base
}


def phrase_right(row: Tokens, start: int) -> tuple[int, int] | None:
    """Return the noun phrase that begins at ``start``, its of- and for-phrases included.

    A phrase without a name takes other prepositions too ("officials at the agency"), but not where the
    speech took place ("officials in a statement").
    """
    words, lowercased = row.words, row.lowercased
    j = start
    named = False
    stop = min(len(lowercased), start + 18)
    while j < stop:
        low, word = lowercased[j], words[j]
        if word in {"'", "’"}:
            j += 1
            continue
        if word == "" or not (word[0].isalnum() or word[0] in "@#$&"):
            break
        if j > start:
            if low in LEX.joining:
                pass
            elif low == "and":
                # "Lee and Orr", "lobbyist and party strategist Ann Lee"
                ahead = words[j + 1 : j + 2 if named else j + 5]
                if not any(w[:1].isupper() for w in ahead):
                    break
            elif low in LEX.prepositions:
                if named or _venue(row, j):
                    break
            elif low in LEX.phrase_stops:
                break
            elif low in LEX.dates:
                if lowercased[j - 1] not in LEX.determiners:
                    break
            elif word[0].islower() and (
                low in LEX.verbs_plain
                or (low in LEX.adverbs and low != "all")
                or (
                    low in VERBS
                    and not VERBS[low].nounish
                    and low not in LEX.reduced
                    and not (VERBS[low].participle and lowercased[j - 1] in LEX.determiners)
                )
                or (
                    words[j - 1][:1].isupper()
                    and (
                        low.endswith(("ed", "ly"))
                        or (low in VERBS and VERBS[low].opinion)
                        or (low.endswith("s") and _takes_object(row, j))
                    )
                    and low not in LEX.ly_nouns
                )
            ):
                break
        named = named or (
            word[0].isupper() and low not in LEX.determiners and low not in LEX.titles
        )
        j += 1
    while j > start and (
        lowercased[j - 1] in LEX.joining
        or lowercased[j - 1] in LEX.prepositions
        or lowercased[j - 1] == "and"
    ):
        j -= 1
    return (start, j) if j > start else None


def _takes_object(row: Tokens, at: int) -> bool:
    """Say whether an unknown word in -s is a verb: "NAME gavels us in"."""
    lowercased = row.lowercased
    return at + 1 < len(lowercased) and (lowercased[at + 1] in LEX.objects)


def _venue(row: Tokens, at: int) -> bool:
    """Say whether a prepositional phrase tells where or when something was said, not who said it."""
    words, lowercased = row.words, row.lowercased
    for low, word in zip(lowercased[at + 1 : at + 5], words[at + 1 : at + 5], strict=True):
        if low in LEX.no_source or low.isdigit():
            return True
        if word == "" or not word[0].isalnum():
            return False
    return False


def phrase_left(row: Tokens, end: int) -> tuple[int, int] | None:
    """Return the noun phrase whose last token is ``end``."""
    words, lowercased = row.words, row.lowercased
    if end < 0 or lowercased[end] in LEX.no_phrase_end:
        return None
    if lowercased[end] in LEX.nobody:
        return None
    if lowercased[end] in LEX.pronouns:
        return end, end + 1
    k = end
    stop = max(-1, end - REACH)
    while k > stop:
        low, word = lowercased[k], words[k]
        if word == ")":
            m = k
            while m > stop and lowercased[m] != "(":
                m -= 1
            k = m - 1
            continue
        if word == "":
            if low != "”" or row.sizes[k] > _TITLE or k == end:
                break
            k -= 1
            continue
        if not (word[0].isalnum() or word in _MARKS_OF_NAMES):
            break
        if low == "." and k < end:
            break
        if low == "and" and k < end:
            after_capital = words[k + 1][:1].isupper()
            before_capital = k > 0 and words[k - 1][:1].isupper()
            if not (after_capital and before_capital) and not _opens_phrase(row, k):
                break
            k -= 1
            continue
        if low in LEX.phrase_stops or (low in _FINITE and k < end and word[0].islower()):
            break
        if low == "to" and not (k and lowercased[k - 1] in LEX.before_to):
            break
        k -= 1
    if k > 1 and lowercased[k] in LEX.aux and lowercased[k - 1] in LEX.relatives:
        k -= 1  # "NAME, who is the owner said"
    if (
        k > 1
        and lowercased[k] in LEX.relatives
        and k < end
        and words[k + 1][0].islower()
        and lowercased[k + 1] not in LEX.determiners
    ):
        found = phrase_left(row, k - 1 if lowercased[k - 1] != "," else k - 2)
        if found is None or found[0] < 2 or lowercased[found[0] - 1] != ",":
            return found
        # "NAME, the pollster who founded it, said": the name before the appositive
        name = phrase_left(row, found[0] - 2)
        return name if name is not None and _ends_in_name(row, name) else found
    begin = k + 1
    while begin <= end and (
        lowercased[begin] in LEX.adverbs or words[begin] in LEX.no_phrase_start
    ):
        begin += 1
    # "In Iowa Trump said": a phrase that opens with a preposition is its last name only
    if (
        begin <= end
        and lowercased[begin] in LEX.prepositions
        and lowercased[begin] not in {"critics"}
    ):
        m = end
        while m >= begin and words[m][:1].isupper():
            m -= 1
        if m < end and m >= begin:
            begin = m + 1
        else:
            return None
    if begin > end:
        return None
    # "an official speaking on condition of anonymity": who speaks stands before it
    if end - begin < 2 or LEX.speaking.isdisjoint(lowercased[begin + 1 : end]):
        return begin, end + 1
    return begin, next(j for j in range(begin + 1, end) if lowercased[j] in LEX.speaking)


def _opens_phrase(row: Tokens, joint: int) -> bool:
    """Say whether the words before an "and" reach back to a mark or the sentence's start: one subject."""
    words, lowercased = row.words, row.lowercased
    k = joint - 1
    while k >= 0 and joint - k <= 5:
        low = lowercased[k]
        if words[k] == "" or low == "," or low in LEX.dashes:
            return k < joint - 1
        if low in LEX.aux or low in LEX.verbs_plain or (low in VERBS and not VERBS[low].nounish):
            return False
        k -= 1
    return k < 0


def appositive_name(row: Tokens, span: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the name in apposition to a phrase that holds none ("her partner, Nico Bassey, …"), or the phrase."""
    lowercased = row.lowercased
    if span is None or span[1] + 1 >= len(lowercased) or lowercased[span[1]] != ",":
        return span
    return named_after(row, span, span[1] + 1) or span


def named_after(row: Tokens, span: tuple[int, int] | None, at: int) -> tuple[int, int] | None:
    """Return the person's name at ``at`` that a description before it introduces: "another pollster, NAME of …"."""
    words, lowercased = row.words, row.lowercased
    if span is None or span[1] != at - 1:
        return None
    described = (
        lowercased[span[0]] in LEX.determiners
        and words[min(span[0] + 1, span[1] - 1)][:1].islower()
    )
    if words[span[1] - 1][:1].isupper() and not described:
        return None
    k = at
    while k < len(lowercased) and words[k][:1].isupper() and lowercased[k] not in LEX.determiners:
        k += 1
    closes = (
        k == len(lowercased)
        or lowercased[k] in {",", "."}
        or (described and lowercased[k] in {"of", "at"})
    )
    return (at, k) if 2 <= k - at <= 5 and closes else None


def over_appositive(row: Tokens, j: int) -> tuple[int, int] | None:
    """Return the phrase before the appositives that end at the mark ``j``: "NAME, director of …, said"."""
    words, lowercased = row.words, row.lowercased
    marks = LEX.dashes if lowercased[j] in LEX.dashes else {","}
    k = j - 1
    stops: list[int] = []
    while k >= max(0, j - REACH) and lowercased[k] not in {";", ":"}:
        if words[k] == "" and (k == 0 or row.sizes[k] > _TITLE):
            break
        if lowercased[k] in marks:
            stops.append(k)
        k -= 1
    segment = stops[0] + 1 if stops else j
    if not stops or (lowercased[j - 1] == ")" and words[segment][:1].isupper()):
        return phrase_left(row, j - 1)
    for stop in reversed(stops):
        span = phrase_left(row, stop - 1)
        if span is None:
            continue
        begins = span[0] - 1
        opens = begins < 0 or words[begins] == "" or lowercased[begins] in LEX.phrase_openers
        if opens and _ends_in_name(row, span):
            return span
    inner = stops[0] + 1
    described = named_after(row, phrase_left(row, stops[0] - 1), inner)
    if described is not None:
        return described
    # "the White House spokesman, Josh Earnest, said": the appositive is the name
    if words[inner][:1].isupper() and lowercased[inner] not in LEX.common_start:
        name = phrase_left(row, j - 1)
        if name is not None and name[0] == inner and j - inner <= 4:
            return name
    return phrase_left(row, stops[0] - 1)


def _ends_in_name(row: Tokens, span: tuple[int, int]) -> bool:
    """Say whether a phrase is likely a person's name: two capitals at its end, or one pronoun."""
    words, lowercased = row.words, row.lowercased
    last = lowercased[span[1] - 1]
    if last in LEX.pronouns:
        return True
    return (
        words[span[1] - 1][:1].isupper()
        and last not in LEX.dates
        and (span[1] - span[0] == 1 or words[span[1] - 2][:1].isupper())
        and lowercased[span[0]] not in {"the", "a", "an", "one", "another"}
    )


def skip_dates(row: Tokens, j: int) -> int:
    """Return the token before a date that ends at ``j`` ("NAME on Tuesday said"), or ``j``."""
    lowercased = row.lowercased
    k = j
    while k >= 0 and (lowercased[k] in LEX.dates or lowercased[k].isdigit()):
        k -= 1
    if k < j and k >= 0 and lowercased[k] in {"on", "in", "late", "early"}:
        k -= 1
    return k if k >= 0 else j
