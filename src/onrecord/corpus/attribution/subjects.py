"""Who a cue's subject is, as far as words without a parse tell: left of the verb, right of it, or the sentence's own."""

from onrecord.corpus.attribution.lexicon import LEX, SAY, VERBS, Verb
from onrecord.corpus.attribution.noun_phrases import (
    appositive_name,
    over_appositive,
    phrase_left,
    phrase_right,
    skip_dates,
)
from onrecord.corpus.attribution.tokens import REACH, Tokens

_SHORT = 6  # tokens: longer after "…, said the" is a clause
_NOT_OWN = LEX.determiners - {"his", "her", "its", "their"}


def main_subject(row: Tokens, before: int) -> tuple[int, int] | None:
    """Return the subject of the sentence's main clause, as far as words without a parse tell."""
    words, lowercased = row.words, row.lowercased
    j = 0
    for at in range(1, min(before, 7)):
        if lowercased[at] == ":" and lowercased[at - 1] in LEX.clock:
            j = at + 1  # a time of day
    if before > 2 and words[0].isupper() and lowercased[1] in LEX.dashes:
        j = 2  # a date line
    while j < before and lowercased[j] in LEX.leading:
        j += 1
    comma = next((k for k in range(j + 1, min(before, j + 6)) if lowercased[k] == ","), j)
    if lowercased[comma - 1] in LEX.since:
        j = comma + 1  # "A few days later, NAME"
    if j < before and (
        lowercased[j] in LEX.prepositions
        or lowercased[j] in LEX.circumstance
        or lowercased[j].endswith("ing")
    ):
        k = j
        while k < min(before, j + 30) and lowercased[k] != ",":
            k += 1
        if k < before and lowercased[k] == ",":
            j = k + 1
        else:
            m = next((m for m in range(j, before) if lowercased[m] in {"he", "she", "they"}), None)
            if m is not None:
                return m, m + 1
    while j < before and lowercased[j] in LEX.skipped:
        j += 1
    if j >= before or words[j] == "":
        return None
    if lowercased[j] in LEX.nobody:
        return None
    if lowercased[j] in LEX.pronouns:
        return j, j + 1
    return appositive_name(row, phrase_right(row, j))


def left_subject(row: Tokens, at: int, verb: Verb) -> tuple[tuple[int, int] | None, bool, bool]:
    """Return ``(subject, negated, passive)`` of a verb, looking to its left."""
    words, lowercased = row.words, row.lowercased
    j = at - 1
    negated = passive = False
    verbal = False
    while j >= 0:
        low = lowercased[j]
        if low in LEX.aux or low.endswith("n't"):
            negated |= low.endswith("n't") or low == "cannot"
            passive |= low in LEX.be and not verb.participle and not verb.base
            verbal = True
        elif low in LEX.negations:
            negated = True
        elif not (
            low in LEX.adverbs or (low.endswith("ly") and len(low) > 4 and words[j][0].islower())
        ):
            break
        j -= 1
    if j < 0:
        return None, negated, passive
    j = skip_dates(row, j)
    while j > 0 and (lowercased[j] in LEX.adverbs or lowercased[j] in LEX.reflexive):
        j -= 1
    if j >= 0 and lowercased[j] == ")":
        k = j
        while k > max(0, j - 12) and lowercased[k] != "(":
            k -= 1
        j = k - 1
    if j < 0:
        return None, negated, passive
    low = lowercased[j]
    if verb.participle and not verbal:
        return (
            (
                main_subject(row, at)
                if low in {",", "—", "–", "while", "by", "in", "after", "before", "and"}
                or words[j] == ""
                else None
            ),
            negated,
            False,
        )
    if low in {"and", "but", "then"}:
        return main_subject(row, j), negated, passive
    if low in {"who", "which", "that"}:
        k = j - 1
        if k >= 0 and lowercased[k] == ",":
            k -= 1
        if low == "that" or k < 0 or verb.strength < SAY:
            return None, negated, passive
        if k > 1 and lowercased[k].isdigit() and lowercased[k - 1] == ",":
            k -= 2  # "NAME, 19, who says"
        return phrase_left(row, k), negated, passive
    if low == "," or low in LEX.dashes:
        return over_appositive(row, j), negated, passive
    if words[j] == "":
        return None, negated, passive
    return phrase_left(row, j), negated, passive


def inverted_subject(row: Tokens, at: int) -> tuple[int, int] | None:
    """Return the subject of "…, said NAME": a noun phrase right after the verb, not the start of a clause."""
    words, lowercased = row.words, row.lowercased
    j = at + 1
    if j >= len(lowercased) or words[j] == "":
        return None
    low = lowercased[j]
    if low in {"he", "she", "they"}:
        follows = lowercased[j + 1] if j + 1 < len(lowercased) else "."
        return (j, j + 1) if follows in {".", ",", "in", "on", "at", "during", ""} else None
    if low in LEX.no_inversion:
        return None
    subject = appositive_name(row, phrase_right(row, j))
    if subject is None:
        return None
    after = lowercased[subject[1]] if subject[1] < len(lowercased) else "."
    closes = (
        after in LEX.after_inversion
        or (subject[1] < len(lowercased) and words[subject[1]] == "")
        or after.endswith(("ing", "ly", "ed"))
    )
    if closes and words[at - 1]:
        # "NAME, of TOWN, asked the crowd …" differs from "…, said NAME." in what ends the phrase
        closes = after in {".", ",", "who", ";", "—"} and (
            words[subject[0]][:1].isupper()
            or (
                subject[1] - subject[0] > 2
                and all(word[:1].isupper() for word in words[subject[1] - 2 : subject[1]])
            )
            or (lowercased[subject[0]] in _NOT_OWN and subject[1] - subject[0] <= _SHORT)
        )
    return subject if closes else None


def closing_subject(row: Tokens) -> tuple[int, int] | None:
    """Return the subject of a short close after a quotation, whatever its verb: "…,” an angry NAME retaliated."

    Only where the quotation ends in a mark of its own and few words follow.
    """
    words, lowercased = row.words, row.lowercased
    if "" not in words:
        return None
    at = len(words) - 1 - words[::-1].index("")
    if lowercased[at] != "”," or not 2 <= len(lowercased) - at - 1 <= 9:
        return None
    start = at + 1
    if lowercased[start] in LEX.dashes and words[start + 1][:1].isupper():
        return phrase_right(row, start + 1)  # "“…” — NAME, town"
    if lowercased[start].endswith("ed") and words[start][0].islower():
        start += 1
    if lowercased[start] in LEX.pronouns:
        return (start, start + 1) if lowercased[start] in {"he", "she"} else None
    span = phrase_right(row, start)
    if span is None or not any(word[:1].isupper() for word in words[span[0] : span[1]]):
        return None
    return span


def as_subject(row: Tokens) -> tuple[int, int] | None:
    """Return the subject of "As NAME, the author of “…,” put it, “…”": a sentence that opens so and quotes."""
    words, lowercased = row.words, row.lowercased
    if lowercased[0] != "as" or len(lowercased) < 4 or not words[1][:1].isupper():
        return None
    at = next((j for j in range(2, min(len(lowercased), REACH)) if lowercased[j] in VERBS), None)
    if at is None or (words[-1] and (words[-2] or lowercased[-1] != ".")):
        return None
    return phrase_right(row, 1)
