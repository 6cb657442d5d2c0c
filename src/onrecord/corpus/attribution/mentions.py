"""Names as they stand in a text: runs of capitalised words, split into titles and names.

Without a model, where a name begins and ends is decided from titles, first names, small words and the text
right before and after.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from onrecord.corpus.attribution.lexicon import LEX

_SMALL = LEX.not_names - LEX.first_names

# A capitalised word: an abbreviated title, initials, or a word with what hyphens and apostrophes join to it.
_TITLE = (
    r"(?:en(?<=[SG]en)|ep(?<=[RS]ep)|ov(?<=Gov)|r(?<=[MDJS]r)|s(?<=Ms)|t(?<=[LS]t)|ol(?<=Col)"
    r"|gt(?<=Sgt)|apt(?<=Capt)|aj(?<=Maj)|ev(?<=Rev)|on(?<=Hon)|rof(?<=Prof))s?\."
)
# The plain word comes first: most are.
_CAP = rf"[A-ZÀ-Þ](?:\w++(?![-’'&.])|{_TITLE}|\.(?:[A-Z]\.)*|\w*(?:[-’'&.]\w+)*)"
_OF = r"(?:de|da|del|della|der|den|di|du|la|le|van|von|bin|ibn|al|el|dos)"
_RUN = re.compile(
    rf"{_CAP}(?:,? (?=[JS]r\b){_CAP}|[ \u00a0](?=[A-ZÀ-Þdlvbae])(?:{_OF} ){{0,2}}(?:al-|el-)?{_CAP})*"
)
# What joins the capitalised words of a body's name: Immigration and Customs Enforcement.
_JOINS = frozenset(f" {words.replace('_', ' ')} " for words in LEX.joins)
_HEADLINED = frozenset(word.title() for word in LEX.headlined)
_INTRODUCED = re.compile(r",? who\b|, (?:aged? )?\d{2},|,? (?:said|says|told)\b")
_SPACES = frozenset(" \u00a0")
_OPENING = frozenset([*".!?:\n“”\"‘’'—–", ""])
_LONGEST = 14  # words in a name
_POSSESSIVE = re.compile(r"[’'](?:s|S)?$")


class Mention(NamedTuple):
    """A name where it stands: offsets, its words without title, the title words before it."""

    start: int
    end: int
    name: tuple[str, ...]
    titles: tuple[str, ...]


def bare(word: str) -> str:
    """Return a word without a possessive ending and without the full stop of an abbreviation.

    >>> bare("Ossoff’s"), bare("Sen."), bare("voters'")
    ('Ossoff', 'Sen', 'voters')
    """
    return _POSSESSIVE.sub("", word).rstrip(".") if word[-1] in "sS’'." else word


@lru_cache(maxsize=1 << 16)  # articles repeat the same names
def split_name(run: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return ``(titles, name)`` of a run of capitalised words; the name is empty for a bare title.

    >>> split_name(("Senate", "Minority", "Leader", "Chuck", "Schumer"))
    (('Senate', 'Minority', 'Leader'), ('Chuck', 'Schumer'))
    >>> split_name(("But", "Trump")), split_name(("Attorney", "General"))
    (((), ('Trump',)), (('Attorney', 'General'), ()))
    >>> split_name(("The", "State", "Department")), split_name(("RNC", "Staff", "Ann", "Lee"))
    (((), ('State', 'Department')), (('RNC', 'Staff'), ('Ann', 'Lee')))
    """
    parts = [*run[:-1], bare(run[-1])]
    if len(parts) == 1:
        low = bare(parts[0]).lower()
        if low in _SMALL:
            return (), ()
        alone = tuple(parts)
        return (alone, ()) if low in LEX.name_titles and low not in LEX.org_nouns else ((), alone)
    lowercased = [bare(w).lower() for w in parts]
    first = 0
    while first < len(parts) and lowercased[first] in _SMALL:
        first += 1
    parts, lowercased = parts[first:], lowercased[first:]
    if not parts or lowercased[-1] in LEX.org_nouns:
        return (), tuple(parts)
    if lowercased[-1] in LEX.name_titles and run[-1].endswith("."):
        return tuple(parts), ()  # "Vermont Sen. and …"
    if all(low in LEX.name_titles for low in lowercased):
        if len(lowercased) > 1 and lowercased[0] in LEX.first_names:
            return (), tuple(parts)
        return tuple(parts), ()
    titled = [i for i, low in enumerate(lowercased[:-1]) if low in LEX.name_titles]
    last = next((i for i in reversed(titled) if i or lowercased[0] not in LEX.men), -1)
    both = lowercased[0] in LEX.first_names and lowercased[-1] in LEX.name_titles
    if 0 < last == len(lowercased) - 2 and both and lowercased[-1] not in LEX.first_names:
        last = -1
    if len(parts) - last > 3 and lowercased[-2] in LEX.first_names and _leads(parts[last + 1 : -2]):
        last = len(parts) - 3
    return tuple(parts[: last + 1]), tuple(parts[last + 1 :])


