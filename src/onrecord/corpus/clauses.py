"""What a cue reports: the clause after it, the sentence that it closes or interrupts, or a quotation beside it."""

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
    VERBS,
    Token,
)

_TELLS = words("telling")
_QUESTIONS = words("questions")
_PAST_TOO = frozenset(["put", "read", "bet"])  # the past is spelt like the infinitive
_ASKED = words("asked") | {":"}
_AFTER_VERB = frozenset(["", "that", "out", ":", ",", "it", "he", "she", "they", "the", "a", "''"])
_WHOLE_SUBJECT = PRONOUNS | {"who", ")"}
_AFTER_AUX = AUX | {","}
_NOUN_BEFORE = DETERMINERS | PREPOSITIONS | CONJUNCTIONS
_CLAUSE_WORDS = words("clause_words") | {":"}
_CLAUSE_SUBJECTS = PRONOUNS | words("clause_subjects")
_BEFORE_SUBJECT = CONJUNCTIONS | ADVERBS | PREPOSITIONS | AUX | frozenset(VERBS)
_NO_CLAUSE = PREPOSITIONS | CONJUNCTIONS
_AFTER_CUE = PREPOSITIONS | DATES | ADVERBS | {"when", "as", "while", "if"}
_PAUSES = frozenset([",", ".", ";", "—", "–", ":", "?", "!"])


def as_clause_at(row: Sequence[Token], at: int, subject: tuple[int, int]) -> bool:
    """Say whether "as NAME reported," opens the sentence or ", as NAME noted." closes it."""
    before = min(subject[0], at) - 1
    if before < 0 or row[before].low != "as":
        return False
    rest = _until_mark(row, max(at + 1, subject[1]), 6)
    end = max(at + 1, subject[1]) + len(rest)
    pause = end >= len(row) or row[end].low in {",", "."}
    return pause and (before == 0 or row[before - 1].low == ",")


def is_relative(row: Sequence[Token], subject: tuple[int, int]) -> bool:
    """Say whether a pronoun follows a noun directly: "the things he wants" report nothing."""
    if subject[0] == 0 or row[subject[0]].low not in PRONOUNS:
        return False
    before = row[subject[0] - 1]
    return before.word.isalpha() and before.word.islower() and before.low not in _BEFORE_SUBJECT


def is_opener(token: Token) -> bool:
    """Say whether a sentence opens with a phrase of circumstance: "During …,", "Asked about it,"."""
    low = token.low
    return (
        low in PREPOSITIONS
        or low in ADVERBS
        or low.endswith(("ing", "ed", "ly"))
        or low in {"when", "while", "as", "told"}
    )


def is_finite(row: Sequence[Token], at: int) -> bool:
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
    present = row[at].word.endswith("s") and row[at].low not in {"states", "remarks"}
    if (
        present
        and before.word[:1].isupper()
        and row[at].word[0].islower()
        and clause_follows(row, at)
    ):
        return True  # "The Daily Times reports fares will fall"
    plural = before.low.endswith(("s", "people", "men", "women"))
    if plural == row[at].low.endswith("s") and row[at].low not in _PAST_TOO:
        return False
    follows = row[at + 1].low if at + 1 < len(row) else ""
    if follows in _AFTER_VERB or follows.startswith("”"):
        return True
    return before.word[:1].isupper() and not plural and row[at].low not in {"remarks", "states"}


def beside_quote_at(row: Sequence[Token], begin: int, at: int) -> bool:
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


def content_of(
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


def share_of(row: Sequence[Token], content: tuple[int, int], cue: tuple[int, int]) -> float:
    """Return the share, in code points, of the sentence without its cue that ``content`` covers."""
    inside = whole = 0
    for j, token in enumerate(row):
        if cue[0] <= j < cue[1]:
            continue
        size = token.end - token.start
        whole += size
        if content[0] <= j < content[1]:
            inside += size
    return inside / whole if whole else 0.0
