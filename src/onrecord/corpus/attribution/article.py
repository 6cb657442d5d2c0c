"""The one entry to attribution: an article and its sentences in, a suggested speaker for each sentence out.

Rules only, no model but a small classifier of cues. A sentence's speaker is the subject of its reporting
cue; a quotation without a cue takes the speaker of the quotation that it belongs to or that led into it; all
else is the author's.
"""

from collections import Counter
from collections.abc import Sequence

from onrecord.core.records import MAX_CANDIDATES, SentenceSpan, Suggestion
from onrecord.corpus.attribution.entities import Entities
from onrecord.corpus.attribution.sentence_speakers import SentenceSpeakers
from onrecord.corpus.attribution.sentence_state import Reading
from onrecord.corpus.attribution.speaker_types import kind_of_name, kind_of_nominal


def attribute_article(text: str, sentences: Sequence[SentenceSpan]) -> list[Suggestion]:
    """Attribute each sentence of an article to a speaker.

    >>> text = 'Mayor Ann Lee said taxes must fall. “They hurt,” she added. The vote is on Monday.'
    >>> spans = [SentenceSpan(0, 35, 0, None), SentenceSpan(36, 59, 0, None), SentenceSpan(60, 82, 0, None)]
    >>> [(r["speaker"], r["speaker_name"], r["attribution"]) for r in attribute_article(text, spans)]
    [('politician', 'Ann Lee', 'indirect'), ('politician', 'Ann Lee', 'direct'), ('author', None, 'none')]
    """
    article = SentenceSpeakers(text, sentences)
    article.attribute()
    kinds: dict[str | None, str | None] = {None: "author"}
    # The article's speakers, the most often credited first, no more than can be shown.
    counts = Counter(reading.name for reading in article.readings if reading.name is not None)
    speakers = [name for name, _ in counts.most_common(MAX_CANDIDATES)]
    full = {
        name: article.entities.full(name) if article.entities.is_person(name) else None
        for name in article.entities.counts
    }
    persons = [full[mention.name] for mention in article.entities.mentions]
    return [_row(article, reading, kinds, speakers, persons) for reading in article.readings]


def _row(
    article: SentenceSpeakers,
    reading: Reading,
    kinds: dict[str | None, str | None],
    speakers: Sequence[str],
    persons: Sequence[str | None],
) -> Suggestion:
    name = reading.name
    if reading.sentence.furniture is not None:
        return {
            "speaker": "none", "speaker_name": None, "attribution": "none", "cue": None,
            "candidates": [], "confidence": 0.95,
        }  # fmt: skip
    if name is not None and name not in kinds:
        named = article.entities.mentions_of(name)
        kind_of = kind_of_name if named else kind_of_nominal
        kinds[name] = kind_of(name, article.text, article.entities)
    sure = reading.confidence if name is not None else 0.6 if reading.quoted else 0.9
    return {
        "speaker": kinds[name],
        "speaker_name": name,
        "attribution": reading.kind if name is not None else "none",
        "cue": reading.cue,
        "candidates": _candidates(article.entities, reading, speakers, persons),
        "confidence": round(sure, 3),
    }


def _candidates(
    entities: Entities, reading: Reading, speakers: Sequence[str], persons: Sequence[str | None]
) -> list[str]:
    """Return names to choose from: the suggestion, who is named in the sentence, then the usual speakers."""
    low, high = entities.places(reading.sentence.start, reading.sentence.end)
    names = dict.fromkeys([reading.name, *persons[low:high], *speakers])
    return [name for name in names if name is not None][:MAX_CANDIDATES]
