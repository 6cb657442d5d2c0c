"""What a cue reports: the clause after it, the sentence that it closes or interrupts, or a quotation beside it."""

from onrecord.corpus.attribution.lexicon import words as listed
from onrecord.corpus.attribution.tokens import (
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
    Tokens,
)

_QUESTIONS = listed("questions")
_PAST_TOO = frozenset(["put", "read", "bet"])  # the past is spelt like the infinitive
_ASKED = listed("asked") | {":"}
_AFTER_VERB = frozenset(["", "that", "out", ":", ",", "it", "he", "she", "they", "the", "a", "''"])
_WHOLE_SUBJECT = PRONOUNS | {"who", ")"}
_AFTER_AUX = AUX | {","}
_NOUN_BEFORE = DETERMINERS | PREPOSITIONS | CONJUNCTIONS | {"united"}  # States
_CLAUSE_WORDS = listed("clause_words") | {":"}
_CLAUSE_SUBJECTS = PRONOUNS | listed("clause_subjects")
_BEFORE_SUBJECT = CONJUNCTIONS | ADVERBS | PREPOSITIONS | AUX | frozenset(VERBS)
_NO_CLAUSE = PREPOSITIONS | CONJUNCTIONS
_AFTER_CUE = PREPOSITIONS | DATES | ADVERBS | {"when", "as", "while", "if"}
_GOES_ON = frozenset(["that", "he", "she", "it", "they", "whether"])
_BETWEEN = DATES | ADVERBS | {"on", "in"}
_FINITE = AUX | PLAIN
_PAUSES = frozenset([",", ".", ";", "—", "–", ":", "?", "!"])


def as_clause_at(row: Tokens, at: int, subject: tuple[int, int]) -> bool:
    """Say whether "as NAME reported," opens the sentence or ", as NAME noted." closes it."""
    lowercased = row.lowercased
    before = min(subject[0], at) - 1
    if before < 0 or lowercased[before] != "as":
        return False
    end = _until_mark(row, max(at + 1, subject[1]), 6)
    pause = end >= len(lowercased) or lowercased[end] in {",", "."}
    return pause and (before == 0 or lowercased[before - 1] == ",")


def is_relative(row: Tokens, subject: tuple[int, int]) -> bool:
    """Say whether a pronoun follows a noun directly: "the things he wants" report nothing."""
    words, lowercased = row.words, row.lowercased
    if subject[0] == 0 or lowercased[subject[0]] not in PRONOUNS:
        return False
    before = words[subject[0] - 1]
    return before.isalpha() and before.islower() and before not in _BEFORE_SUBJECT


def is_opener(low: str) -> bool:
    """Say whether a sentence opens with a phrase of circumstance: "During …,", "Asked about it,"."""
    return (
        low in PREPOSITIONS
        or low in ADVERBS
        or low.endswith(("ing", "ed", "ly"))
        or low in {"when", "while", "as", "told"}
    )


def is_finite(row: Tokens, at: int) -> bool:
    """Say whether a form that may be a noun is a verb here: a name, pronoun or plural right before it."""
    words, lowercased = row.words, row.lowercased
    j = at - 1
    while j >= 0 and (lowercased[j] in ADVERBS or lowercased[j].endswith("ly")):
        j -= 1
    if j < 0:
        return False
    before, capital = lowercased[j], words[j][:1].isupper()
    if before in _WHOLE_SUBJECT:
        return True
    if before in _AFTER_AUX or words[j] == "":
        return not VERBS[lowercased[at]].base or before in AUX or lowercased[at] in _PAST_TOO
    if before in _NOUN_BEFORE or before.endswith("'s"):
        return False
    present = words[at].endswith("s") and lowercased[at] not in {"states", "remarks"}
    if present and capital and words[at][0].islower() and clause_follows(row, at):
        return True  # "The Daily Times reports fares will fall"
    plural = before.endswith(("s", "people", "men", "women"))
    if plural == lowercased[at].endswith("s") and lowercased[at] not in _PAST_TOO:
        return False
    follows = lowercased[at + 1] if at + 1 < len(lowercased) else ""
    if follows in _AFTER_VERB or follows.startswith("”"):
        return True
    return capital and not plural and lowercased[at] not in {"remarks", "states"}


