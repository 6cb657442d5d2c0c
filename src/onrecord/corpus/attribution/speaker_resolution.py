"""Who the subject of a cue is: a name in its fullest form, a title's bearer, a pronoun's person, or a phrase."""

import re
from collections.abc import Sequence

from onrecord.corpus.attribution.coreference import Pronouns
from onrecord.corpus.attribution.entities import Entities
from onrecord.corpus.attribution.lexicon import LEX, VERBS
from onrecord.corpus.attribution.mentions import Mention, bare, looks_person
from onrecord.corpus.attribution.sentence_state import Reading
from onrecord.corpus.attribution.tokens import Tokens

_BEHIND = 20_000  # code points: how far back a title finds its bearer
_AHEAD = 200  # mentions: how far on a headline finds the bearer of an office
_JOINED = re.compile(r"(?: (?:of|for|against)(?: the)? [A-Z][\w&’'-]*(?: [A-Z][\w&’'-]*)*)+")
# "the senator" is whoever was named with one of these titles


class SpeakerResolver:
    """The speakers of one article as they come up: whom "he", "she" or "the senator" may mean."""

    def __init__(self, text: str, entities: Entities, readings: Sequence[Reading]) -> None:
        self.text = text
        self.entities = entities
        self.readings = readings
        self.pronouns = Pronouns(text, entities, readings)

    def of(
        self, at: int, row: Tokens, subject: tuple[int, int]
    ) -> tuple[str | None, tuple[str, ...] | None, float]:
        """Return the speaker's fullest name, the person's name as mentioned, and how sure that is."""
        first = subject[0]
        if subject[1] - first == 1 and row.lowercased[first] in LEX.pronouns:
            return self._pronoun(at, row, first)
        mention = self._named(row, subject)
        if mention is not None:
            body = self._body(mention)
            if body is not None:
                return body, None, 1.0
            name = self.entities.bearer(mention)
            self.entities.speaks(name)
            speaks = self.entities.is_person(name) or self.entities.has_spoken(name)
            return self.entities.full(name), name if speaks else None, 1.0
        bearer = self._bearer(at, row, subject)
        if bearer is not None:
            return self.entities.full(bearer), bearer, 0.8
        if self._no_phrase(row.words[first], row.lowercased[first]):
            return None, None, 0.0
        phrase = self.text[row.start_of(first) : row.end_of(subject[1] - 1)].strip()
        return phrase, None, 0.8

    def _no_phrase(self, word: str, low: str) -> bool:
        """Say whether a word cannot open a noun phrase: a verb, an auxiliary, a preposition."""
        if not word[:1].islower():
            return False
        verb = VERBS.get(low)
        return low in LEX.no_speaker_start or (verb is not None and not verb.nounish)

    def _body(self, mention: Mention) -> str | None:
        """Return the whole name of a body that small words join: "Center for Better Streets"."""
        if mention.name[-1].lower() not in LEX.joined_bodies:
            return None
        joined = _JOINED.match(self.text, mention.end)
        if joined is None:
            return None
        return " ".join([*mention.name, *joined[0].split()])

    def _bearer(self, at: int, row: Tokens, subject: tuple[int, int]) -> tuple[str, ...] | None:
        """Return the person last named with the title that "the senator" uses, if there is one."""
        lowercased = row.lowercased
        if subject[1] - subject[0] == 1 and not self.readings[at].sentence.paragraph:
            return self.in_office(lowercased[subject[0]])
        if subject[1] - subject[0] != 2 or lowercased[subject[0]] != "the":
            return None
        return self._titled(lowercased[subject[0] + 1], row.start_of(subject[0]))

    def in_office(self, office: str) -> tuple[str, ...] | None:
        """Return the person a headline means by an office ("Mayor says …"): the first person so titled."""
        wanted = office.lower().split()
        for mention in self.entities.mentions[:_AHEAD]:
            titles = [bare(title).lower() for title in mention.titles]
            both = min(len(wanted), len(titles))
            if both and wanted[-both:] == titles[-both:]:
                return self.entities.bearer(mention)
        return None

    def _titled(self, title: str, before: int) -> tuple[str, ...] | None:
        """Return who was last named with a title alone, else with more before it: "World Bank President NAME"."""
        wanted = LEX.titles_meant.get(title, {title})
        last = None
        for mention in reversed(self.entities.between(before - _BEHIND, before)):
            if mention.titles and bare(mention.titles[-1]).lower() in wanted:
                if len(mention.titles) == 1:
                    return mention.name
                last = last or mention.name
        return last

    def _named(self, row: Tokens, subject: tuple[int, int]) -> Mention | None:
        words, lowercased = row.words, row.lowercased
        low, high = subject
        plain = words[high - 1][:1].islower()
        if plain and (
            lowercased[high - 1] in LEX.called
            or lowercased[min(high, len(lowercased) - 1)] in LEX.called
        ):
            named = self.entities.between(row.end_of(high - 1), row.end_of(high - 1) + 20)
            if named and self.entities.is_name(named[0].name) and looks_person(named[0].name):
                return named[0]  # "a man calling himself NAME"
        whole = self._ending_at(row, low, high)
        if (
            whole is not None
            and len(whole.name) > 1
            and self.entities.is_person(whole.name)
            and self._is_head(row, low, whole)
        ):
            return whole
        head = high
        for at in range(low + 1, high):
            if lowercased[at] in LEX.after_head:
                head = at
                break
        if head == high or lowercased[head] != "and" or self._pair(row, head, high):
            mention = self._ending_at(row, low, head)
            if mention is not None:
                return mention
        documents = [at for at in range(low, head) if lowercased[at] in LEX.documents]
        if documents:
            owner = self._ending_at(row, low, documents[0])
            if owner is not None:
                return owner
            if head < high and lowercased[head] in {"by", "from", "of"}:
                inside = self.entities.between(row.start_of(head), row.end_of(high - 1))
                if inside:
                    return inside[0]
        return None

    def _pair(self, row: Tokens, joint: int, high: int) -> bool:
        """Say whether "NAME and NAME" are two persons: the first is the speaker then."""
        after = self.entities.between(row.start_of(joint), row.end_of(high - 1))
        if not after:
            return False
        first = self._ending_at(row, max(0, joint - 6), joint)
        both = first is not None and len(first.name) > 1 and self.entities.is_person(first.name)
        return self.entities.is_person(after[0].name) or (
            both and self.entities.could_be_person(after[0].name)
        )

    def _is_head(self, row: Tokens, low: int, mention: Mention) -> bool:
        """Say whether the person named last in a subject is its head: "Gov. and party chairman NAME"."""
        words, lowercased = row.words, row.lowercased
        last = low - 1
        while last + 1 < len(lowercased) and row.end_of(last + 1) <= mention.start:
            last += 1
        if last < low or lowercased[last] not in LEX.no_name_after:
            return True
        if lowercased[last] != "and":
            return False
        return last > low and bare(words[last - 1]).lower() in LEX.name_titles

    def _ending_at(self, row: Tokens, low: int, head: int) -> Mention | None:
        """Return the mention that ends where the token before ``head`` ends."""
        if head <= low:
            return None
        end = row.end_of(head - 1)
        here = self.entities.between(row.start_of(low), end)
        if here and here[-1].end >= end - 1 and self.entities.is_name(here[-1].name):
            return here[-1]
        return None

    def _pronoun(
        self, at: int, row: Tokens, token: int
    ) -> tuple[str | None, tuple[str, ...] | None, float]:
        low = row.lowercased[token]
        if low in {"he", "she"}:
            person = self.pronouns.person(at, row.start_of(token), "m" if low == "he" else "f")
            if person is None:
                return row.words[token], None, 0.2
            sure = 0.85 if self.entities.is_person(person) else 0.5
            return self.entities.full(person), person, sure
        if low in {"they", "it"}:
            return self.pronouns.last_group, None, 0.5
        if low in {"i", "we", "you"}:
            return None, None, 0.0
        return row.words[token], None, 0.5
