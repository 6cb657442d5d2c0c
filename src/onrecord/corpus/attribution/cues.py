"""Reporting cues of a sentence: the cue, its subject, and how much of the sentence it reports.

Cues are looked for outside quotations only; the subject stands to the left of its verb, to the right when
inverted, or after "according to". Work is linear in the tokens: every scan is bounded.
"""

from typing import NamedTuple

from onrecord.corpus.attribution.clauses import (
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
from onrecord.corpus.attribution.lexicon import CLAUSE, LEX, QUOTE, SAY, VERBS, Verb
from onrecord.corpus.attribution.noun_phrases import phrase_right
from onrecord.corpus.attribution.subjects import inverted_subject, left_subject, main_subject
from onrecord.corpus.attribution.tokens import Tokens

_CUES = LEX.adjectives_opinion | {"according", *VERBS}


class Attribution(NamedTuple):
    """A cue with its subject: token indices half-open; ``coverage`` is the reported share of the sentence."""

    cue: str
    at: int
    subject: tuple[int, int]
    strength: int
    coverage: float
    inverted: bool
    negated: bool


def attributions(row: Tokens) -> list[Attribution]:
    """Return every cue of a sentence that has a subject in it, in order of appearance."""
    lowercased = row.lowercased
    found: list[Attribution] = []
    for at in [at for at, low in enumerate(lowercased) if low in _CUES]:
        low = lowercased[at]
        verb = VERBS.get(low)
        if verb is not None:
            one = _verb(row, at, verb)
        elif low == "according" and at + 1 < len(lowercased) and lowercased[at + 1] == "to":
            one = _according(row, at)
        elif low in LEX.adjectives_opinion and at and lowercased[at - 1] in LEX.before_opinion:
            one = _opinion(row, at)
        else:
            continue
        if one is not None:
            found.append(one)
    return found


def _according(row: Tokens, at: int) -> Attribution | None:
    words, lowercased = row.words, row.lowercased
    subject = phrase_right(row, at + 2)
    if subject is None:
        return None
    return Attribution(
        "according to" if lowercased[at] == "according" else words[at],
        at,
        subject,
        SAY,
        share_of(row, (0, len(lowercased)), (at, subject[1])),
        False,
        False,
    )


def _opinion(row: Tokens, at: int) -> Attribution | None:
    """Read "NAME is concerned that …"."""
    words, lowercased = row.words, row.lowercased
    j = at - 1
    while j > 0 and lowercased[j] not in LEX.be and lowercased[j] in LEX.before_opinion:
        j -= 1
    if lowercased[j] not in LEX.be or not clause_follows(row, at, after_adjective=True):
        return None
    subject, negated, _ = left_subject(row, j, VERBS["think"])
    if subject is None:
        return None
    share = share_of(row, (at + 1, len(lowercased)), (subject[0], at + 1))
    return Attribution(words[at], at, subject, CLAUSE, share, False, negated)


def _specific(row: Tokens, subject: tuple[int, int]) -> bool:
    """Say whether a subject is a name or a pronoun for one, not a group of people at large."""
    words, lowercased = row.words, row.lowercased
    if lowercased[subject[0]] in LEX.pronouns:
        return lowercased[subject[0]] in {"he", "she", "they"}
    return words[subject[1] - 1][:1].isupper() or any(
        words[j][:1].isupper() and lowercased[j] not in LEX.determiners for j in range(*subject)
    )


def _verb(row: Tokens, at: int, verb: Verb) -> Attribution | None:
    words, lowercased = row.words, row.lowercased
    before = lowercased[at - 1] if at else None
    follows = lowercased[at + 1] if at + 1 < len(lowercased) else ""
    opens = at == 1 or (at > 1 and lowercased[at - 2] == ",")
    if opens and lowercased[at - 1] == "as" and follows == "by":
        return _according(row, at)  # "as reported by NAME"
    passive = at and lowercased[at - 1] in LEX.be and follows == "by"
    if passive and lowercased[at] in {"asked", "told"} and beside_quote_at(row, at, at):
        return _according(row, at)  # "he was asked by NAME, “…”"
    if verb.strength == QUOTE and not verb.opinion and not row.quotes and lowercased[-1] != ":":
        return None  # nothing that it could report
    if verb.nounish and not is_finite(row, at):
        return None
    if verb.strength < SAY and follows == "by" and not verb.participle:
        return None
    if before is not None and verb.wish and verb.base and before in LEX.modals:
        return None
    raised = at > 2 and lowercased[at - 1] == "to" and lowercased[at - 2] in LEX.raising
    if lowercased[at] == "say" and not raised and at > 2 and lowercased[at - 1] == "to":
        return _to_say(row, at)
    by = lowercased[at] == "saying" and before == "by"
    if before in LEX.not_finite and not raised and not by:
        return None
    inverted = False
    subject: tuple[int, int] | None = None
    if (
        not verb.participle
        and verb.lemma != "tell"
        and before is not None
        and (words[at - 1] == "" or before in LEX.before_inversion)
    ):
        subject = inverted_subject(row, at)
        inverted = subject is not None
    negated = False
    if subject is None:
        finite = at
        if raised:  # "went on to say", "appeared to suggest"
            finite = at - 3 if lowercased[at - 2] == "on" else at - 2
        subject, negated, passive = left_subject(row, finite, verb)
        if subject is None or (passive and not verb.participle):
            return None
        if negated and not verb.wish:
            return None  # what was not said
    if verb.strength < SAY and is_relative(row, subject):
        return None
    beside_quote = beside_quote_at(row, min(subject[0], at), at)
    views = verb.opinion and (
        not verb.participle or lowercased[at - 1] in LEX.be
    )  # "is calling for"
    if verb.strength == QUOTE and not beside_quote and not views:
        return None
    cue_end = at + 1
    content = content_of(row, at, subject, inverted)
    as_clause = as_clause_at(row, at, subject)
    if as_clause:
        content = 0, len(lowercased)
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
    if content[0] > low and low and lowercased[low - 1] == "," and is_opener(lowercased[0]):
        low = 0
    return Attribution(
        words[at],
        at,
        subject,
        verb.strength,
        share_of(row, content, (low, high)),
        inverted,
        negated,
    )


def _to_say(row: Tokens, at: int) -> Attribution | None:
    """Read "NAME took to Twitter to say, “…”": only right before a quotation."""
    words, lowercased = row.words, row.lowercased
    after = at + 2 if at + 1 < len(lowercased) and lowercased[at + 1] in {",", ":"} else at + 1
    subject = main_subject(row, at - 1) if after < len(lowercased) and words[after] == "" else None
    if subject is None:
        return None
    return Attribution(words[at], at, subject, QUOTE, 1.0, False, False)