def _leads(words: Sequence[str]) -> bool:
    """Say whether words before a first name and a last name are a body's, not names of that person."""
    return all(
        word.lower() in LEX.org_nouns or (word.isupper() and word.isalpha() and len(word) > 1)
        for word in words
    )


@lru_cache(maxsize=1 << 16)
def looks_person(name: tuple[str, ...]) -> bool:
    """Say whether a name's words can be a person's: no body's last word, no small word within."""
    return (
        len(name) <= 4
        and name[-1].lower() not in LEX.org_nouns
        and not name[-1].isupper()
        and _SMALL.isdisjoint([word.lower() for word in name[:-1]])
    )


class Names(NamedTuple):
    """What a text's capitals tell of its names."""

    mentions: list[Mention]
    persons: set[tuple[str, ...]]  # names that a role, an age or "said" shows to be a person's
    proper: set[str]  # words seen in capitals where a sentence does not begin
    acronyms: dict[str, str]


def names_in(text: str) -> Names:
    """Return the names of a text in order, with what their surroundings tell of them."""
    mentions: list[Mention] = []
    persons: set[tuple[str, ...]] = set()
    proper: set[str] = set()
    runs = list(_runs(text))
    whole = {words for _, _, words, _ in runs}
    proper.update(*[w if not o or w[0].isupper() else w[1:] for _, _, w, o in runs])
    make = tuple.__new__  # many names an article: skip the named constructor
    spelt: dict[str, str] = {}
    for run in runs:
        start, end, words, opens = run
        if len(words) > 1:
            start, words = _trimmed(text, run, proper, whole)
        if opens and words[-1].isupper() and text[end : end + 1] == ":":
            spelt = spelt or {word.upper(): word for word in sorted(proper) if word[1:].islower()}
            words = _transcribed(words, spelt)
            spelt[words[-1].upper()] = words[-1]
        titles, name = split_name(words)
        if not name:
            continue
        mentions.append(make(Mention, (start, end, name, titles)))
        if (
            1 < len(name) < 4
            and name not in persons
            and (
                _INTRODUCED.match(text, end)
                or _word_before(text, start).rstrip(",") in LEX.introducing_roles
            )
            and looks_person(name)
        ):
            persons.add(name)
    return Names(mentions, persons, proper, _acronyms(text, runs))


def _transcribed(words: tuple[str, ...], spelt: Mapping[str, str]) -> tuple[str, ...]:
    """Return a name in capitals before a colon, as transcripts print it, as it is spelt elsewhere."""
    known = words[-1] in spelt or words[0].lower() in LEX.first_names
    if not known or not all(word.isupper() for word in words):
        return words
    return tuple(spelt.get(word, word.title()) for word in words)


def _trimmed(
    text: str, run: "_Run", proper: set[str], whole: set[tuple[str, ...]]
) -> tuple[int, tuple[str, ...]]:
    """Return where a name begins in a run, and its words: without the first word of a sentence, or an office."""
    start, end, words, opens = run
    if (
        opens
        and words[0] not in proper
        and bare(words[0]).lower() not in LEX.never_dropped
        and (words[0].endswith(("ing", "ed", "ly")) or f" {words[0].lower()} " in text)
        and (words[1:] in whole or words[1].lower() in LEX.first_names)
    ):
        start, words = start + len(words[0]) + 1, words[1:]
    small = 0  # "But Ann Lee"
    while small < len(words) - 1 and words[small].lower() in LEX.not_names:
        if words[small].lower() in LEX.first_names and text[end : end + 1] == ",":
            break  # "Will Roe, the owner"
        start += len(words[small]) + 1
        small += 1
    words = words[small:]
    if len(words) > 2 and bare(words[0]).lower() not in LEX.name_titles and _in_office(text, start):
        # "Chief of Staff Ann Lee": the office ends where a first name begins
        first = next((i for i, w in enumerate(words) if w.lower() in LEX.first_names), 0)
        if first and first < len(words) - 1:
            start, words = start + len(" ".join(words[:first])) + 1, words[first:]
    return start, words


