"""The sentences of an article on the way to their speakers: how much of each is quoted, and what is known."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from onrecord.core.records import SentenceSpan
from onrecord.corpus.attribution.quotations import Quotation

# A speaker handed over: the name, the person's name as mentioned, and how sure it is.
SpeakerLink = tuple[str | None, tuple[str, ...] | None, float]


@dataclass
class Reading:
    """What is known of one sentence on the way."""

    sentence: SentenceSpan
    quoted: list[tuple[int, int]]
    share: float  # of its letters that stand in quotation marks
    name: str | None = None
    person: tuple[str, ...] | None = None
    kind: str = "none"
    cue: str | None = None
    confidence: float = 0.5
    opening_speaker: SpeakerLink | None = None  # who speaks after its closing colon
    closing_speaker: SpeakerLink | None = (
        None  # who speaks the quotation before it, according to it
    )

    @property
    def speaker(self) -> SpeakerLink:
        """The speaker as it is handed over to another sentence."""
        return self.name, self.person, self.confidence


def readings_of(sentences: Sequence[SentenceSpan], quotes: Sequence[Quotation]) -> list[Reading]:
    """Return a reading for each sentence, with the parts of it that stand in quotation marks."""
    ends = [q.end for q in quotes]
    found = []
    for sentence in sentences:
        start, end, _, _ = sentence
        parts: list[tuple[int, int]] = []
        quoted = 0
        at = bisect_right(ends, start)
        while at < len(quotes) and quotes[at].start < end:
            low, high = max(start, quotes[at].start), min(end, quotes[at].end)
            parts.append((low, high))
            quoted += high - low
            at += 1
        found.append(Reading(sentence, parts, quoted / max(1, end - start)))
    return found
