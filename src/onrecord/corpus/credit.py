"""
Whom each sentence of one article is credited to: by its own cue, or by the quotation that it belongs to.

Sentences are read in order, so that a pronoun can look back; then quotations without a cue take the speaker
of the passage they stand in, of the line that leads into them, or of the sentence that they repeat.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from onrecord.corpus.cues import OPINIONS, Attribution, attributions, closing_subject
from onrecord.corpus.lexicon import QUOTE, lexicon, words
from onrecord.corpus.names import Mention, Roster, bare
from onrecord.corpus.phrases import AUX, PREPOSITIONS, PRONOUNS, VERBS, Token, main_subject, tokens
from onrecord.corpus.quotes import Quotation, quotations
from onrecord.corpus.ranker import THRESHOLD, features, weights


class Sentence(NamedTuple):
    """A sentence as segmented: offsets, its paragraph's number, the kind of furniture or None."""

    start: int
    end: int
    paragraph: int
    furniture: str | None


@dataclass
class Reading:
    """What is known of one sentence on the way."""

    sentence: Sentence
    quoted: list[tuple[int, int]]
    share: float  # of its letters that stand in quotation marks
    row: list[Token] = field(default_factory=list)
    name: str | None = None
    person: tuple[str, ...] | None = None
    kind: str = "none"
    cue: str | None = None
    confidence: float = 0.5
    lead: tuple[str, tuple[str, ...] | None, float] | None = (
        None  # whom its closing colon hands over to
    )


def _readings(
    text: str, sentences: Sequence[Sentence], quotes: Sequence[Quotation]
) -> list[Reading]:
    ends = [q.end for q in quotes]
    found = []
    for sentence in sentences:
        start, end = sentence.start, sentence.end
        parts = []
        at = bisect_right(ends, start)
        while at < len(quotes) and quotes[at].start < end:
            parts.append((max(start, quotes[at].start), min(end, quotes[at].end)))
            at += 1
        share = sum(high - low for low, high in parts) / max(1, end - start)
        found.append(Reading(sentence, parts, share))
    return found


