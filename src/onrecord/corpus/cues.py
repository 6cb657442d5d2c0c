"""
Reporting cues of a sentence: the cue, its subject, and how much of the sentence it reports.

A sentence is read as a row of tokens in which every quotation is one token. Cues are looked for outside
quotations only; the subject stands to the left of its verb, to the right when inverted, or after
"according to". Work is linear in the tokens: every scan is bounded.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from onrecord.corpus.lexicon import CLAUSE, QUOTE, SAY, Verb, lexicon, words

VERBS = lexicon().verbs
AUX = words("aux")
ADVERBS = words("adverbs")
DETERMINERS = words("determiners")
PREPOSITIONS = words("prepositions")
CONJUNCTIONS = words("conjunctions")
PRONOUNS = words("pronouns_he", "pronouns_she", "pronouns_they", "pronouns_other")
PLAIN = words("verbs_plain")
DATES = words("weekdays", "time_nouns")
TITLES = words("titles")
DOCUMENTS = words("documents")
_DASHES = frozenset("—–―-")
_OPENERS = CONJUNCTIONS | {",", ":", "as", "—", "–", "-", "'", "(", " "}
_JOINING = frozenset(["of", "for", "from", "with", "by", "the", "a", "an"])
_REDUCED = frozenset(
    ["called", "described", "quoted", "cited", "known", "charged", "advised", "asked"]
)
_VENUES = frozenset(
    ["statement", "interview", "email", "e-mail", "speech", "letter", "tweet", "post", "blog", "news", "telephone",
     "phone", "call", "memo", "video", "ad", "rally", "hearing", "conference", "briefing", "debate", "testimony",
     "message", "remarks", "response", "reply", "op-ed", "column", "time", "afterward", "court", "twitter", "facebook",
     "television", "tv", "radio", "show", "cnn", "nbc", "abc", "cbs", "fox", "msnbc", "meeting", "event", "report"]
)  # fmt: skip
OPINIONS = words("adjectives_opinion")
_BE_ADVERBS = ADVERBS | {"not", "very", "deeply", "increasingly", "most", "more", "also", "less"}
_MODALS = frozenset(
    ["may", "might", "would", "could", "should", "can", "will", "must", "do", "does", "did"]
)
_ASKED = frozenset(
    ["that", "how", "why", "whether", "what", "if", ":", "who", "when", "where", "about"]
)
_AFTER_VERB = frozenset(["", "that", ":", ",", "it", "he", "she", "they", "the", "a", "''"])
_NAMES_TOO = frozenset(
    ["will", "may", "mark", "bill", "rob", "sue", "drew", "chase", "grant", "wade"]
)
_STANDALONE = DETERMINERS - {
    "the",
    "a",
    "an",
    "his",
    "her",
    "its",
    "their",
    "my",
    "our",
    "your",
    "no",
    "every",
}
_NO_END = PREPOSITIONS | CONJUNCTIONS | (DETERMINERS - _STANDALONE)
_NEARNESS = frozenset(
    [
        "close",
        "adviser",
        "advisers",
        "aide",
        "aides",
        "ally",
        "allies",
        "loyal",
        "sympathetic",
        "opposed",
    ]
)
_NEGATIONS = frozenset(["not", "n't", "never"])
_CLOSE = frozenset(
    [
        ".",
        ",",
        ";",
        ":",
        "(",
        "—",
        "–",
        "-",
        "?",
        "!",
        "who",
        "as",
        "when",
        "while",
        "after",
        "whose",
        "in",
    ]
)
_PASSIVE = frozenset(["is", "are", "was", "were", "be", "been", "being"])
_REACH = 40  # tokens: no noun phrase of news is longer

_TOKEN = re.compile(
    r"(?:Sen|Rep|Gov|Mr|Mrs|Ms|Dr|Lt|Col|Gen|Sgt|Capt|Maj|Rev|Hon|Prof|St|Jr|Sr|No|U\.S|D\.C)s?\.|(?:[A-Z]\.)+"
    r"|\w+(?:[-–’'&.@]\w+|\(\w{1,3}\))*|[^\w\s]"
)


class Token(NamedTuple):
    """
    A word, a mark, or a whole quotation; offsets are into the article.

    A quotation has an empty ``word``; its ``low`` is ``”,`` where it ends in a mark of its own, else ``”``.
    """

    word: str
    low: str
    start: int
    end: int


class Attribution(NamedTuple):
    """A cue with its subject: token indices half-open; ``coverage`` is the reported share of the sentence."""

    cue: str
    at: int
    subject: tuple[int, int]
    strength: int
    coverage: float
    inverted: bool
    negated: bool


def tokens(text: str, start: int, end: int, quotes: Sequence[tuple[int, int]]) -> list[Token]:
    """Return the tokens of ``text[start:end]``; ``quotes`` are the quoted parts of it, in order."""
    found: list[Token] = []
    at = start
    for low, high in [*quotes, (end, end)]:
        for match in _TOKEN.finditer(text, at, low):
            word = match[0]
            plain = word.lower().replace("’", "'")
            if plain in _NAMES_TOO and found and word[0].isupper():
                plain = word  # Will Doyle, Theresa May: no auxiliary
            found.append(Token(word, plain, match.start(), match.end()))
        if high > low:
            ended = text[high - 2 : high - 1] in {",", ".", "?", "!", "…", "'"}
            found.append(Token("", "”," if ended else "”", low, high))
        at = high
    return found


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
        elif low in OPINIONS and at and row[at - 1].low in _BE_ADVERBS | _PASSIVE:
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
    while j > 0 and row[j].low not in _PASSIVE and row[j].low in _BE_ADVERBS:
        j -= 1
    if row[j].low not in _PASSIVE or not _clause_follows(row, at, after_adjective=True):
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
    if at + 1 < len(row) and row[at + 1].low == "by" and not verb.participle:
        return None
    if before is not None and verb.wish and verb.base and before.low in _MODALS:
        return None
    if (
        before is not None
        and before.low in {"to", "of", "a", "an", "the", "for", "by", "without", "no"}
        and verb.lemma != "go"
    ):
        return None
    inverted = False
    subject: tuple[int, int] | None = None
    if (
        not verb.participle
        and verb.lemma != "tell"
        and before is not None
        and (before.word == "" or before.low in {",", "?", "!"} or before.low in _DASHES)
    ):
        subject = _inverted(row, at)
        inverted = subject is not None
    negated = False
    if subject is None:
        subject, negated, passive = _left(row, at, verb)
        if subject is None or (passive and not verb.participle):
            return None
        if negated and not verb.wish:
            return None  # what was not said
    beside_quote = _beside_quote(row, min(subject[0], at), at)
    if verb.strength == QUOTE and not beside_quote and not (verb.opinion and not verb.participle):
        return None
    cue_end = at + 1
    content = _content(row, at, subject, inverted)
    if (
        verb.strength == CLAUSE
        and not beside_quote
        and not inverted
        and not _clause_follows(row, at)
        and not _postposed(row, at, subject)
        and not (verb.wish and not verb.participle and _specific(row, subject))
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
    if before.low in PRONOUNS | {"who", ")"}:
        return True
    if before.low in AUX | {","} or before.word == "":
        return not VERBS[row[at].low].base or before.low in AUX
    if (
        before.low in DETERMINERS | PREPOSITIONS
        or before.low.endswith("'s")
        or before.low in CONJUNCTIONS
    ):
        return False
    plural = before.low.endswith(("s", "people", "men", "women"))
    if plural == row[at].low.endswith("s") and row[at].low not in {"put", "read", "bet"}:
        return False
    follows = row[at + 1].low if at + 1 < len(row) else ""
    if follows in _AFTER_VERB or follows.startswith("”"):
        return True
    return before.word[:1].isupper() and not plural and row[at].low not in {"remarks", "states"}


def _beside_quote(row: Sequence[Token], begin: int, at: int) -> bool:
    """Say whether a quotation stands near the cue, or the sentence leads into one with a colon."""
    if row[-1].low == ":":
        return True
    for j in range(at + 1, min(len(row), at + _REACH)):
        if row[j].word == "":
            return True
        if row[j].low == ";":
            break
    return any(row[j].word == "" for j in range(max(0, begin - 3), at))


def _clause_follows(row: Sequence[Token], at: int, *, after_adjective: bool = False) -> bool:
    j = at + 1
    while j < len(row) and (
        row[j].low in DATES or row[j].low in {"on", "in"} or row[j].low in ADVERBS
    ):
        j += 1
    if j >= len(row):
        return False
    low, word = row[j].low, row[j].word
    if row[at].low.startswith(("ask", "wonder")) and low not in _ASKED:
        return False
    if low in {"that", "how", "why", "whether", "what", ":", "if"} or word == "":
        return True
    if after_adjective and low in {"about", "of", "to"}:
        return True
    if low in PRONOUNS | {"there", "it's", "he's", "she's", "they're", "we're", "i'm"}:
        return True
    if (
        low in DETERMINERS
        or word[:1].isupper()
        or (low.isalpha() and low not in PREPOSITIONS | CONJUNCTIONS)
    ):
        # a clause has a finite verb soon
        return any(
            row[k].low in AUX or row[k].low in PLAIN for k in range(j + 1, min(len(row), j + 14))
        )
    return False


def _postposed(row: Sequence[Token], at: int, subject: tuple[int, int]) -> bool:
    """Say whether the cue closes or interrupts the clause it reports: "…, he said."."""
    left = min(subject[0], at) - 1
    if left < 1 or not (row[left].low == "," or row[left].word == "" or row[left].low in _DASHES):
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
    if inverted or _postposed(row, at, subject):
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
    if low in DATES or low in PRONOUNS or low in PREPOSITIONS | CONJUNCTIONS | AUX | ADVERBS:
        return None
    subject = appositive_name(row, phrase_right(row, j))
    if subject is None:
        return None
    after = row[subject[1]] if subject[1] < len(row) else None
    closes = (
        after is None
        or after.word == ""
        or after.low in _CLOSE | PREPOSITIONS | DATES | ADVERBS
        or after.low.endswith(("ing", "ly"))
    )
    if closes and row[at - 1].word:
        # "NAME, of TOWN, asked the crowd …" is told from "…, said NAME." by what ends the phrase
        first = row[subject[0]]
        closes = (after is None or after.low in {".", ",", "who", ";", "—"}) and (
            first.word[:1].isupper() or first.low in DETERMINERS
        )
    return subject if closes else None


def phrase_right(row: Sequence[Token], start: int) -> tuple[int, int] | None:
    """
    Return the noun phrase that begins at ``start``, its of- and for-phrases included.

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
                if not (j + 1 < len(row) and row[j + 1].word[:1].isupper() and named):
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
                or (low in VERBS and not VERBS[low].nounish and low not in _REDUCED)
                or (low.endswith("ed") and row[j - 1].word[:1].isupper())
            ):
                break
        named = named or (word[0].isupper() and low not in DETERMINERS and low not in TITLES)
        j += 1
    while j > start and (
        row[j - 1].low in _JOINING or row[j - 1].low in PREPOSITIONS or row[j - 1].low == "and"
    ):
        j -= 1
    return (start, j) if j > start else None


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


