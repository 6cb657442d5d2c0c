"""English word lists that attribution goes by, read once from the packaged ``words.yaml``."""

from collections.abc import Mapping
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


class Lexicon:
    """The lists of ``words.yaml``, each an attribute: ``LEX.prepositions``. All but the abbreviations are in lower case.

    ``titles_meant`` has, for a title in prose, those that stand before names.
    """

    titles_meant: dict[str, frozenset[str]]

    def __init__(self, raw: Mapping[str, Any]) -> None:
        def resolved(text: str) -> frozenset[str]:
            return frozenset().union(
                *(resolved(raw[w[1:]]) if w[0] == "$" else {w} for w in text.split())
            )

        for name, listed in raw.items():
            one = isinstance(listed, str)
            vars(self)[name] = (
                resolved(listed) if one else {key: resolved(text) for key, text in listed.items()}
            )

    def __getattr__(self, name: str) -> frozenset[str]:
        """Raise AttributeError: the list is not in the file."""
        raise AttributeError(name)


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


def reporting_verbs(lists: Lexicon, irregular: Mapping[str, str]) -> dict[str, Verb]:
    """Return each form of the reporting verbs; ``irregular`` gives the forms of those that are not regular."""
    verbs: dict[str, Verb] = {}
    for lemmas, strength in (
        (lists.verbs_quote | lists.verbs_opinion, QUOTE),
        (lists.verbs_wish | lists.verbs_clause, CLAUSE),
        (lists.verbs_say, SAY),
    ):
        for lemma in sorted(lemmas):
            forms = irregular[lemma].split() if lemma in irregular else inflected(lemma)
            for form in [lemma, *forms]:
                verbs[form] = Verb(
                    lemma,
                    strength,
                    participle=form == forms[-1],
                    nounish=form in lists.noun_like,
                    opinion=lemma in lists.verbs_opinion,
                    wish=lemma in lists.verbs_wish,
                    base=form == lemma,
                )
    return verbs


_RAW: dict[str, Any] = yaml.load(
    files("onrecord.corpus.attribution").joinpath("words.yaml").read_text(encoding="utf-8"),
    yaml.CSafeLoader,
)
_IRREGULAR = _RAW.pop("irregular")
LEX = Lexicon(_RAW)
VERBS = reporting_verbs(LEX, _IRREGULAR)
