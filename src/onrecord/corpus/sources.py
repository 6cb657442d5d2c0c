"""Who the subject of a cue is: a name in its fullest form, a title's bearer, a pronoun's person, or a phrase."""

import re
from collections.abc import Sequence

from onrecord.corpus.lexicon import words as listed
from onrecord.corpus.mentions import ORG_NOUNS, TITLES, Mention, bare, looks_person
from onrecord.corpus.names import Roster
from onrecord.corpus.readings import Reading
from onrecord.corpus.tokens import AUX, PREPOSITIONS, PRONOUNS, VERBS, Row

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
_OPENERS = PREPOSITIONS | listed("openers")
_DEFINITE = re.compile(r"^[Tt]he |(?:Republican|Democrat|independent)$")
_ASKED = frozenset(["asked", "asks", "pressed", "questioned"])
_BEHIND = 20_000  # code points: how far back a title finds its bearer
_DOCUMENTS = listed("documents", "speech_nouns")
_NO_NAME_AFTER = PREPOSITIONS | {"and", "or", "the"}
_NO_START = AUX | PREPOSITIONS | {"when", "as", "while"}
_AFTER_HEAD = PREPOSITIONS | {"who", "(", "and"}
_BODIES = ORG_NOUNS | {
    "club",
    "division",
    "citizens",
    "mayors",
    "friends",
    "voice",
    "mothers",
    "moms",
}
_JOINED = re.compile(r"(?: (?:of|for|against)(?: the)? [A-Z][\w&’'-]*(?: [A-Z][\w&’'-]*)*)+")
_CALLED = frozenset(["calling", "known", "named"])
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


