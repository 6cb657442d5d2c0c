"""The speaker of each sentence of one article: by its own cue, or by the quotation that it belongs to.

Sentences are read in order, so that a pronoun can look back; then quotations without a cue take the speaker
of the passage they stand in, of the line that leads into them, or of the sentence that they repeat.
"""

from collections.abc import Sequence

from onrecord.core.records import SentenceSpan
from onrecord.corpus.attribution.clauses import clause_follows
from onrecord.corpus.attribution.cue_classifier import THRESHOLD, features, weights
from onrecord.corpus.attribution.cues import Attribution, attributions
from onrecord.corpus.attribution.entities import Entities
from onrecord.corpus.attribution.lexicon import LEX, QUOTE, VERBS
from onrecord.corpus.attribution.quotations import quotations
from onrecord.corpus.attribution.quote_linking import QuoteLinker
from onrecord.corpus.attribution.sentence_state import Reading, readings_of
from onrecord.corpus.attribution.speaker_resolution import SpeakerResolver
from onrecord.corpus.attribution.subjects import as_subject, closing_subject, main_subject
from onrecord.corpus.attribution.tokens import Tokens, tokens

_FEWEST_WORDS = 3  # after "NAME:" in a line that reports: fewer is a tally
_CUE_WORDS = (
    frozenset(
        form for form, verb in VERBS.items() if verb.strength > QUOTE or verb.opinion or verb.wish
    )
    | LEX.adjectives_opinion
    | {"according"}
)
_HEADLINE = 60  # code points: how far on a colon parts a name from what it says
_BARE = 0.98  # of a sentence in quotation marks: it holds no cue
_MAX_CLOSING_LINE = 240  # code points of a line that credits the quotation before it
_WORDS = {form.encode() for form in _CUE_WORDS}
_TO_ASCII_LOWERCASE = bytes(
    ord(chr(at).lower()) if at < 128 and chr(at).isalpha() else 32 for at in range(256)
)


