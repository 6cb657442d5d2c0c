"""Who the names of an article are: the fullest form of each, whether it is a person's, and the gender.

Told from titles, first names, last words and how the article comes back to a name.
"""

from bisect import bisect_left
from collections import Counter, defaultdict

from onrecord.corpus.attribution.lexicon import LEX
from onrecord.corpus.attribution.mentions import Mention, bare, looks_person, names_in


class Entities:
    """The names of one article, and what each short form stands for."""

    def __init__(self, text: str) -> None:
        self.mentions, self.persons, self._proper, self._acronyms = names_in(text)
        self.starts = [start for start, _, _, _ in self.mentions]
        self.counts = Counter([name for _, _, name, _ in self.mentions])
        self._titles: dict[str, set[str]] = defaultdict(set)
        for _, _, name, titles in self.mentions:
            if titles:
                self._titles[name[-1]].update(bare(t).lower() for t in titles)
        self._by_last: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        self._by_first: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for name in self.counts:
            if len(name) > 1:
                last = (
                    name[-2]
                    if name[-1].lower() in LEX.name_suffixes and len(name) > 2
                    else name[-1]
                )
                self._by_last[last].append(name)
                self._by_first[name[0]].append(name)
        self._voices: set[tuple[str, ...]] = set()
        self._full: dict[tuple[str, ...], str] = {}
        self._person: dict[tuple[str, ...], bool] = {}
        self._mentions_of: dict[str, list[Mention]] | None = None

    def full(self, name: tuple[str, ...]) -> str:
        """Return the fullest form of ``name`` in the article."""
        found = self._full.get(name)
        if found is None:
            found = self._full[name] = " ".join(self._fullest(name))
        return found

    def bearer(self, mention: Mention) -> tuple[str, ...]:
        """Return the name a mention stands for: of "Mrs. Clinton" the Clinton who is a woman, if one is named."""
        if len(mention.name) == 1 and mention.titles:
            title = bare(mention.titles[-1]).lower()
            gender = "f" if title in LEX.titles_she else "m" if title in LEX.titles_he else ""
            if gender:
                return self.namesake(mention.name, gender) or mention.name
        return mention.name

    def namesake(self, name: tuple[str, ...], gender: str) -> tuple[str, ...] | None:
        """Return the person of that gender who bears a surname that persons of the article share."""
        options = self._by_last.get(name[-1], []) if len(name) == 1 else []
        firsts = LEX.women if gender == "f" else LEX.men
        same = [n for n in options if n[0].lower() in firsts and looks_person(n)]
        if len(options) < 2 or not same:
            return None
        return max(same, key=lambda n: (self.counts[n], len(n)))

    def _fullest(self, name: tuple[str, ...]) -> tuple[str, ...]:
        if len(name) == 1:
            word = name[0]
            if word in self._acronyms:
                return (self._acronyms[word],)
            options = list(filter(looks_person, self._by_last.get(word, ())))
            if not options and word.lower() in LEX.first_names:
                options = list(filter(looks_person, self._by_first.get(word, ())))
            if not options:
                return name
            return max(options, key=lambda n: (self.counts[n], len(n)))
        if not looks_person(name):
            return name
        last = name[-1]
        same = [n for n in self._by_last[last] if n[0] == name[0] and len(n) > len(name)]
        return max(same, key=lambda n: (len(n), self.counts[n])) if same else name

    def could_be_person(self, name: tuple[str, ...]) -> bool:
        """Say whether a name of two or three words may be a person's where nothing else shows it."""
        return 1 < len(name) < 4 and looks_person(name)

    def is_name(self, name: tuple[str, ...]) -> bool:
        """Say whether a capitalised word is a name, not merely the first word of a sentence."""
        return len(name) > 1 or name[0] in self._proper or name[0].lower() in LEX.first_names

    def mentions_of(self, full: str) -> list[Mention]:
        """Return the mentions whose fullest form is ``full``."""
        if self._mentions_of is None:
            self._mentions_of = defaultdict(list)
            for mention in self.mentions:
                self._mentions_of[self.full(mention.name)].append(mention)
        return self._mentions_of.get(full, [])

    def speaks(self, name: tuple[str, ...]) -> None:
        """Note that a name is the subject of speech: of two words or more, it is a person's if it can be."""
        if len(name) > 1 and looks_person(name):
            self.persons.add(name)
            self._person.pop((name[-1],), None)
        elif len(name) == 1 and looks_person(name) and name[0] not in self._acronyms:
            self._voices.add(name)

    def has_spoken(self, name: tuple[str, ...]) -> bool:
        """Say whether a single word, of which nothing else shows what it names, was the subject of speech."""
        return name in self._voices

    def is_person(self, name: tuple[str, ...]) -> bool:
        """Say whether a name is likely a person's."""
        if name in self.persons:
            return True
        known = self._person.get(name)
        if known is None:
            known = self._person[name] = self._likely_person(name)
        return known

    def _likely_person(self, name: tuple[str, ...]) -> bool:
        if not looks_person(name):
            return False
        if len(name) == 1:
            word = name[0]
            named = self._by_last.get(word, [])
            if word.lower() in LEX.first_names:
                named = named + self._by_first.get(word, [])
            return word in self._titles or any(map(self.is_person, named))
        return (
            name[0].lower() in LEX.first_names
            or name[-1] in self._titles
            or (name[-1],) in self.counts
        )

    def gender(self, name: tuple[str, ...]) -> str:
        """Return ``m``, ``f`` or an empty string where neither title nor first name tells."""
        titles = self._titles.get(name[-1], set())
        first = self._fullest(name)[0].lower() if len(name) == 1 else name[0].lower()
        man = first in LEX.men or bool(titles & LEX.titles_he)
        woman = first in LEX.women or bool(titles & LEX.titles_she)
        if titles & LEX.titles_he and not titles & LEX.titles_she:
            return "m"
        if titles & LEX.titles_she and not titles & LEX.titles_he:
            return "f"
        return "" if man == woman else "m" if man else "f"

    def between(self, start: int, end: int) -> list[Mention]:
        """Return the mentions that begin in ``[start, end)``."""
        low, high = self.places(start, end)
        return self.mentions[low:high]

    def places(self, start: int, end: int) -> tuple[int, int]:
        """Return where among the mentions those stand that begin in ``[start, end)``."""
        low = bisect_left(self.starts, start)
        return low, bisect_left(self.starts, end, low)
