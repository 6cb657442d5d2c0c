"""
Reporting cues of a sentence: the cue, its subject, and how much of the sentence it reports.

Cues are looked for outside quotations only; the subject stands to the left of its verb, to the right when
inverted, or after "according to". Work is linear in the tokens: every scan is bounded.
"""

from collections.abc import Sequence
from typing import NamedTuple

from onrecord.corpus.lexicon import CLAUSE, QUOTE, SAY, Verb, words
from onrecord.corpus.phrases import (
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
    VERBS,
    Token,
    appositive_name,
    main_subject,
    over_appositive,
    phrase_left,
    phrase_right,
    skip_dates,
)

OPINIONS = words("adjectives_opinion")
_TELLS = words("telling")
_RAISING = words("raising")
_SHORT = 6  # tokens: longer after "…, said the" is a clause
_QUESTIONS = words("questions")
_PAST_TOO = frozenset(["put", "read", "bet"])  # the past is spelt like the infinitive
_MODALS = words("modals")
_ASKED = words("asked") | {":"}
_BE = words("be")
_BEFORE_OPINION = _BE | ADVERBS | words("degrees")
_AFTER_VERB = frozenset(["", "that", ":", ",", "it", "he", "she", "they", "the", "a", "''"])
_NEGATIONS = frozenset(["not", "n't", "never"])
_NOT_FINITE = frozenset(["to", "of", "a", "an", "the", "for", "by", "without", "no"])
_BEFORE_INVERSION = DASHES | {",", "?", "!"}
_MARKS = frozenset([".", ",", ";", ":", "(", "—", "–", "-", "?", "!"])
_CLOSES = _MARKS | words("after_inversion") | PREPOSITIONS | DATES | ADVERBS
_NO_INVERSION = DATES | PRONOUNS | PREPOSITIONS | CONJUNCTIONS | AUX | ADVERBS
_WHOLE_SUBJECT = PRONOUNS | {"who", ")"}
_AFTER_AUX = AUX | {","}
_NOUN_BEFORE = DETERMINERS | PREPOSITIONS | CONJUNCTIONS
_CLAUSE_WORDS = words("clause_words") | {":"}
_CLAUSE_SUBJECTS = PRONOUNS | words("clause_subjects")
_BEFORE_SUBJECT = CONJUNCTIONS | ADVERBS | PREPOSITIONS | AUX | frozenset(VERBS)
_NO_CLAUSE = PREPOSITIONS | CONJUNCTIONS
_AFTER_CUE = PREPOSITIONS | DATES | ADVERBS | {"when", "as", "while", "if"}
_PAUSES = frozenset([",", ".", ";", "—", "–", ":", "?", "!"])


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
    """
    Return the subject of a short close after a quotation, whatever its verb: "…,” an angry NAME retaliated."

    Only where the quotation ends in a mark of its own and few words follow.
    """
    at = next((j for j in range(len(row) - 1, -1, -1) if row[j].word == ""), None)
    if at is None or row[at].low != "”," or not 2 <= len(row) - at - 1 <= 9:
        return None
    start = at + 1
    if row[start].low.endswith("ed") and row[start].word[0].islower():
        start += 1
    if row[start].low in PRONOUNS:
        return (start, start + 1) if row[start].low in {"he", "she"} else None
    span = phrase_right(row, start)
    if span is None or not any(t.word[:1].isupper() for t in row[span[0] : span[1]]):
        return None
    return span


