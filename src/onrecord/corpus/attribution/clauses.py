"""What a cue reports: the clause after it, the sentence that it closes or interrupts, or a quotation beside it."""

from onrecord.corpus.attribution.lexicon import LEX, VERBS
from onrecord.corpus.attribution.tokens import REACH, Tokens


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
    if subject[0] == 0 or lowercased[subject[0]] not in LEX.pronouns:
        return False
    before = words[subject[0] - 1]
    return (
        before.isalpha()
        and before.islower()
        and not (before in VERBS or before in LEX.before_subject)
    )


def is_opener(low: str) -> bool:
    """Say whether a sentence opens with a phrase of circumstance: "During …,", "Asked about it,"."""
    return (
        low in LEX.prepositions
        or low in LEX.adverbs
        or low.endswith(("ing", "ed", "ly"))
        or low in {"when", "while", "as", "told"}
    )


def is_finite(row: Tokens, at: int) -> bool:
    """Say whether a form that may be a noun is a verb here: a name, pronoun or plural right before it."""
    words, lowercased = row.words, row.lowercased
    j = at - 1
    while j >= 0 and (lowercased[j] in LEX.adverbs or lowercased[j].endswith("ly")):
        j -= 1
    if j < 0:
        return False
    before, capital = lowercased[j], words[j][:1].isupper()
    if before in LEX.whole_subject:
        return True
    if before in LEX.after_aux or words[j] == "":
        return (
            not VERBS[lowercased[at]].base
            or before in LEX.aux
            or lowercased[at] in LEX.past_like_base
        )
    if before in LEX.noun_before or before.endswith("'s"):
        return False
    present = words[at].endswith("s") and lowercased[at] not in {"states", "remarks"}
    if present and capital and words[at][0].islower() and clause_follows(row, at):
        return True  # "The Daily Times reports fares will fall"
    plural = before.endswith(("s", "people", "men", "women"))
    if plural == lowercased[at].endswith("s") and lowercased[at] not in LEX.past_like_base:
        return False
    follows = lowercased[at + 1] if at + 1 < len(lowercased) else ""
    if not follows or follows in LEX.after_verb or follows.startswith("”"):
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
    while j < len(lowercased) and lowercased[j] in LEX.between:
        j += 1
    if j >= len(lowercased):
        return False
    low, word = lowercased[j], words[j]
    if lowercased[at].startswith(("ask", "wonder")) and low not in LEX.asked:
        # "asked the mayor whether", not "asked the mayor to"
        return not LEX.questions.isdisjoint(lowercased[j : j + 9])
    if low in LEX.clause_words or word == "":
        return True
    if after_adjective and low in {"about", "of", "to"}:
        return True
    if low in LEX.clause_subjects:
        return True
    if not after_adjective and "that" in lowercased[j : _until_mark(row, j, 12)]:
        return True
    if (
        low in LEX.determiners
        or word[:1].isupper()
        or (low.isalpha() and low not in LEX.prepositions_conjunctions)
    ):
        # a clause has a finite verb soon
        return not LEX.finite.isdisjoint(lowercased[j + 1 : j + 14])
    return False


def _until_mark(row: Tokens, begin: int, most: int) -> int:
    words, lowercased = row.words, row.lowercased
    end = begin
    last = min(len(lowercased), begin + most)
    while end < last and lowercased[end] not in LEX.pauses and words[end] != "":
        end += 1
    return end


def postposed(row: Tokens, at: int, subject: tuple[int, int]) -> bool:
    """Say whether the cue closes or interrupts the clause it reports: "…, he said."."""
    words, lowercased = row.words, row.lowercased
    left = min(subject[0], at) - 1
    if left < 0 or not (
        lowercased[left] == "," or words[left] == "" or lowercased[left] in LEX.dashes
    ):
        return False
    j = max(subject[1], at + 1)
    end = _until_mark(row, j, len(lowercased))
    if j == end:
        return True
    opens = lowercased[j] in LEX.after_cue or lowercased[j].endswith("ly")
    return opens and LEX.goes_on.isdisjoint(lowercased[j:end])


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