class SentenceSpeakers:
    """One article being attributed, its sentences in order."""

    def __init__(self, text: str, sentences: Sequence[SentenceSpan]) -> None:
        self.text = text
        self.ascii_words = _ascii_lowercase(text)  # a quick look for cues: each sentence is asked
        self.entities = Entities(text)
        self.quotes = quotations(text)
        self.readings = readings_of(sentences, self.quotes)
        self.sources = SpeakerResolver(text, self.entities, self.readings)

    def attribute(self) -> None:
        """Fill in every reading: cues first, then quotations without one, then what repeats them."""
        for at, reading in enumerate(self.readings):
            self._by_cue(at, reading)
        QuoteLinker(self.text, self.entities, self.quotes, self.readings).link()

    def _by_cue(self, at: int, reading: Reading) -> None:
        sentence = reading.sentence
        if sentence.furniture not in (None, "cue"):
            return
        quoted = reading.quoted
        if not quoted and at and self.readings[at - 1].share > _BARE:
            self._closing_attribution(at, reading)
        if (
            not quoted
            and self.text[sentence.end - 1 : sentence.end] != ":"
            and _WORDS.isdisjoint(self.ascii_words[sentence.start : sentence.end].split())
        ):
            self._by_colon(at, reading)
            return
        if reading.share > _BARE:
            return
        row = tokens(self.text, sentence.start, sentence.end, quoted)
        lowercased, options = row.lowercased, attributions(row)
        if lowercased and lowercased[-1] == ":":
            self._opening_attribution(at, row, options)
        best = (
            self._credit_line(row)
            or self._best(reading, row, options)
            or self._colon_quote(row)
            or self._closing(row)
        )
        likely = 0.9
        if best is not None and not quoted and lowercased[-1] != ":":
            likely = self._likely(sentence, row, best, len(options))
            best = best if likely >= THRESHOLD or _wishes(row, best) else None
        if best is None:
            self._by_colon(at, reading)
            return
        name, person, sure = self.sources.of(at, row, best.subject)
        if name is None and len(options) > 1:  # "It says nothing of that, NAME points out"
            best = (
                self._best(reading, row, [o for o in options if o.subject != best.subject]) or best
            )
            name, person, sure = self.sources.of(at, row, best.subject)
        if name is None:
            return
        reading.name, reading.person = name, person
        reading.cue = best.cue
        reading.kind = _kind(row, best, reading)
        reading.confidence = sure * (0.97 if quoted else likely)
        self.sources.pronouns.spoke(at, name, person)

    def _likely(self, sentence: SentenceSpan, row: Tokens, cue: Attribution, cues: int) -> float:
        """Return the probability that a cue reports its sentence, of a sentence without quotation marks."""
        first = sentence.paragraph == 0
        return weights().probability(features(row, cue, cues=cues, first_paragraph=first))

    def _opening_attribution(self, at: int, row: Tokens, options: Sequence[Attribution]) -> None:
        """Note the speaker that a sentence ending in a colon introduces: its last cue's subject, or its own."""
        subject = options[-1].subject if options else main_subject(row, len(row.lowercased))
        if subject is None:
            return
        name, person, sure = self.sources.of(at, row, subject)
        if name is not None and (options or self._quoted_next(at)):
            self.readings[at].opening_speaker = name, person, sure

    def _closing_attribution(self, at: int, reading: Reading) -> None:
        """Note the speaker that a line after a bare quotation names: "NAME asked the crowd.", "- NAME, city"."""
        before, sentence = self.readings[at - 1].sentence, reading.sentence
        start, end = sentence.start, sentence.end
        if end - start > _MAX_CLOSING_LINE:
            return
        if self.text[start] in LEX.dashes:
            here = self.entities.between(start, start + 4)
            if here and self.entities.is_name(here[0].name):
                signed = self.entities.bearer(here[0])
                person = signed if self.entities.is_person(signed) else None
                reading.closing_speaker = self.entities.full(signed), person, 0.9
            return
        if before.paragraph != sentence.paragraph:
            return
        row = tokens(self.text, before.start, end, [(before.start, before.end)])
        row.lowercased[0] = "”,"  # whatever it ends in
        for option in attributions(row):
            if min(option.at, option.subject[0]) == 1 and not clause_follows(row, option.at):
                name, person, sure = self.sources.of(at, row, option.subject)
                if name is not None:
                    reading.closing_speaker = name, person, sure
                return

    def _quoted_next(self, at: int) -> bool:
        return at + 1 < len(self.readings) and bool(self.readings[at + 1].quoted)

    def _credit_line(self, row: Tokens) -> Attribution | None:
        """Return the name between a dash, "from" or "by" and a colon with a quotation: "Turnout - NAME: …"."""
        words, lowercased = row.words, row.lowercased
        begin = at = _colon(row, 2)
        while begin and (words[begin - 1][:1].isupper() or lowercased[begin - 1] == "and"):
            begin -= 1
        if 0 < begin < at and lowercased[begin - 1] in LEX.dashes | {"from", "by"}:
            return Attribution(":", at, (begin, at), QUOTE, 1.0, False, False)
        return None

    def _colon_quote(self, row: Tokens) -> Attribution | None:
        """Return the subject of a sentence that ends in a colon and a quotation, whatever its verb."""
        at = _colon(row, 1)
        subject = main_subject(row, at) if at else None
        if subject is None:
            return None
        return Attribution(":", at, subject, QUOTE, 1.0, False, False)

    def _closing(self, row: Tokens) -> Attribution | None:
        words, lowercased = row.words, row.lowercased
        subject = closing_subject(row) or as_subject(row)
        if subject is None:
            return None
        last = min(subject[1], len(lowercased) - 1)
        verb = next((j for j in range(last, len(lowercased)) if lowercased[j] in VERBS), last)
        return Attribution(words[verb], verb, subject, QUOTE, 1.0, False, False)

    def _best(
        self, reading: Reading, row: Tokens, options: Sequence[Attribution]
    ) -> Attribution | None:
        best, best_score = None, 0.0
        if not options:
            return None
        long_quote = any(high - low > 25 for low, high in reading.quoted)
        for option in options:
            if option.coverage < (0.3 if long_quote else 0.5):
                continue
            if row.lowercased[option.subject[0]] in LEX.first_second_person:
                continue
            if not reading.quoted and row.lowercased[option.subject[0] - 1] in LEX.if_unless:
                continue  # "If NAME says no, …"
            score = option.coverage + 0.2 * option.strength
            if option.cue == "according to" and reading.quoted:
                score -= 0.6
            if option.inverted:
                score += 0.3
            if score > best_score:
                best, best_score = option, score
        return best

    def _by_colon(self, at: int, reading: Reading) -> None:
        """A headline or a transcript line: "NAME: what NAME says", "Mayor: Fares must fall"."""
        sentence = reading.sentence
        colon = self.text.find(":", sentence.start, min(sentence.end, sentence.start + _HEADLINE))
        if colon < 0 or colon + 2 > sentence.end or sentence.furniture:
            return
        after = self.text[colon + 1 : sentence.end].split()
        person = None
        if len(after) >= _FEWEST_WORDS:
            person = self._alone(sentence.start, colon)
            if person is None and not sentence.paragraph:
                person = self.sources.in_office(self.text[sentence.start : colon])
        elif not sentence.paragraph and self.text[sentence.end - 1].isalpha():
            person = self._alone(colon + 1, sentence.end)  # "Fares must fall: NAME"
        if person is None:
            return
        reading.name, reading.person = self.entities.full(person), person
        reading.kind = "direct" if reading.share > 0.4 else "indirect"
        reading.cue = ":"
        reading.confidence = 0.8
        self.sources.pronouns.spoke(at, reading.name, person)

    def _alone(self, start: int, end: int) -> tuple[str, ...] | None:
        """Return the person whose name is all of a part of the text, brackets after it apart."""
        here = self.entities.between(start, end)
        if len(here) != 1 or self.text[start : here[0].start].strip():
            return None
        rest = self.text[here[0].end : end].strip()
        named = self.entities.is_person(here[0].name) and (not rest or rest.startswith("("))
        return here[0].name if named else None