def attributions(row: Sequence[Token]) -> list[Attribution]:
    """Return every cue of a sentence that has a subject in it, in order of appearance."""
    found: list[Attribution] = []
    for at, token in enumerate(row):
        low = token.low
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
        "according to", at, subject, SAY, _share(row, (0, len(row)), (at, subject[1])), False, False
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
    share = _share(row, (at + 1, len(row)), (subject[0], at + 1))
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
    if verb.nounish and not _finite(row, at):
        return None
    if (
        verb.strength < SAY
        and at + 1 < len(row)
        and row[at + 1].low == "by"
        and not verb.participle
    ):
        return None
    if before is not None and verb.wish and verb.base and before.low in _MODALS:
        return None
    raised = at > 2 and row[at - 1].low == "to" and row[at - 2].low in _RAISING
    if before is not None and before.low in _NOT_FINITE and not raised:
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
    if verb.strength < SAY and _relative(row, subject):
        return None
    beside_quote = _beside_quote(row, min(subject[0], at), at)
    if verb.strength == QUOTE and not beside_quote and not (verb.opinion and not verb.participle):
        return None
    cue_end = at + 1
    content = _content(row, at, subject, inverted)
    as_clause = _as_clause(row, at, subject)
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
    if content[0] > low and low and row[low - 1].low == "," and _opener(row[0]):
        low = 0
    return Attribution(
        row[at].word,
        at,
        subject,
        verb.strength,
        _share(row, content, (low, high)),
        inverted,
        negated,
    )


def _as_clause(row: Sequence[Token], at: int, subject: tuple[int, int]) -> bool:
    """Say whether "as NAME reported," opens the sentence or ", as NAME noted." closes it."""
    before = min(subject[0], at) - 1
    if before < 0 or row[before].low != "as":
        return False
    rest = _until_mark(row, max(at + 1, subject[1]), 6)
    end = max(at + 1, subject[1]) + len(rest)
    pause = end >= len(row) or row[end].low in {",", "."}
    return pause and (before == 0 or row[before - 1].low == ",")


def _relative(row: Sequence[Token], subject: tuple[int, int]) -> bool:
    """Say whether a pronoun follows a noun directly: "the things he wants" report nothing."""
    if subject[0] == 0 or row[subject[0]].low not in PRONOUNS:
        return False
    before = row[subject[0] - 1]
    return before.word.isalpha() and before.word.islower() and before.low not in _BEFORE_SUBJECT


def _opener(token: Token) -> bool:
    """Say whether a sentence opens with a phrase of circumstance: "During …,", "Asked about it,"."""
    low = token.low
    return (
        low in PREPOSITIONS
        or low in ADVERBS
        or low.endswith(("ing", "ed", "ly"))
        or low in {"when", "while", "as", "told"}
    )


def _finite(row: Sequence[Token], at: int) -> bool:
    """Say whether a form that may be a noun is a verb here: a name, pronoun or plural right before it."""
    j = at - 1
    while j >= 0 and (row[j].low in ADVERBS or row[j].low.endswith("ly")):
        j -= 1
    if j < 0:
        return False
    before = row[j]
    if before.low in _WHOLE_SUBJECT:
        return True
    if before.low in _AFTER_AUX or before.word == "":
        return not VERBS[row[at].low].base or before.low in AUX or row[at].low in _PAST_TOO
    if (
        before.low in DETERMINERS | PREPOSITIONS
        or before.low.endswith("'s")
        or before.low in CONJUNCTIONS
    ):
        return False
    plural = before.low.endswith(("s", "people", "men", "women"))
    if plural == row[at].low.endswith("s") and row[at].low not in _PAST_TOO:
        return False
    follows = row[at + 1].low if at + 1 < len(row) else ""
    if follows in _AFTER_VERB or follows.startswith("”"):
        return True
    return before.word[:1].isupper() and not plural and row[at].low not in {"remarks", "states"}


def _beside_quote(row: Sequence[Token], begin: int, at: int) -> bool:
    """Say whether a quotation stands near the cue, or the sentence leads into one with a colon."""
    if row[-1].low == ":":
        return True
    for j in range(at + 1, min(len(row), at + REACH)):
        if row[j].word == "":
            return True
        if row[j].low == ";":
            break
    return any(row[j].word == "" for j in range(max(0, begin - 3), at))