class Article:
    """One article being attributed: its sentences in order, and whom "he" or "she" may mean."""

    def __init__(self, text: str, sentences: Sequence[Sentence]) -> None:
        self.text = text
        self.roster = Roster(text)
        self.quotes = quotations(text)
        self.readings = _readings(text, sentences, self.quotes)
        self.last: tuple[str, ...] | None = None
        self.last_at = -99
        self.last_group: str | None = None

    def attribute(self) -> None:
        """Fill in every reading: cues first, then quotations without one, then what repeats them."""
        for at, reading in enumerate(self.readings):
            self._by_cue(at, reading)
        self._lead_ins()
        self._bare_quotations()
        self._pull_quotes()

    # --- sentences with a cue of their own

    def _by_cue(self, at: int, reading: Reading) -> None:
        sentence = reading.sentence
        if sentence.furniture not in (None, "cue"):
            return
        quoted = reading.quoted
        if (
            not quoted
            and self.text[sentence.end - 1 : sentence.end] != ":"
            and not has_cue(self.text[sentence.start : sentence.end])
        ):
            self._by_colon(at, reading)
            return
        if reading.share > 0.98:
            return
        reading.row = row = tokens(self.text, sentence.start, sentence.end, quoted)
        options = attributions(row)
        if row and row[-1].low == ":":
            self._lead(at, reading, options)
        best = self._best(reading, options) or self._colon_quote(row) or self._closing(row)
        likely = 0.9
        if best is not None and not quoted and row[-1].low != ":":
            likely = self._likely(reading, best, len(options))
            best = best if likely >= THRESHOLD or _wishes(row, best) else None
        if best is None:
            self._by_colon(at, reading)
            return
        name, person, sure = self._source(at, reading, best.subject)
        if name is None:
            return
        reading.name, reading.person = name, person
        reading.cue = best.cue
        reading.kind = _kind(row, best, reading)
        reading.confidence = sure * (0.97 if quoted else likely)
        if person is not None:
            self.last, self.last_at = person, at
        else:
            self.last_group = name

    def _likely(self, reading: Reading, cue: Attribution, cues: int) -> float:
        """Return the probability that a cue reports its sentence, of a sentence without quotation marks."""
        first = reading.sentence.paragraph == 0
        return weights().probability(features(reading.row, cue, cues=cues, first_paragraph=first))

    def _lead(self, at: int, reading: Reading, options: Sequence[Attribution]) -> None:
        """Note whom a sentence that ends in a colon leads into: its last cue's subject, or its own."""
        subject = options[-1].subject if options else main_subject(reading.row, len(reading.row))
        if subject is None:
            return
        name, person, sure = self._source(at, reading, subject)
        if name is not None and (options or self._quoted_next(at)):
            reading.lead = name, person, sure

    def _quoted_next(self, at: int) -> bool:
        return at + 1 < len(self.readings) and bool(self.readings[at + 1].quoted)

    def _colon_quote(self, row: Sequence[Token]) -> Attribution | None:
        """Return the subject of a sentence that ends in a colon and a quotation, whatever its verb."""
        for at in range(1, len(row) - 1):
            if row[at].low == ":" and row[at + 1].word == "":
                subject = main_subject(row, at)
                if subject is None:
                    return None
                return Attribution(":", at, subject, QUOTE, 1.0, False, False)
        return None

    def _closing(self, row: Sequence[Token]) -> Attribution | None:
        subject = closing_subject(row)
        if subject is None:
            return None
        verb = min(subject[1], len(row) - 1)
        return Attribution(row[verb].word, verb, subject, QUOTE, 1.0, False, False)

    def _best(self, reading: Reading, options: Iterable[Attribution]) -> Attribution | None:
        best, best_score = None, 0.0
        long_quote = any(high - low > 25 for low, high in reading.quoted)
        for option in options:
            if option.coverage < (0.3 if long_quote else 0.5):
                continue
            score = option.coverage + 0.2 * option.strength
            if option.cue == "according to" and reading.quoted:
                score -= 0.6
            if option.inverted:
                score += 0.3
            if score > best_score:
                best, best_score = option, score
        return best

    def _by_colon(self, at: int, reading: Reading) -> None:
        """A headline or a transcript line: "NAME: what NAME says"."""
        sentence = reading.sentence
        colon = self.text.find(":", sentence.start, min(sentence.end, sentence.start + 60))
        if colon < 0 or colon + 2 > sentence.end:
            return
        here = self.roster.between(sentence.start, colon)
        if len(here) != 1 or sentence.furniture:
            return
        mention = here[0]
        rest = self.text[mention.end : colon].strip()
        if self.text[sentence.start : mention.start].strip() or (rest and not rest.startswith("(")):
            return
        said = self.text[colon + 1 : sentence.end].split()
        if not self.roster.is_person(mention.name) or len(said) < _FEWEST_WORDS:
            return
        reading.name, reading.person = self.roster.full(mention.name), mention.name
        reading.kind = "direct" if reading.share > 0.4 else "indirect"
        reading.cue = ":"
        reading.confidence = 0.8
        self.last, self.last_at = mention.name, at

    # --- who the subject is

    def _source(
        self, at: int, reading: Reading, subject: tuple[int, int]
    ) -> tuple[str | None, tuple[str, ...] | None, float]:
        """Return the speaker's fullest name, the person's name as mentioned, and how sure that is."""
        row = reading.row
        first, last = row[subject[0]], row[subject[1] - 1]
        if subject[1] - subject[0] == 1 and first.low in PRONOUNS:
            return self._pronoun(at, first)
        mention = self._named(row, subject)
        if mention is not None:
            self.roster.speaks(mention.name)
            person = mention.name if self.roster.is_person(mention.name) else None
            return self.roster.full(mention.name), person, 1.0
        bearer = self._bearer(row, subject)
        if bearer is not None:
            return self.roster.full(bearer), bearer, 0.8
        phrase = self.text[first.start : last.end].strip()
        return phrase, None, 0.8

    def _bearer(self, row: Sequence[Token], subject: tuple[int, int]) -> tuple[str, ...] | None:
        """Return the person last named with the title that "the senator" uses, if there is one."""
        if subject[1] - subject[0] != 2 or row[subject[0]].low != "the":
            return None
        before = row[subject[0]].start
        wanted = _SHORT.get(row[subject[0] + 1].low, {row[subject[0] + 1].low})
        for mention in reversed(self.roster.between(before - _BEHIND, before)):
            if mention.titles and bare(mention.titles[-1]).lower() in wanted:
                return mention.name
        return None

    def _named(self, row: Sequence[Token], subject: tuple[int, int]) -> Mention | None:
        low, high = subject
        whole = self._ending_at(row, low, high)
        if (
            whole is not None
            and len(whole.name) > 1
            and self.roster.is_person(whole.name)
            and not self._after_preposition(row, low, whole)
        ):
            return whole
        head = high
        for at in range(low + 1, high):
            if row[at].low in _AFTER_HEAD:
                head = at
                break
        if head == high or row[head].low != "and" or self._pair(row, head, high):
            mention = self._ending_at(row, low, head)
            if mention is not None:
                return mention
        documents = [at for at in range(low, head) if row[at].low in _DOCUMENTS]
        if documents:
            owner = self._ending_at(row, low, documents[0])
            if owner is not None:
                return owner
            if head < high and row[head].low in {"by", "from", "of"}:
                inside = self.roster.between(row[head].start, row[high - 1].end)
                if inside:
                    return inside[0]
        return None

    def _pair(self, row: Sequence[Token], joint: int, high: int) -> bool:
        """Say whether "NAME and NAME" are two persons: the first is the speaker then."""
        after = self.roster.between(row[joint].start, row[high - 1].end)
        return bool(after) and self.roster.is_person(after[0].name)

    def _after_preposition(self, row: Sequence[Token], low: int, mention: Mention) -> bool:
        before = [t for t in row[low:] if t.end <= mention.start]
        return bool(before) and before[-1].low in _NO_NAME_AFTER

    def _ending_at(self, row: Sequence[Token], low: int, head: int) -> Mention | None:
        """Return the mention that ends where the token before ``head`` ends."""
        if head <= low:
            return None
        end = row[head - 1].end
        here = self.roster.between(row[low].start, end)
        if here and here[-1].end >= end - 1 and self.roster.is_name(here[-1].name):
            return here[-1]
        return None

    def _pronoun(self, at: int, token: Token) -> tuple[str | None, tuple[str, ...] | None, float]:
        if token.low in {"he", "she"}:
            person = self._antecedent(at, token.start, "m" if token.low == "he" else "f")
            if person is None:
                return token.word, None, 0.2
            return self.roster.full(person), person, 0.85
        if token.low in {"they", "it"}:
            return self.last_group, None, 0.5
        if token.low in {"i", "we", "you"}:
            return None, None, 0.0
        return token.word, None, 0.5

    def _antecedent(self, at: int, position: int, gender: str) -> tuple[str, ...] | None:
        """
        Return the person a pronoun stands for: near, first in a sentence, lately a speaker.

        Persons named in quotations, and those known to be of the other gender, are passed over.
        """
        best, best_score = None, -99.0
        for back in range(6):
            index = at - back
            if index < 0:
                break
            reading = self.readings[index]
            start, end = reading.sentence.start, reading.sentence.end
            first = True
            for mention in self.roster.between(start, min(end, position)):
                if any(low <= mention.start < high for low, high in reading.quoted):
                    continue
                if not self.roster.is_person(mention.name):
                    continue
                known = self.roster.gender(mention.name)
                if known and known != gender:
                    continue
                score = (1.0 if first else 0.0) + (0.2 if known else 0.0) - back
                if mention.start - start < 4:
                    score += 0.5  # the sentence is about that person
                if back == 0:
                    score -= 0.5
                if self.text[mention.end - 2 : mention.end] in {"'s", "’s"}:
                    score -= 0.7
                first = False
                if score > best_score:
                    best, best_score = mention.name, score
        if self.last is not None:
            known = self.roster.gender(self.last)
            score = 1.0 - 0.5 * (at - self.last_at) + (0.2 if known else 0.0)
            if (not known or known == gender) and score > best_score:
                best = self.last
        return best

    # --- quotations that lack a cue

    def _lead_ins(self) -> None:
        """Give a paragraph that a cue line leads in ("NAME continued:") to that line's subject."""
        for at, reading in enumerate(self.readings[:-1]):
            sentence = reading.sentence
            if reading.lead is None:
                continue
            following = self.readings[at + 1]
            if following.sentence.paragraph == sentence.paragraph or following.quoted:
                continue
            block = following.sentence.paragraph
            for later in self.readings[at + 1 :]:
                if later.sentence.paragraph != block:
                    break
                if later.sentence.furniture is None and (
                    later.name is None or later.confidence < _FIRM
                ):
                    self._take(later, reading.lead, 0.9)

    def _bare_quotations(self) -> None:
        by_quote: dict[int, list[int]] = defaultdict(list)
        starts = [q.start for q in self.quotes]
        for at, reading in enumerate(self.readings):
            for low, _ in reading.quoted:
                by_quote[bisect_right(starts, low) - 1].append(at)
        for at, reading in enumerate(self.readings):
            if reading.name is not None or reading.sentence.furniture or not reading.quoted:
                continue
            if reading.share < 0.6:
                self._passage(at, reading)
                continue
            key = bisect_right(starts, reading.quoted[0][0]) - 1
            lead = self.readings[at - 1].lead if at else None
            if lead is not None:
                self._take(reading, lead, 0.95)
                continue
            giver, sure = self._giver(at, reading, key, by_quote)
            if giver is not None:
                self._inherit(reading, self.readings[giver], sure)

    def _passage(self, at: int, reading: Reading) -> None:
        """Give quoted words amid the author's to whom the sentence before quotes in the same paragraph."""
        before = self.readings[at - 1] if at else None
        if (
            before is not None
            and before.name is not None
            and before.quoted
            and before.sentence.paragraph == reading.sentence.paragraph
            and max(high - low for low, high in reading.quoted) >= _SPEECH
        ):
            self._inherit(reading, before, 0.7)

    def _giver(
        self, at: int, reading: Reading, key: int, by_quote: Mapping[int, list[int]]
    ) -> tuple[int | None, float]:
        """Return the sentence whose speaker a bare quotation takes, and how sure that is."""
        named = self.readings
        same = by_quote[key]
        here = bisect_left(same, at)
        for other in (
            *same[here + 1 : here + _WINDOW],
            *reversed(same[max(0, here - _WINDOW) : here]),
        ):
            if named[other].name is not None:
                return other, 0.97
        paragraph = reading.sentence.paragraph
        back = at - 1
        while back >= max(0, at - _WINDOW) and named[back].sentence.paragraph == paragraph:
            if named[back].name is not None and (named[back].quoted or back == at - 1):
                return back, 0.93
            back -= 1
        ahead = at + 1
        while (
            ahead < min(len(named), at + _WINDOW) and named[ahead].sentence.paragraph == paragraph
        ):
            if named[ahead].name is not None and named[ahead].quoted:
                return ahead, 0.9
            ahead += 1
        if back >= 0 and named[back].name is not None:
            return back, 0.75 if not (key and self.quotes[key - 1].runs_on) else 0.95
        if ahead < len(named) and named[ahead].name is not None and named[ahead].quoted:
            return ahead, 0.6
        while back >= max(0, at - 4):
            if named[back].name is not None:
                return back, 0.5
            back -= 1
        return None, 0.0

    def _take(
        self, reading: Reading, lead: tuple[str, tuple[str, ...] | None, float], sure: float
    ) -> None:
        reading.name, reading.person, given = lead
        reading.kind = "direct" if reading.share > 0.9 or not reading.quoted else "mixed"
        reading.cue = None
        reading.confidence = sure * given

    def _inherit(self, reading: Reading, giver: Reading, sure: float) -> None:
        reading.name, reading.person = giver.name, giver.person
        reading.kind = "direct" if reading.share > 0.9 or not reading.quoted else "mixed"
        reading.cue = None
        reading.confidence = sure * giver.confidence

    def _pull_quotes(self) -> None:
        """Give a quotation that stands alone to the speaker of the passage that it repeats."""
        alone = [
            r
            for r in self.readings[:12]
            if r.name is None and r.share > 0.8 and r.sentence.furniture is None
        ]
        for reading in alone:
            words = _letters(self.text[reading.sentence.start : reading.sentence.end])
            if len(words) < 20:
                continue
            for other in self.readings:
                if other.name is not None and words in _letters(
                    self.text[other.sentence.start : other.sentence.end]
                ):
                    self._inherit(reading, other, 0.95)
                    break


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _kind(row: Sequence[Token], best: Attribution, reading: Reading) -> str:
    """Say whether what is reported is quoted (direct), partly quoted (mixed) or not (indirect)."""
    if not reading.quoted:
        return "indirect"
    low, high = min(best.subject[0], best.at), max(best.subject[1], best.at + 1)
    quote_after = next((j for j in range(high, len(row)) if row[j].word == ""), None)
    plain_before = sum(1 for t in row[:low] if t.word and t.word[0].isalnum())
    if any(t.word == "" for t in row[:low]):
        return "direct" if plain_before <= 1 else "mixed"
    if quote_after is None:
        return "indirect"
    if row[quote_after - 1].low in {",", ":"} or quote_after <= high + 1:
        return "direct"
    return "mixed"