def _in_office(text: str, start: int) -> bool:
    """Say whether a title and "of" or "for" stand right before a name: "Chief of Staff …"."""
    small = _word_before(text, start)
    return (
        small in {"of", "for"}
        and _word_before(text, start - len(small) - 1).lower() in LEX.name_titles
    )


def _word_before(text: str, start: int) -> str:
    """Return the word right before a name, where one space parts them."""
    return text[text.rfind(" ", max(0, start - 20), start - 1) + 1 : start - 1] if start else ""


class _Run(NamedTuple):
    """Capitalised words in a row: offsets, the words, whether they open a sentence."""

    start: int
    end: int
    words: tuple[str, ...]
    opens: bool


def _runs(text: str) -> Iterator[_Run]:
    """Yield the runs of capitalised words; a possessive ends one, small words alone and headlines are none."""
    make = tuple.__new__
    for match in _RUN.finditer(text):
        run = match[0]
        start, end = match.span()
        if " " not in run and "\u00a0" not in run:
            if run.lower() not in LEX.not_names:
                yield make(_Run, (start, end, (run,), _opens_sentence(text, start)))
            continue
        run = run.replace("\u00a0", " ")
        words = tuple(run.split(" "))
        if len(words) > 2 and run.isupper() and text[end : end + 1] != ":":
            continue
        if not _HEADLINED.isdisjoint(words[1:]):  # "Ann Lee Says Fares Must Fall"
            verb = next(i for i, w in enumerate(words) if i and w in _HEADLINED)
            stop = start + len(" ".join(words[:verb]))
            yield _Run(start, stop, words[:verb], _opens_sentence(text, start))
            start = stop + len(words[verb]) + 2
            words = words[verb + 1 :]
            run = " ".join(words)
            if not words:
                continue
        opens = _opens_sentence(text, start)
        if "'s " in run or "’s " in run:
            begin = 0
            for at, word in enumerate(words[:-1]):
                if word.endswith(("'s", "’s")):
                    stop = start + len(" ".join(words[begin : at + 1]))
                    yield _Run(start, stop, words[begin : at + 1], opens)
                    start, begin, opens = stop + 1, at + 1, False
            words = words[begin:]
        yield make(_Run, (start, end, words, opens))


def _opens_sentence(text: str, start: int) -> bool:
    before = text[start - 1 : start]
    if before in _SPACES:
        before = text[start - 2 : start - 1]
        if before in _SPACES:
            before = text[start - 3 : start - 2]
            return before in _OPENING or before in _SPACES
    return before in _OPENING


def _acronyms(text: str, runs: Sequence[_Run]) -> dict[str, str]:
    """Return acronym → name: names whose initials spell a word that the article has in capitals."""
    seen = set[str]().union(*[words for _, _, words, _ in runs])
    wanted = {bare(w) for w in seen if w[1:2].isupper() and w[0] != "@"}
    ends = {word[-2:] for word in wanted}
    found: dict[str, str] = {}
    at, last = 0, len(runs) if wanted else 0
    while at < last:
        # a chain of runs that small words join
        _, end, words, _ = runs[at]
        chain: Sequence[str] = words
        at += 1
        while at < last and runs[at][0] - end < _LONGEST and len(chain) < _LONGEST:
            start, stop, words, _ = runs[at]
            between = text[end:start]
            if between not in _JOINS:
                break
            chain = [*chain, *between.split(), *words]
            end = stop
            at += 1
        if len(chain) < 2 or "".join([w[0] for w in chain if w[0].isupper()])[-2:] not in ends:
            continue
        for skip in range(min(4, len(chain) - 1)):
            if chain[skip][0].islower() or (skip == 0 and chain[0].lower() in LEX.not_names):
                continue
            initials = "".join(w[0] for w in chain[skip:] if w[0].isupper())
            if initials in wanted:
                found.setdefault(initials, " ".join([*chain[skip:-1], bare(chain[-1])]))
    return found