def beside_quote_at(row: Tokens, begin: int, at: int) -> bool:
    """Say whether a quotation stands near the cue, or the sentence leads into one with a colon."""
    words, lowercased = row.words, row.lowercased
    if lowercased[-1] == ":":
        return True
    if not row.quotes:
        return False
    for j in range(at + 1, min(len(lowercased), at + REACH)):
        if words[j] == "":
            return True
        if lowercased[j] == ";":
            break
    return "" in words[max(0, begin - 3) : at]


def clause_follows(row: Tokens, at: int, *, after_adjective: bool = False) -> bool:
    """Say whether what stands after a cue is a clause, as far as words without a parse tell."""
    words, lowercased = row.words, row.lowercased
    j = at + 1
    while j < len(lowercased) and lowercased[j] in _BETWEEN:
        j += 1
    if j >= len(lowercased):
        return False
    low, word = lowercased[j], words[j]
    if lowercased[at].startswith(("ask", "wonder")) and low not in _ASKED:
        # "asked the mayor whether", not "asked the mayor to"
        return not _QUESTIONS.isdisjoint(lowercased[j : j + 9])
    if low in _CLAUSE_WORDS or word == "":
        return True
    if after_adjective and low in {"about", "of", "to"}:
        return True
    if low in _CLAUSE_SUBJECTS:
        return True
    if not after_adjective and "that" in lowercased[j : _until_mark(row, j, 12)]:
        return True
    if low in DETERMINERS or word[:1].isupper() or (low.isalpha() and low not in _NO_CLAUSE):
        # a clause has a finite verb soon
        return not _FINITE.isdisjoint(lowercased[j + 1 : j + 14])
    return False


def _until_mark(row: Tokens, begin: int, most: int) -> int:
    words, lowercased = row.words, row.lowercased
    end = begin
    last = min(len(lowercased), begin + most)
    while end < last and lowercased[end] not in _PAUSES and words[end] != "":
        end += 1
    return end


def postposed(row: Tokens, at: int, subject: tuple[int, int]) -> bool:
    """Say whether the cue closes or interrupts the clause it reports: "…, he said."."""
    words, lowercased = row.words, row.lowercased
    left = min(subject[0], at) - 1
    if left < 0 or not (lowercased[left] == "," or words[left] == "" or lowercased[left] in DASHES):
        return False
    j = max(subject[1], at + 1)
    end = _until_mark(row, j, len(lowercased))
    if j == end:
        return True
    opens = lowercased[j] in _AFTER_CUE or lowercased[j].endswith("ly")
    return opens and _GOES_ON.isdisjoint(lowercased[j:end])


def content_of(row: Tokens, at: int, subject: tuple[int, int], inverted: bool) -> tuple[int, int]:
    """Return the tokens reported: all of the sentence when the cue is inserted or closes it, else what follows."""
    words, lowercased = row.words, row.lowercased
    high = max(subject[1], at + 1)
    if inverted or postposed(row, at, subject):
        return 0, len(lowercased)
    if row.quotes and "" in words[: min(subject[0], at)] and "" not in words[high:]:
        return 0, len(lowercased)
    return high, len(lowercased)


def share_of(row: Tokens, content: tuple[int, int], cue: tuple[int, int]) -> float:
    """Return the share, in code points, of the sentence without its cue that ``content`` covers."""
    sizes = row.sizes
    if content == (0, len(sizes)):
        return float(cue[1] - cue[0] < len(sizes))
    whole = sum(sizes) - sum(sizes[cue[0] : cue[1]])
    both = sizes[max(content[0], cue[0]) : min(content[1], cue[1])]
    inside = sum(sizes[content[0] : content[1]]) - sum(both)
    return inside / whole if whole else 0.0