_BEHIND = 20_000  # code points: how far back a title finds its bearer
_WINDOW = 60  # sentences: how far a quotation looks for its speaker


def _wishes(row: Sequence[Token], cue: Attribution) -> bool:
    """Say whether a cue is of thought or wish: those the guidelines credit, whatever the model thinks."""
    verb = VERBS.get(row[cue.at].low)
    if verb is None:
        return row[cue.at].low in OPINIONS
    return verb.wish and (not verb.participle or row[cue.at - 1].low in AUX)


_FEWEST_WORDS = 3  # after "NAME:" in a line that reports: fewer is a tally
_SPEECH = 25  # code points: shorter quoted words are terms, not speech
_FIRM = 0.8  # a cue in a block quotation does not yield to its lead-in from here on
_DOCUMENTS = words("documents")
_NO_NAME_AFTER = PREPOSITIONS | {"and", "or", "the"}
_AFTER_HEAD = PREPOSITIONS | {"who", "(", "and"}
# "the senator" is whoever was named with one of these titles
_SHORT = {
    "senator": {"sen", "senator"},
    "representative": {"rep", "representative"},
    "congressman": {"rep", "congressman", "representative"},
    "congresswoman": {"rep", "congresswoman", "representative"},
    "lawmaker": {"rep", "sen", "senator", "representative", "congressman", "congresswoman"},
    "governor": {"gov", "governor"},
    "professor": {"prof", "professor"},
    "doctor": {"dr", "doctor"},
    "chief": {"chief"},
}
_CUE_WORDS = (
    frozenset(
        form
        for form, verb in lexicon().verbs.items()
        if verb.strength > QUOTE or verb.opinion or verb.wish
    )
    | OPINIONS
    | {"according"}
)


def has_cue(sentence: str) -> bool:
    """Say whether any word of a sentence could be a reporting cue: the quick look before the close one."""
    return not _CUE_WORDS.isdisjoint(_WORDS.findall(sentence.lower()))


_WORDS = re.compile(r"[a-z]+")