def _left(row: Sequence[Token], at: int, verb: Verb) -> tuple[tuple[int, int] | None, bool, bool]:
    """Return ``(subject, negated, passive)`` of a verb, looking to its left."""
    j = at - 1
    negated = passive = False
    verbal = False
    while j >= 0:
        low = row[j].low
        if low in AUX or low.endswith("n't"):
            negated |= low.endswith("n't") or low == "cannot"
            passive |= low in _PASSIVE and not verb.participle and not verb.base
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
    j = _skip_dates(row, j)
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
    if low in {"and", "but", "then"} or (
        low == "," and j and row[j - 1].low not in {")"} and _coordinated(row, j)
    ):
        return main_subject(row, j), negated, passive
    if low in {"who", "which", "that"}:
        k = j - 1
        if k >= 0 and row[k].low == ",":
            k -= 1
        if low == "that" or k < 0 or verb.strength < SAY:
            return None, negated, passive
        return phrase_left(row, k), negated, passive
    if low == "," or low in _DASHES:
        return _over_appositive(row, j), negated, passive
    if row[j].word == "":
        return None, negated, passive
    return phrase_left(row, j), negated, passive


def _coordinated(row: Sequence[Token], comma: int) -> bool:
    return False


def _skip_dates(row: Sequence[Token], j: int) -> int:
    k = j
    while k >= 0 and (row[k].low in DATES or row[k].low.isdigit()):
        k -= 1
    if k < j and k >= 0 and row[k].low in {"on", "in", "late", "early"}:
        k -= 1
    return k if k >= 0 else j