def _colon(row: Tokens, first: int) -> int:
    """Return the first colon, from a token on, that a quotation follows; 0 where there is none."""
    words, lowercased = row.words, row.lowercased
    if not row.quotes or ":" not in lowercased:
        return 0
    places = range(first, len(lowercased) - 1)
    return next((at for at in places if lowercased[at] == ":" and words[at + 1] == ""), 0)


def _kind(row: Tokens, best: Attribution, reading: Reading) -> str:
    """Say whether what is reported is quoted (direct), partly quoted (mixed) or not (indirect)."""
    words, lowercased = row.words, row.lowercased
    if not reading.quoted:
        return "indirect"
    low, high = min(best.subject[0], best.at), max(best.subject[1], best.at + 1)
    quote_after = next((j for j in range(high, len(lowercased)) if words[j] == ""), None)
    if "" in words[:low]:
        plain_before = sum(1 for word in words[:low] if word[:1].isalnum())
        return "direct" if plain_before <= 1 else "mixed"
    if quote_after is None:
        return "indirect"
    if lowercased[quote_after - 1] in {",", ":"} or quote_after <= high + 1:
        return "direct"
    return "mixed"


def _wishes(row: Tokens, cue: Attribution) -> bool:
    """Say whether a cue is of thought or wish: those the guidelines credit, whatever the model thinks."""
    lowercased = row.lowercased
    verb = VERBS.get(lowercased[cue.at])
    if verb is None:
        return lowercased[cue.at] in LEX.adjectives_opinion
    return verb.wish and (not verb.participle or lowercased[cue.at - 1] in LEX.aux)


def _ascii_lowercase(text: str) -> bytes:
    """Return a text's letters a to z in lower case, a space for each other character, in their places."""
    return text.encode("ascii", "replace").translate(_TO_ASCII_LOWERCASE)