class Sources:
    """The speakers of one article as they come up: whom "he", "she" or "the senator" may mean."""

    def __init__(self, text: str, roster: Roster, readings: Sequence[Reading]) -> None:
        self.text = text
        self.roster = roster
        self.readings = readings
        self.last: tuple[str, ...] | None = None
        self.last_at = -99
        self.last_group: str | None = None

    def spoke(self, at: int, name: str, person: tuple[str, ...] | None) -> None:
        """Note who spoke in the sentence ``at``, for the pronouns to come."""
        if person is not None:
            self.last, self.last_at = person, at
        else:
            self.last_group = name
            if at - self.last_at <= _SAME and _DEFINITE.search(name):
                self.last_at = at

    def of(
        self, at: int, row: Row, subject: tuple[int, int]
    ) -> tuple[str | None, tuple[str, ...] | None, float]:
        """Return the speaker's fullest name, the person's name as mentioned, and how sure that is."""
        first = subject[0]
        if subject[1] - first == 1 and row.lows[first] in PRONOUNS:
            return self._pronoun(at, row, first)
        mention = self._named(row, subject)
        if mention is not None:
            body = self._body(mention)
            if body is not None:
                return body, None, 1.0
            name = self.roster.bearer(mention)
            self.roster.speaks(name)
            speaks = self.roster.is_person(name) or self.roster.has_spoken(name)
            return self.roster.full(name), name if speaks else None, 1.0
        bearer = self._bearer(row, subject)
        if bearer is not None:
            return self.roster.full(bearer), bearer, 0.8
        if self._no_phrase(row.words[first], row.lows[first]):
            return None, None, 0.0
        phrase = self.text[row.starts()[first] : row.end(subject[1] - 1)].strip()
        return phrase, None, 0.8

    def _no_phrase(self, word: str, low: str) -> bool:
        """Say whether a word cannot open a noun phrase: a verb, an auxiliary, a preposition."""
        if not word[:1].islower():
            return False
        verb = VERBS.get(low)
        return low in _NO_START or (verb is not None and not verb.nounish)

    def _body(self, mention: Mention) -> str | None:
        """Return the whole name of a body that small words join: "Center for Better Streets"."""
        if mention.name[-1].lower() not in _BODIES:
            return None
        joined = _JOINED.match(self.text, mention.end)
        if joined is None:
            return None
        return " ".join([*mention.name, *joined[0].split()])

    def _bearer(self, row: Row, subject: tuple[int, int]) -> tuple[str, ...] | None:
        """Return the person last named with the title that "the senator" uses, if there is one."""
        lows = row.lows
        if subject[1] - subject[0] != 2 or lows[subject[0]] != "the":
            return None
        return self._titled(lows[subject[0] + 1], row.starts()[subject[0]])

    def _titled(self, title: str, before: int) -> tuple[str, ...] | None:
        """Return who was last named with a title alone, else with more before it: "World Bank President NAME"."""
        wanted = _SHORT.get(title, {title})
        last = None
        for mention in reversed(self.roster.between(before - _BEHIND, before)):
            if mention.titles and bare(mention.titles[-1]).lower() in wanted:
                if len(mention.titles) == 1:
                    return mention.name
                last = last or mention.name
        return last

    def _named(self, row: Row, subject: tuple[int, int]) -> Mention | None:
        words, lows = row.words, row.lows
        low, high = subject
        plain = words[high - 1][:1].islower()
        if plain and (lows[high - 1] in _CALLED or lows[min(high, len(lows) - 1)] in _CALLED):
            told = self.roster.between(row.end(high - 1), row.end(high - 1) + 20)
            if told and self.roster.is_name(told[0].name) and looks_person(told[0].name):
                return told[0]  # "a man calling himself NAME"
        whole = self._ending_at(row, low, high)
        if (
            whole is not None
            and len(whole.name) > 1
            and self.roster.is_person(whole.name)
            and self._is_head(row, low, whole)
        ):
            return whole
        head = high
        for at in range(low + 1, high):
            if lows[at] in _AFTER_HEAD:
                head = at
                break
        if head == high or lows[head] != "and" or self._pair(row, head, high):
            mention = self._ending_at(row, low, head)
            if mention is not None:
                return mention
        documents = [at for at in range(low, head) if lows[at] in _DOCUMENTS]
        if documents:
            owner = self._ending_at(row, low, documents[0])
            if owner is not None:
                return owner
            if head < high and lows[head] in {"by", "from", "of"}:
                inside = self.roster.between(row.starts()[head], row.end(high - 1))
                if inside:
                    return inside[0]
        return None

    def _pair(self, row: Row, joint: int, high: int) -> bool:
        """Say whether "NAME and NAME" are two persons: the first is the speaker then."""
        after = self.roster.between(row.starts()[joint], row.end(high - 1))
        if not after:
            return False
        first = self._ending_at(row, max(0, joint - 6), joint)
        both = first is not None and len(first.name) > 1 and self.roster.is_person(first.name)
        return self.roster.is_person(after[0].name) or (
            both and self.roster.could_be_person(after[0].name)
        )

    def _is_head(self, row: Row, low: int, mention: Mention) -> bool:
        """Say whether the person named last in a subject is whom it means: "Gov. and party chairman NAME"."""
        words, lows = row.words, row.lows
        last = low - 1
        while last + 1 < len(lows) and row.end(last + 1) <= mention.start:
            last += 1
        if last < low or lows[last] not in _NO_NAME_AFTER:
            return True
        if lows[last] != "and":
            return False
        return last > low and bare(words[last - 1]).lower() in TITLES

    def _ending_at(self, row: Row, low: int, head: int) -> Mention | None:
        """Return the mention that ends where the token before ``head`` ends."""
        if head <= low:
            return None
        end = row.end(head - 1)
        here = self.roster.between(row.starts()[low], end)
        if here and here[-1].end >= end - 1 and self.roster.is_name(here[-1].name):
            return here[-1]
        return None

    def _pronoun(
        self, at: int, row: Row, token: int
    ) -> tuple[str | None, tuple[str, ...] | None, float]:
        low = row.lows[token]
        if low in {"he", "she"}:
            person = self._antecedent(at, row.starts()[token], "m" if low == "he" else "f")
            if person is None:
                return row.words[token], None, 0.2
            sure = 0.85 if self.roster.is_person(person) else 0.5
            return self.roster.full(person), person, sure
        if low in {"they", "it"}:
            return self.last_group, None, 0.5
        if low in {"i", "we", "you"}:
            return None, None, 0.0
        return row.words[token], None, 0.5

    def _antecedent(self, at: int, position: int, gender: str) -> tuple[str, ...] | None:
        """Return the person a pronoun stands for: near, first in a sentence, lately a speaker.

        Persons named in quotations, and those known to be of the other gender, are passed over, unless there
        is nobody else: then the nearest name that may be a person's is taken. A quotation is no step back, nor
        is a sentence that opens with the pronoun itself: it is about the same person.
        """
        best, best_score = None, -99.0
        other: tuple[str, ...] | None = None
        here = False  # a person is named before the pronoun in its own sentence
        said = at - self.last_at  # how far back the last speaker spoke
        back = 0
        for index in range(at, max(-1, at - _SIGHT), -1):
            reading = self.readings[index]
            if index == self.last_at and back == 1:
                said = 1
            if index < at and reading.share > _BARE:
                continue
            most = _MOST - back + _ASKED_MORE * (back <= _ANSWERED)
            if back == _STEPS or (back and best_score >= most):
                break
            start, end = reading.sentence.start, reading.sentence.end
            goes_on = index < at and self.text.startswith(_TOPICS[gender], start)
            mentions = self.roster.between(start, min(end, position))
            subject = self._after_opener(start, mentions) if mentions else None
            first = not goes_on
            for mention in mentions:
                if any(low <= mention.start < high for low, high in reading.quoted):
                    continue
                name = mention.name
                if not (self.roster.is_person(name) or self.roster.has_spoken(name)):
                    if other is None and mention.start - start < 4:
                        other = name if self.roster.could_be_person(name) else None
                    continue
                known = self.roster.gender(name)
                if known and known != gender:
                    namesake = None if mention.titles else self.roster.namesake(name, gender)
                    if namesake is None:
                        continue
                    name = namesake
                leads = first if subject is None else mention is subject
                score = (1.0 if leads else 0.0) + (0.2 if known else 0.0) - back
                if not self.roster.is_person(name):
                    score -= 0.8  # it may be a body
                if mention.start - start < 4 or mention is subject:
                    score += 0.5  # the sentence is about that person
                if 0 < back <= _ANSWERED and self.text.endswith("asked ", 0, mention.start):
                    score += _ASKED_MORE  # who is asked answers
                if back == 0:
                    score -= 0.5 + 0.5 * self._is_object(mention)
                if self.text[mention.end - 2 : mention.end] in {"'s", "’s"}:
                    score -= 0.7  # whose it is, not who
                else:
                    first = False
                here |= back == 0
                if score > best_score:
                    best, best_score = name, score
            back += not goes_on
        if self.last is not None:
            known = self.roster.gender(self.last)
            score = 1.0 - 0.5 * said + (0.2 if known else 0.0)
            asks = self.readings[self.last_at].cue in _ASKED  # then somebody else answers
            if not here and self.readings[at].quoted and said == 1 and not asks:
                score += 1.0  # who is being quoted goes on
            if (not known or known == gender) and score > best_score + 1e-9:
                best = self.last
        return best or other

    def _after_opener(self, start: int, mentions: Sequence[Mention]) -> Mention | None:
        """Return whom a sentence is about after its opening phrase: "At a rally in TOWN, NAME began …"."""
        word = self.text[start : start + 12].partition(" ")[0].lower()
        if word not in _OPENERS and not word.endswith(("ing", "ed")):
            return None
        for mention in mentions:
            after = self.text[mention.end : mention.end + 2]
            if (
                self.text[mention.start - 2 : mention.start] == ", "
                and after[:1] == " "
                and after[1:].islower()
            ):
                return mention
        return None

    def _is_object(self, mention: Mention) -> bool:
        """Say whether a preposition stands right before a name."""
        before = self.text[max(0, mention.start - 12) : mention.start].split()
        return bool(before) and before[-1] in PREPOSITIONS
