"""Reporting cues of a sentence: the cue, its subject, and how much of the sentence it reports.

Cues are looked for outside quotations only; the subject stands to the left of its verb, to the right when
inverted, or after "according to". Work is linear in the tokens: every scan is bounded.
"""

from collections.abc import Sequence
from typing import NamedTuple

from onrecord.corpus.clauses import (
    as_clause_at,
    beside_quote_at,
    clause_follows,
    content_of,
    is_finite,
    is_opener,
    is_relative,
    postposed,
    share_of,
)
from onrecord.corpus.lexicon import CLAUSE, QUOTE, SAY, Verb, words
from onrecord.corpus.phrases import (
    appositive_name,
    main_subject,
    over_appositive,
    phrase_left,
    phrase_right,
    skip_dates,
)
from onrecord.corpus.tokens import (
    ADVERBS,
    AUX,
    CONJUNCTIONS,
    DASHES,
    DATES,
    DETERMINERS,
    PREPOSITIONS,
    PRONOUNS,
    REACH,
    VERBS,
    Token,
)

OPINIONS = words("adjectives_opinion")
_CUES = OPINIONS | {"according", *VERBS}
_RAISING = words("raising")
_SHORT = 6  # tokens: longer after "…, said the" is a clause
_MODALS = words("modals")
_BE = words("be")
_BEFORE_OPINION = _BE | ADVERBS | words("degrees")
_SELF = frozenset(["himself", "herself", "themselves", "itself"])
_OWN = frozenset(["his", "her", "its", "their"])
_NEGATIONS = frozenset(["not", "n't", "never"])
_NOT_FINITE = frozenset(["to", "of", "a", "an", "the", "for", "by", "without", "no"])
_BEFORE_INVERSION = DASHES | {",", "?", "!"}
_MARKS = frozenset([".", ",", ";", ":", "(", "—", "–", "-", "?", "!"])
_CLOSES = _MARKS | words("after_inversion") | PREPOSITIONS | DATES | ADVERBS
_NO_INVERSION = DATES | PRONOUNS | PREPOSITIONS | CONJUNCTIONS | AUX | ADVERBS


class Attribution(NamedTuple):
    """A cue with its subject: token indices half-open; ``coverage`` is the reported share of the sentence."""

    cue: str
    at: int
    subject: tuple[int, int]
    strength: int
    coverage: float
    inverted: bool
    negated: bool


def closing_subject(row: Sequence[Token]) -> tuple[int, int] | None:
    """Return the subject of a short close after a quotation, whatever its verb: "…,” an angry NAME retaliated."

    Only where the quotation ends in a mark of its own and few words follow.
    """
    at = next((j for j in range(len(row) - 1, -1, -1) if row[j].word == ""), None)
    if at is None or row[at].low != "”," or not 2 <= len(row) - at - 1 <= 9:
        return None
    start = at + 1
    if row[start].low in DASHES and row[start + 1].word[:1].isupper():
        return phrase_right(row, start + 1)  # "“…” — NAME, town"
    if row[start].low.endswith("ed") and row[start].word[0].islower():
        start += 1
    if row[start].low in PRONOUNS:
        return (start, start + 1) if row[start].low in {"he", "she"} else None
    span = phrase_right(row, start)
    if span is None or not any(t.word[:1].isupper() for t in row[span[0] : span[1]]):
        return None
    return span


def as_subject(row: Sequence[Token]) -> tuple[int, int] | None:
    """Return the subject of "As NAME, the author of “…,” put it, “…”": a sentence that opens so and quotes."""
    if row[0].low != "as" or len(row) < 4 or not row[1].word[:1].isupper():
        return None
    at = next((j for j in range(2, min(len(row), REACH)) if row[j].low in VERBS), None)
    if at is None or (row[-1].word and (row[-2].word or row[-1].low != ".")):
        return None
    return phrase_right(row, 1)


def attributions(row: Sequence[Token]) -> list[Attribution]:
    """Return every cue of a sentence that has a subject in it, in order of appearance."""
    found: list[Attribution] = []
    for at in [at for at, token in enumerate(row) if token[1] in _CUES]:
        low = row[at].low
        verb = VERBS.get(low)
        if verb is not None:
            one = _verb(row, at, verb)
        elif low == "according" and at + 1 < len(row) and row[at + 1].low == "to":
            one = _according(row, at)
        elif low in OPINIONS and at and row[at - 1].low in _BEFORE_OPINION:
            one = _opinion(row, at)
        else:
            continue
        if one is not None:
            found.append(one)
    return found