def _over_appositive(row: Sequence[Token], j: int) -> tuple[int, int] | None:
    """Return the phrase before the appositives that end at the mark ``j``: "NAME, director of …, said"."""
    marks = _DASHES if row[j].low in _DASHES else {","}
    k = j - 1
    stops: list[int] = []
    while k >= max(0, j - _REACH) and row[k].word != "" and row[k].low not in {";", ":"}:
        if row[k].low in marks:
            stops.append(k)
        k -= 1
    if not stops:
        return phrase_left(row, j - 1)
    spans = [span for stop in reversed(stops) if (span := phrase_left(row, stop - 1)) is not None]
    for span in spans:
        begins = span[0] - 1
        opens = begins < 0 or row[begins].word == "" or row[begins].low in _OPENERS
        if opens and _ends_in_name(row, span):
            return span
    inner = stops[0] + 1
    # "the White House spokesman, Josh Earnest, said": the appositive is the name
    if row[inner].word[:1].isupper() and row[inner].low not in DETERMINERS | TITLES:
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


def phrase_left(row: Sequence[Token], end: int) -> tuple[int, int] | None:
    """Return the noun phrase whose last token is ``end``."""
    if end < 0 or row[end].low in _NO_END:
        return None
    if row[end].low in {"nobody", "anyone", "anybody", "no-one"}:
        return None
    if row[end].low in PRONOUNS:
        return end, end + 1
    k = end
    stop = max(-1, end - _REACH)
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
        if not (token.word[0].isalnum() or token.word in {"'", "’", "@", "#", "$", "%", "&", "."}):
            break
        if low == "." and k < end:
            break
        if low == "and" and k < end:
            after_capital = row[k + 1].word[:1].isupper()
            before_capital = k > 0 and row[k - 1].word[:1].isupper()
            if not (after_capital and before_capital) and not _starts_sentence(row, k):
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
    if (
        k > 1
        and row[k].low in {"who", "whose", "which"}
        and k < end
        and row[k + 1].word[0].islower()
        and row[k + 1].low not in DETERMINERS
    ):
        before = k - 1 if row[k - 1].low != "," else k - 2
        return phrase_left(row, before)
    begin = k + 1
    while begin <= end and (row[begin].low in ADVERBS or row[begin].word in {"'", "’", "."}):
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


