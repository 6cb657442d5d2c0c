"""The persons that "he" and "she" stand for in an article: near, first in a sentence, lately a speaker."""

import re
from collections.abc import Sequence

from onrecord.corpus.attribution.entities import Entities
from onrecord.corpus.attribution.lexicon import LEX
from onrecord.corpus.attribution.mentions import Mention
from onrecord.corpus.attribution.sentence_state import Reading

_SIGHT = 40  # sentences: how far back a pronoun looks …
_STEPS = 6  # … and how many of them that are no quotation
_MOST = 1.7  # what a name scores at most where the pronoun stands
_ANSWERED = 3  # steps: how soon who is asked answers …
_ASKED_MORE = 1.6  # … and what that adds to the score
_BARE = 0.98  # of a sentence in quotation marks: all of it is quoted
_SAME = 3  # sentences: "the businessman" so soon after a person spoke is that person
# how a sentence opens that goes on about the same man or woman
_TOPICS = {
    "m": ("He ", "His ", "But he ", "But his ", "And he ", "And his ", "Yet he "),
    "f": ("She ", "Her ", "But she ", "But her ", "And she ", "And her ", "Yet she "),
}
_DEFINITE = re.compile(r"^[Tt]he |(?:Republican|Democrat|independent)$")


class Pronouns:
    """The persons of one article as they are named and as they speak."""

    def __init__(self, text: str, entities: Entities, readings: Sequence[Reading]) -> None:
        self.text = text
        self.entities = entities
        self.readings = readings
        self.last: tuple[str, ...] | None = None
        self.last_at = -99
        self.last_group: str | None = None

    def spoke(self, at: int, name: str, person: tuple[str, ...] | None) -> None:
        """Note who spoke in the sentence ``at``: a person, or else somebody by description, or a body."""
        if person is not None:
            self.last, self.last_at = person, at
        else:
            self.last_group = name
            if at - self.last_at <= _SAME and _DEFINITE.search(name):
                self.last_at = at

    def person(self, at: int, position: int, gender: str) -> tuple[str, ...] | None:
        """Return the person a pronoun stands for: near, first in a sentence, lately a speaker.

        Persons named in quotations, and those known to be of the other gender, are passed over, unless there
        is nobody else: then the nearest name that may be a person's is taken. A quotation is no step back, nor
        is a sentence that opens with the pronoun itself: it is about the same person.
        """
        best, best_score = None, -99.0
        other: tuple[str, ...] | None = None
        here = False  # a person is named before the pronoun in its own sentence
        distance = at - self.last_at  # how far back the last speaker spoke
        back = 0
        for index in range(at, max(-1, at - _SIGHT), -1):
            reading = self.readings[index]
            if index == self.last_at and back == 1:
                distance = 1
            if index < at and reading.share > _BARE:
                continue
            most = _MOST - back + _ASKED_MORE * (back <= _ANSWERED)
            if back == _STEPS or (back and best_score >= most):
                break
            start, end = reading.sentence.start, reading.sentence.end
            goes_on = index < at and self.text.startswith(_TOPICS[gender], start)
            mentions = self.entities.between(start, min(end, position))
            subject = None
            if mentions and mentions[-1].start != start:
                subject = self._after_opener(start, mentions, gender)
            first = not goes_on
            for mention in mentions:
                if any(low <= mention.start < high for low, high in reading.quoted):
                    continue
                name = mention.name
                if not (self.entities.is_person(name) or self.entities.has_spoken(name)):
                    if other is None and mention.start - start < 4:
                        other = name if self.entities.could_be_person(name) else None
                    continue
                known = self.entities.gender(name)
                if known and known != gender:
                    namesake = None if mention.titles else self.entities.namesake(name, gender)
                    if namesake is None:
                        continue
                    name = namesake
                leads = first if subject is None else mention is subject
                score = (1.0 if leads else 0.0) + (0.2 if known else 0.0) - back
                if not self.entities.is_person(name):
                    score -= 0.8  # it may be a body
                if mention.start - start < 4 or mention is subject:
                    score += 0.5  # the sentence is about that person
                if 0 < back <= _ANSWERED and self.text.endswith("asked ", 0, mention.start):
                    score += _ASKED_MORE  # who is asked answers
                if back == 0:
                    aside = self.text.startswith("Asked ", start) or self._is_object(mention)
                    score -= 0.5 + 0.5 * aside
                if self.text[mention.end - 2 : mention.end] in {"'s", "’s"}:
                    score -= 0.7  # whose it is, not who
                else:
                    first = False
                here |= back == 0
                if score > best_score:
                    best, best_score = name, score
            back += not goes_on
        if self.last is not None:
            known = self.entities.gender(self.last)
            score = 1.0 - 0.5 * distance + (0.2 if known else 0.0)
            asks = self.readings[self.last_at].cue in LEX.asks  # then somebody else answers
            if not here and self.readings[at].quoted and distance == 1 and not asks:
                score += 1.0  # who is being quoted goes on
            if (not known or known == gender) and score > best_score + 1e-9:
                best = self.last
        return best or other

    def _after_opener(self, start: int, mentions: Sequence[Mention], gender: str) -> Mention | None:
        """Return the person a sentence is about after its opening phrase: "At a rally in TOWN, NAME began …".

        None where that is nobody the pronoun can stand for.
        """
        word = self.text[start : start + 12].partition(" ")[0].lower()
        if word not in LEX.openers and not word.endswith(("ing", "ed")):
            return None
        for mention in mentions:
            name, after = mention.name, self.text[mention.end : mention.end + 2]
            comma = self.text[mention.start - 2 : mention.start] == ", "
            if comma and after[:1] == " " and after[1:].islower():
                speaks = self.entities.is_person(name) or self.entities.has_spoken(name)
                return mention if speaks and self.entities.gender(name) in {"", gender} else None
        return None

    def _is_object(self, mention: Mention) -> bool:
        """Say whether a preposition stands right before a name."""
        before = self.text[max(0, mention.start - 12) : mention.start].split()
        return bool(before) and before[-1] in LEX.prepositions