def _according(row: Sequence[Token], at: int) -> Attribution | None:
    subject = phrase_right(row, at + 2)
    if subject is None:
        return None
    return Attribution(
        "according to" if row[at].low == "according" else row[at].word,
        at,
        subject,
        SAY,
        share_of(row, (0, len(row)), (at, subject[1])),
        False,
        False,
    )


def _opinion(row: Sequence[Token], at: int) -> Attribution | None:
    """Read "NAME is concerned that …"."""
    j = at - 1
    while j > 0 and row[j].low not in _BE and row[j].low in _BEFORE_OPINION:
        j -= 1
    if row[j].low not in _BE or not clause_follows(row, at, after_adjective=True):
        return None
    subject, negated, _ = _left(row, j, VERBS["think"])
    if subject is None:
        return None
    share = share_of(row, (at + 1, len(row)), (subject[0], at + 1))
    return Attribution(row[at].word, at, subject, CLAUSE, share, False, negated)


def _specific(row: Sequence[Token], subject: tuple[int, int]) -> bool:
    """Say whether a subject is a name or a pronoun for one, not a group of people at large."""
    if row[subject[0]].low in PRONOUNS:
        return row[subject[0]].low in {"he", "she", "they"}
    last = row[subject[1] - 1]
    return last.word[:1].isupper() or any(
        t.word[:1].isupper() and t.low not in DETERMINERS for t in row[subject[0] : subject[1]]
    )


def _verb(row: Sequence[Token], at: int, verb: Verb) -> Attribution | None:
    before = row[at - 1] if at else None
    follows = row[at + 1].low if at + 1 < len(row) else ""
    opens = at == 1 or (at > 1 and row[at - 2].low == ",")
    if opens and row[at - 1].low == "as" and follows == "by":
        return _according(row, at)  # "as reported by NAME"
    passive = at and row[at - 1].low in _BE and follows == "by"
    if passive and row[at].low in {"asked", "told"} and beside_quote_at(row, at, at):
        return _according(row, at)  # "he was asked by NAME, “…”"
    if verb.nounish and not is_finite(row, at):
        return None
    if verb.strength < SAY and follows == "by" and not verb.participle:
        return None
    if before is not None and verb.wish and verb.base and before.low in _MODALS:
        return None
    raised = at > 2 and row[at - 1].low == "to" and row[at - 2].low in _RAISING
    if row[at].low == "say" and not raised and at > 2 and row[at - 1].low == "to":
        return _to_say(row, at)
    by = row[at].low == "saying" and before is not None and before.low == "by"
    if before is not None and before.low in _NOT_FINITE and not raised and not by:
        return None
    inverted = False
    subject: tuple[int, int] | None = None
    if (
        not verb.participle
        and verb.lemma != "tell"
        and before is not None
        and (before.word == "" or before.low in _BEFORE_INVERSION)
    ):
        subject = _inverted(row, at)
        inverted = subject is not None
    negated = False
    if subject is None:
        finite = at
        if raised:  # "went on to say", "appeared to suggest"
            finite = at - 3 if row[at - 2].low == "on" else at - 2
        subject, negated, passive = _left(row, finite, verb)
        if subject is None or (passive and not verb.participle):
            return None
        if negated and not verb.wish:
            return None  # what was not said
    if verb.strength < SAY and is_relative(row, subject):
        return None
    beside_quote = beside_quote_at(row, min(subject[0], at), at)
    views = verb.opinion and (not verb.participle or row[at - 1].low in _BE)  # "is calling for"
    if verb.strength == QUOTE and not beside_quote and not views:
        return None
    cue_end = at + 1
    content = content_of(row, at, subject, inverted)
    as_clause = as_clause_at(row, at, subject)
    if as_clause:
        content = 0, len(row)
    if (
        verb.strength == CLAUSE
        and not beside_quote
        and not inverted
        and not clause_follows(row, at)
        and not postposed(row, at, subject)
        and not as_clause
        and not ((verb.wish or verb.opinion) and not verb.participle and _specific(row, subject))
    ):
        return None
    low = min(subject[0], at)
    high = max(subject[1], cue_end)
    if content[0] > low and low and row[low - 1].low == "," and is_opener(row[0]):
        low = 0
    return Attribution(
        row[at].word,
        at,
        subject,
        verb.strength,
        share_of(row, content, (low, high)),
        inverted,
        negated,
    )