def _starts_sentence(row: Sequence[Token], k: int) -> bool:
    return k <= 4 and all(row[m].word != "" and row[m].low not in {",", ":"} for m in range(k))


def main_subject(row: Sequence[Token], before: int) -> tuple[int, int] | None:
    """Return the subject of the sentence's main clause, as far as words without a parse tell."""
    j = 0
    for at in range(1, min(before, 7)):
        if row[at].low == ":" and row[at - 1].low in {"a.m.", "p.m.", ".", "m"} | {"am", "pm"}:
            j = at + 1  # a time of day
    while j < before and row[j].low in CONJUNCTIONS | ADVERBS | {","}:
        j += 1
    if j < before and (
        row[j].low in PREPOSITIONS or row[j].low in {"when", "while", "as", "if", "after"}
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
    while j < before and row[j].low in ADVERBS | {","}:
        j += 1
    if j >= before or row[j].word == "":
        return None
    if row[j].low in PRONOUNS:
        return j, j + 1
    return appositive_name(row, phrase_right(row, j))


def appositive_name(row: Sequence[Token], span: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the name in apposition to a phrase that holds none ("her partner, Nico Bassey, …"), or the phrase."""
    if span is None or span[1] + 1 >= len(row) or row[span[1]].low != ",":
        return span
    if any(t.word[:1].isupper() for t in row[span[0] + 1 : span[1]]):
        return span
    k = span[1] + 1
    while k < len(row) and row[k].word[:1].isupper() and row[k].low not in DETERMINERS:
        k += 1
    if 2 <= k - span[1] - 1 <= 4 and (k == len(row) or row[k].low in {",", "."}):
        return span[1] + 1, k
    return span
