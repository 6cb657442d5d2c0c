"""English word lists that attribution goes by, read once from the packaged ``words.yaml``."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

# How far a reporting verb vouches for itself: it reports anything, a clause, or only a quotation.
SAY, CLAUSE, QUOTE = 3, 2, 1


class Verb(NamedTuple):
    """One form of a reporting verb. ``participle`` is the form in -ing; ``nounish`` forms are often nouns."""

    lemma: str
    strength: int
    participle: bool
    nounish: bool
    opinion: bool
    wish: bool
    base: bool


class Lexicon(NamedTuple):
    """The lists, by purpose; all words are in lower case."""

    verbs: dict[str, Verb]
    sets: dict[str, frozenset[str]]


def inflected(lemma: str) -> list[str]:
    """Return a regular verb's forms: third person, past, participle in -ing.

    >>> inflected("argue"), inflected("deny"), inflected("stress")
    (['argues', 'argued', 'arguing'], ['denies', 'denied', 'denying'], ['stresses', 'stressed', 'stressing'])
    """
    if lemma.endswith("e"):
        return [lemma + "s", lemma + "d", lemma[:-1] + "ing"]
    if lemma.endswith("y") and lemma[-2] not in "aeiou":
        return [lemma[:-1] + "ies", lemma[:-1] + "ied", lemma + "ing"]
    plural = lemma + ("es" if lemma.endswith(("s", "sh", "ch", "x", "z")) else "s")
    return [plural, lemma + "ed", lemma + "ing"]


@cache
def lexicon() -> Lexicon:
    """Return the packaged lists."""
    raw: dict[str, Any] = yaml.safe_load(
        files("onrecord.corpus.attribution").joinpath("words.yaml").read_text(encoding="utf-8")
    )
    irregular = {lemma: forms.split() for lemma, forms in raw.pop("irregular").items()}
    sets = {name: frozenset(words.split()) for name, words in raw.items()}
    verbs: dict[str, Verb] = {}
    for name, strength in (
        ("verbs_quote", QUOTE),
        ("verbs_opinion", QUOTE),
        ("verbs_wish", CLAUSE),
        ("verbs_clause", CLAUSE),
        ("verbs_say", SAY),
    ):
        for lemma in sorted(sets[name]):
            forms = irregular.get(lemma) or inflected(lemma)
            for form in [lemma, *forms]:
                verbs[form] = Verb(
                    lemma,
                    strength,
                    form == forms[-1],
                    form in sets["noun_like"],
                    lemma in sets["verbs_opinion"],
                    lemma in sets["verbs_wish"],
                    form == lemma,
                )
    return Lexicon(verbs, sets)


def words(*names: str) -> frozenset[str]:
    """Return the union of the named lists."""
    found: Iterable[frozenset[str]] = (lexicon().sets[name] for name in names)
    return frozenset().union(*found)