def _to_say(row: Sequence[Token], at: int) -> Attribution | None:
    """Read "NAME took to Twitter to say, “…”": only right before a quotation."""
    after = at + 2 if at + 1 < len(row) and row[at + 1].low in {",", ":"} else at + 1
    subject = main_subject(row, at - 1) if after < len(row) and row[after].word == "" else None
    if subject is None:
        return None
    return Attribution(row[at].word, at, subject, QUOTE, 1.0, False, False)


def _inverted(row: Sequence[Token], at: int) -> tuple[int, int] | None:
    """Return the subject of "…, said NAME": a noun phrase right after the verb, not the start of a clause."""
    j = at + 1
    if j >= len(row) or row[j].word == "":
        return None
    low = row[j].low
    if low in {"he", "she", "they"}:
        follows = row[j + 1].low if j + 1 < len(row) else "."
        return (j, j + 1) if follows in {".", ",", "in", "on", "at", "during", ""} else None
    if low in _NO_INVERSION:
        return None
    subject = appositive_name(row, phrase_right(row, j))
    if subject is None:
        return None
    after = row[subject[1]] if subject[1] < len(row) else None
    closes = (
        after is None
        or after.word == ""
        or after.low in _CLOSES
        or after.low.endswith(("ing", "ly", "ed"))
    )
    if closes and row[at - 1].word:
        # "NAME, of TOWN, asked the crowd …" is told from "…, said NAME." by what ends the phrase
        first = row[subject[0]]
        closes = (after is None or after.low in {".", ",", "who", ";", "—"}) and (
            first.word[:1].isupper()
            or (
                subject[1] - subject[0] > 2
                and all(t.word[:1].isupper() for t in row[subject[1] - 2 : subject[1]])
            )
            or (first.low in DETERMINERS - _OWN and subject[1] - subject[0] <= _SHORT)
        )
    return subject if closes else None


def _left(row: Sequence[Token], at: int, verb: Verb) -> tuple[tuple[int, int] | None, bool, bool]:
    """Return ``(subject, negated, passive)`` of a verb, looking to its left."""
    j = at - 1
    negated = passive = False
    verbal = False
    while j >= 0:
        low = row[j].low
        if low in AUX or low.endswith("n't"):
            negated |= low.endswith("n't") or low == "cannot"
            passive |= low in _BE and not verb.participle and not verb.base
            verbal = True
        elif low in _NEGATIONS:
            negated = True
        elif not (
            low in ADVERBS or (low.endswith("ly") and len(low) > 4 and row[j].word[0].islower())
        ):
            break
        j -= 1
    if j < 0:
        return None, negated, passive
    j = skip_dates(row, j)
    while j > 0 and (row[j].low in ADVERBS or row[j].low in _SELF):
        j -= 1
    if j >= 0 and row[j].low == ")":
        k = j
        while k > max(0, j - 12) and row[k].low != "(":
            k -= 1
        j = k - 1
    if j < 0:
        return None, negated, passive
    low = row[j].low
    if verb.participle and not verbal:
        return (
            (
                main_subject(row, at)
                if low in {",", "—", "–", "while", "by", "in", "after", "before", "and"}
                or row[j].word == ""
                else None
            ),
            negated,
            False,
        )
    if low in {"and", "but", "then"}:
        return main_subject(row, j), negated, passive
    if low in {"who", "which", "that"}:
        k = j - 1
        if k >= 0 and row[k].low == ",":
            k -= 1
        if low == "that" or k < 0 or verb.strength < SAY:
            return None, negated, passive
        if k > 1 and row[k].low.isdigit() and row[k - 1].low == ",":
            k -= 2  # "NAME, 19, who says"
        return phrase_left(row, k), negated, passive
    if low == "," or low in DASHES:
        return over_appositive(row, j), negated, passive
    if row[j].word == "":
        return None, negated, passive
    return phrase_left(row, j), negated, passive