def clause_follows(row: Sequence[Token], at: int, *, after_adjective: bool = False) -> bool:
    """Say whether what stands after a cue is a clause, as far as words without a parse tell."""
    j = at + 1
    while j < len(row) and (
        row[j].low in DATES or row[j].low in {"on", "in"} or row[j].low in ADVERBS
    ):
        j += 1
    if j >= len(row):
        return False
    low, word = row[j].low, row[j].word
    if row[at].low.startswith(("ask", "wonder")) and low not in _ASKED:
        # "asked the mayor whether", not "asked the mayor to"
        return any(token.low in _QUESTIONS for token in row[j : j + 9])
    if low in _CLAUSE_WORDS or word == "":
        return True
    if after_adjective and low in {"about", "of", "to"}:
        return True
    if low in _CLAUSE_SUBJECTS:
        return True
    if not after_adjective and any(token.low == "that" for token in _until_mark(row, j, 12)):
        return True
    if low in DETERMINERS or word[:1].isupper() or (low.isalpha() and low not in _NO_CLAUSE):
        # a clause has a finite verb soon
        return any(
            row[k].low in AUX or row[k].low in PLAIN for k in range(j + 1, min(len(row), j + 14))
        )
    return False


def _until_mark(row: Sequence[Token], begin: int, most: int) -> Sequence[Token]:
    end = begin
    while end < min(len(row), begin + most) and row[end].low not in _PAUSES and row[end].word != "":
        end += 1
    return row[begin:end]


def postposed(row: Sequence[Token], at: int, subject: tuple[int, int]) -> bool:
    """Say whether the cue closes or interrupts the clause it reports: "…, he said."."""
    left = min(subject[0], at) - 1
    if left < 0 or not (row[left].low == "," or row[left].word == "" or row[left].low in DASHES):
        return False
    j = max(subject[1], at + 1)
    while (
        j < len(row)
        and row[j].low not in {",", ".", ";", "—", "–", ":", "?", "!"}
        and row[j].word != ""
    ):
        if row[j].low in {"that", "he", "she", "it", "they", "whether"}:
            return False
        if j == max(subject[1], at + 1) and not (
            row[j].low in PREPOSITIONS | DATES | ADVERBS
            or row[j].low in {"when", "as", "while", "if"}
            or row[j].low.endswith("ly")
        ):
            return False
        j += 1
    return True


def _content(
    row: Sequence[Token], at: int, subject: tuple[int, int], inverted: bool
) -> tuple[int, int]:
    """Return the tokens reported: all of the sentence when the cue is inserted or closes it, else what follows."""
    high = max(subject[1], at + 1)
    if inverted or postposed(row, at, subject):
        return 0, len(row)
    if any(row[j].word == "" for j in range(min(subject[0], at))) and not any(
        row[j].word == "" for j in range(high, len(row))
    ):
        return 0, len(row)
    return high, len(row)


def _share(row: Sequence[Token], content: tuple[int, int], cue: tuple[int, int]) -> float:
    inside = whole = 0
    for j, token in enumerate(row):
        if cue[0] <= j < cue[1]:
            continue
        size = token.end - token.start
        whole += size
        if content[0] <= j < content[1]:
            inside += size
    return inside / whole if whole else 0.0


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
        or after.low.endswith(("ing", "ly"))
    )
    if closes and row[at - 1].word:
        # "NAME, of TOWN, asked the crowd …" is told from "…, said NAME." by what ends the phrase
        first = row[subject[0]]
        closes = (after is None or after.low in {".", ",", "who", ";", "—"}) and (
            first.word[:1].isupper()
            or (first.low in DETERMINERS and subject[1] - subject[0] <= _SHORT)
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
        return phrase_left(row, k), negated, passive
    if low == "," or low in DASHES:
        return over_appositive(row, j), negated, passive
    if row[j].word == "":
        return None, negated, passive
    return phrase_left(row, j), negated, passive
