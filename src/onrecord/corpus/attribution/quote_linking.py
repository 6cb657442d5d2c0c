"""Quotations without a cue of their own: the speaker of the passage that they belong to.

That speaker is named in a line ending in a colon, or speaks another sentence of the same quotation, of the
same paragraph or of the quotation before, or the sentence that a pull quote repeats.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from onrecord.core.text_normalization import letters_and_digits
from onrecord.corpus.attribution.entities import Entities
from onrecord.corpus.attribution.quotations import Quotation
from onrecord.corpus.attribution.sentence_state import Reading, SpeakerLink

_WINDOW = 60  # sentences: how far a quotation looks for its speaker
_SPEECH = 25  # code points: shorter quoted words are terms, not speech
_SUBJECT_BEFORE = 0.8  # how sure it is that the person the sentence before is about speaks
_BRIEF = 60  # code points of a sentence that can be about a person named later in it
_ISSUED = re.compile(
    r" (?:issued|released|published|posted|sent|put out|sent out) (?:an?|its|his|her|the following) "
    r"(?:[\w-]+ ){0,3}?(?:statement|letter|message|memo|email|release)\b"
)
_FIRM = 0.8  # a cue in a block quotation does not yield to its lead-in from here on


class QuoteLinker:
    """The quotations of one article and the sentences they stand in."""

    def __init__(
        self, text: str, entities: Entities, quotes: Sequence[Quotation], readings: list[Reading]
    ) -> None:
        self.text = text
        self.entities = entities
        self.quotes = quotes
        self.readings = readings

    def link(self) -> None:
        """Credit what the cues left open, in place."""
        self._closing_attributions()
        self._opening_attributions()
        self._transcripts()
        self._bare_quotations()
        self._pull_quotes()

    def _closing_attributions(self) -> None:
        """Give a bare quotation to the speaker that the line after it names."""
        starts = [q.start for q in self.quotes]
        credited = {
            bisect_right(starts, low)
            for reading in self.readings
            if reading.name is not None
            for low, _ in reading.quoted
        }
        for before, reading in pairwise(self.readings):
            if reading.closing_speaker is None or before.name is not None:
                continue
            if bisect_right(starts, before.quoted[-1][0]) not in credited:
                self._link_to(before, reading.closing_speaker, 0.95)

    def _opening_attributions(self) -> None:
        """Give a paragraph that a cue line leads in ("NAME continued:") to that line's subject."""
        for at, reading in enumerate(self.readings[:-1]):
            sentence = reading.sentence
            if reading.opening_speaker is None:
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
                    self._link_to(later, reading.opening_speaker, 0.9)

    def _transcripts(self) -> None:
        """Give the rest of a paragraph that opens with "NAME:" to that name, as transcripts are printed."""
        for at, reading in enumerate(self.readings):
            if reading.cue != ":" or reading.quoted or reading.name is None:
                continue
            for later in self.readings[at + 1 : at + _WINDOW]:
                if later.sentence.paragraph != reading.sentence.paragraph:
                    break
                if later.sentence.furniture is None and later.confidence < _FIRM:
                    self._link_to(later, reading.speaker, 0.9)

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
            lead = self.readings[at - 1].opening_speaker if at else None
            if lead is not None:
                self._link_to(reading, lead, 0.95)
                continue
            giver, sure = self._speaking_sentence(at, reading, key, by_quote)
            actor = (
                self._subject_before(at)
                if sure < _SUBJECT_BEFORE and self._is_speech(reading)
                else None
            )
            if actor is not None:
                self._link_to(reading, actor, _SUBJECT_BEFORE)
            elif giver is not None:
                self._link_to(reading, self.readings[giver].speaker, sure)

    def _passage(self, at: int, reading: Reading) -> None:
        """Give quoted words amid the author's to the speaker whom the sentence before quotes in the same paragraph."""
        before = self.readings[at - 1] if at else None
        if (
            before is not None
            and before.name is not None
            and before.quoted
            and before.sentence.paragraph == reading.sentence.paragraph
            and self._is_speech(reading)
        ):
            self._link_to(reading, before.speaker, 0.7)

    def _is_speech(self, reading: Reading) -> bool:
        return max(high - low for low, high in reading.quoted) >= _SPEECH

    def _speaking_sentence(
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
        reported = at > 0 and named[at - 1].cue is not None and not named[at - 1].quoted
        begins = self.quotes[key].runs_on and not (key and self.quotes[key - 1].runs_on)
        if begins and not reported:
            ahead = self._run_on(key, by_quote)
            if ahead is not None:
                return ahead, 0.93
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

    def _run_on(self, key: int, by_quote: Mapping[int, list[int]]) -> int | None:
        """Return the credited sentence nearest ahead in the quotations that one left open runs on into."""
        for following in range(key + 1, min(key + _WINDOW, len(self.quotes))):
            for other in by_quote[following]:
                if self.readings[other].name is not None:
                    return other
            if not self.quotes[following].runs_on:
                return None
        return None

    def _subject_before(self, at: int) -> SpeakerLink | None:
        """Return the person the sentence before a bare quotation is about: "NAME smiled. “No.”".

        That is a person, or who "issued a statement".
        """
        if not at:
            return None
        before = self.readings[at - 1]
        start = before.sentence.start
        if before.quoted or before.name is not None or before.sentence.furniture:
            return None
        if self.text[before.sentence.end - 1] != ".":
            return None  # a heading
        issued = _ISSUED.search(self.text, start, before.sentence.end)
        if issued is not None:
            who = [
                m for m in self.entities.between(start, issued.start()) if m.end == issued.start()
            ]
            if who:
                name = self.entities.bearer(who[0])
                return (
                    self.entities.full(name),
                    name if self.entities.is_person(name) else None,
                    1.0,
                )
        here = [
            m
            for m in self.entities.between(start, before.sentence.end)
            if self.entities.is_person(m.name) and self.text[m.end - 2 : m.end] not in {"'s", "’s"}
        ]
        if not here:
            return None
        if here[0].start > start and (len(here) > 1 or before.sentence.end - start > _BRIEF):
            return None
        name = self.entities.bearer(here[0])
        return self.entities.full(name), name, 1.0

    def _link_to(self, reading: Reading, speaker: SpeakerLink, sure: float) -> None:
        reading.name, reading.person, given = speaker
        reading.kind = "direct" if reading.share > 0.9 or not reading.quoted else "mixed"
        reading.cue = None
        reading.confidence = sure * given

    def _pull_quotes(self) -> None:
        """Give a quotation that stands alone to the speaker of the passage that it repeats."""
        alone = [
            r
            for r in self.readings[:12]
            if r.name is None and r.share > 0.8 and r.sentence.furniture is None
        ]
        for reading in alone:
            words = letters_and_digits(self.text[reading.sentence.start : reading.sentence.end])
            if len(words) < 20:
                continue
            for other in self.readings:
                if other.name is not None and words in letters_and_digits(
                    self.text[other.sentence.start : other.sentence.end]
                ):
                    self._link_to(reading, other.speaker, 0.95)
                    break
