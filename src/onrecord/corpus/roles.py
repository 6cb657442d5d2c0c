"""
What kind of speaker a name is: politician, agency, advocate, expert or other, by the roles around it.

Roles are looked up in the words before a name ("Senate Minority Leader NAME"), in the appositive after it
("NAME, director of …,") and in parentheses ("NAME (D-NY)"), over all mentions of the name in the article.
"""

import re

from onrecord.corpus.lexicon import words
from onrecord.corpus.names import ORG_NOUNS, Roster, bare

ROLES: dict[str, frozenset[str]] = {
    kind: words(f"role_{kind}") for kind in ("politician", "agency", "advocate", "expert", "other")
}
_KIND_OF = {
    word: kind
    for kind in ("other", "expert", "advocate", "agency", "politician")
    for word in ROLES[kind]
}
_PARTY = re.compile(r"\s?[(,]\s?(?:[RDI]|Rep|Dem|Ind)\b\.?(?:[-–—, ]|\))")
_WORD = re.compile(r"[\w&]+(?:[-’'.]\w+)*")
_SPOKEN_FOR = frozenset(
    [
        "spokesman",
        "spokeswoman",
        "spokesperson",
        "spokespeople",
        "secretary",
        "representative",
        "official",
        "officials",
        "aide",
        "aides",
        "adviser",
        "advisor",
        "manager",
        "director",
        "strategist",
        "counsel",
        "attorney",
        "lawyer",
        "chief",
        "president",
        "chairman",
        "chairwoman",
        "chair",
        "leader",
        "member",
        "head",
        "executive",
        "ceo",
        "founder",
    ]
)
_CAMPAIGN = frozenset(
    [
        "campaign",
        "campaigns",
        "democrats",
        "republicans",
        "democratic",
        "republican",
        "gop",
        "party",
        "pac",
    ]
)
_BODIES = frozenset(
    [
        "police",
        "sheriff",
        "department",
        "agency",
        "county",
        "city",
        "state",
        "federal",
        "ministry",
        "bureau",
        "office",
        "commission",
        "authority",
        "ice",
        "fbi",
        "cia",
        "dhs",
        "doj",
        "epa",
        "irs",
        "border",
        "patrol",
        "transit",
        "district",
        "school",
        "government",
        "pentagon",
        "administration",
    ]
)
_CAUSE = frozenset(
    [
        "federation",
        "union",
        "coalition",
        "alliance",
        "association",
        "league",
        "foundation",
        "society",
        "action",
        "project",
        "network",
        "rights",
        "justice",
        "advocacy",
        "committee",
        "democrats",
        "republicans",
        "lobby",
        "council",
        "fund",
        "now",
        "caucus",
        "initiative",
        "institute",
        "chamber",
        "teamsters",
        "workers",
        "tenants",
        "riders",
    ]
)
_LEARNED = frozenset(
    [
        "university",
        "college",
        "institute",
        "clinic",
        "school",
        "law",
        "center",
        "centre",
        "research",
    ]
)
_MEDIA = frozenset(
    [
        "times",
        "post",
        "journal",
        "news",
        "herald",
        "tribune",
        "gazette",
        "globe",
        "guardian",
        "reuters",
        "press",
        "magazine",
        "cnn",
        "nbc",
        "abc",
        "cbs",
        "msnbc",
        "npr",
        "bbc",
        "politico",
        "bloomberg",
        "breitbart",
        "examiner",
        "beacon",
        "telegraph",
        "observer",
        "chronicle",
        "network",
    ]
)
_CITIZEN = re.compile(r",\s(?:aged\s)?\d{2},")


def kind_of_words(descriptor: list[str], organisation: list[str]) -> str | None:
    """
    Return the kind that a descriptor's words give, or None.

    ``descriptor`` holds the words of a phrase in lower case, nearest to the name last;
    ``organisation`` is those of the phrase that are capitalised.

    >>> kind_of_words(["senate", "minority", "leader"], [])
    'politician'
    >>> kind_of_words(["federation", "for", "reform", "spokesman"], ["federation", "reform"])
    'advocate'
    >>> kind_of_words(["director", "of", "the", "university", "clinic"], ["university", "clinic"])
    'expert'
    """
    found = set(descriptor)
    if found & _SPOKEN_FOR:
        if found & {"campaign", "campaigns"}:
            return "politician"
        if found & {"democrats", "republicans", "gop", "party"} and not found & {
            "senate",
            "house",
            "leader",
            "nominee",
            "candidate",
        }:
            return "advocate"
        if (
            found & _LEARNED
            and not found & {"student", "students"}
            and not found & {"police", "spokesman", "spokeswoman"}
        ):
            return "expert"
        if found & {
            "department",
            "agency",
            "police",
            "sheriff's",
            "ministry",
            "bureau",
            "ice",
            "county",
            "city",
            "state",
            "district",
        }:
            if "state" in found and found & {"representative", "senator"}:
                return "politician"
            if "secretary" in found or not found & {"president", "member", "leader"}:
                return "agency"
        if found & (_CAUSE - {"institute", "council", "justice"}) and not found & {
            "senate",
            "house",
            "senator",
        }:
            return "advocate"
        if found & {"house", "senate", "council", "congressional", "congress"}:
            return "politician"
        if found & {"white", "administration", "government"} and found & {
            "spokesman",
            "spokeswoman",
            "spokesperson",
            "official",
            "officials",
            "secretary",
        }:
            return "agency"
        if found & {"company", "inc", "corp", "group"} and "president" in found:
            return "other"
    for word in reversed(descriptor):
        kind = _KIND_OF.get(word) or (_KIND_OF.get(word[:-2]) if word.endswith("'s") else None)
        if kind is not None:
            return kind
    return None


def kind_of_name(text: str, roster: Roster, name: str) -> str | None:
    """Return the kind of a named speaker from all its mentions, or None where no words tell."""
    last = name.rsplit(maxsplit=1)[-1]
    votes: dict[str, float] = {}
    person = False
    for mention in roster.mentions:
        if mention.name[-1] != last or roster.full(mention.name) != name:
            continue
        person = person or roster.is_person(mention.name)
        before = _phrase_before(text, mention.start)
        titled = [bare(t).lower() for t in mention.titles]
        kind = None
        if _PARTY.match(text, mention.end):
            kind, weight = "politician", 3.0
        if kind is None and (titled or before):
            organisation = [w.lower() for w in before if w[:1].isupper()]
            kind = kind_of_words([bare(w).lower() for w in before] + titled, organisation)
            weight = 2.0 if titled else 1.5
        if kind is None and text[mention.end : mention.end + 2] == ", ":
            after = _appositive(text, mention.end + 2)
            if after:
                kind = kind_of_words(
                    [bare(w).lower() for w in reversed(after)],
                    [w.lower() for w in after if w[:1].isupper()],
                )
                weight = 2.0
            if kind is None and _CITIZEN.match(text, mention.end):
                kind, weight = "other", 1.0
        if kind is not None:
            votes[kind] = votes.get(kind, 0.0) + weight
    if not person:
        own = kind_of_body(name)
        if own is not None:
            return own
    return max(votes, key=lambda k: votes[k]) if votes else None


def kind_of_body(name: str) -> str | None:
    """Return the kind of a body by the words of its own name, or None."""
    lows = [w.lower() for w in name.split()]
    found = set(lows)
    if found & {
        "democrats",
        "republicans",
        "gop",
        "senate",
        "house",
        "congress",
        "campaign",
        "democratic",
        "republican",
        "dnc",
        "rnc",
    }:
        return "agency" if {"white", "house"} <= found else "politician"
    if found & _MEDIA:
        return "other"
    if found & {
        "federation",
        "union",
        "coalition",
        "alliance",
        "association",
        "league",
        "foundation",
        "society",
        "teamsters",
        "parenthood",
        "aclu",
        "nra",
    }:
        return "advocate"
    if found & {"university", "institute", "college"}:
        return "expert"
    if found & _BODIES or lows[-1] in {
        "department",
        "court",
        "enforcement",
        "service",
        "services",
        "council",
        "board",
        "protection",
        "bureau",
    }:
        return "agency"
    if name.isupper() and len(name) <= 5:
        return "agency"
    return None


def kind_of_nominal(phrase: str) -> str:
    """Return the kind of an unnamed speaker by the words of the phrase; other where none tells."""
    low = [bare(w).lower() for w in _WORD.findall(phrase)]
    head = low
    for at, word in enumerate(low):
        if at and word in {
            "of",
            "for",
            "in",
            "at",
            "from",
            "with",
            "on",
            "by",
            "to",
            "who",
            "near",
        }:
            head = low[:at]
            break
    if set(head) & {
        "spokesman",
        "spokeswoman",
        "spokesperson",
        "official",
        "officials",
        "aide",
        "aides",
    }:
        return kind_of_words([*low[len(head) :], *head], []) or "agency"
    for word in reversed(head):
        kind = _KIND_OF.get(word)
        if kind is not None:
            return kind
    return "other"


def _phrase_before(text: str, start: int) -> list[str]:
    """Return the words right before a name, back to a mark or a verb-like break, at most eight."""
    window = text[max(0, start - 90) : start]
    cut = max(window.rfind(c) for c in ',.;:—–()"“”\n?!')
    found = _WORD.findall(window[cut + 1 :])[-8:]
    for at in range(len(found) - 1, -1, -1):
        low = found[at].lower()
        if low in _BREAKS or (
            at < len(found) - 1 and low.endswith("ed") and found[at][0].islower()
        ):
            return found[at + 1 :]
    return found


_BREAKS = words(
    "aux", "verbs_plain", "pronouns_he", "pronouns_she", "pronouns_they", "conjunctions"
) | frozenset(
    [
        "said",
        "says",
        "told",
        "against",
        "with",
        "by",
        "to",
        "from",
        "in",
        "at",
        "on",
        "and",
        "or",
        "like",
        "asked",
        "called",
        "met",
    ]
)


def _appositive(text: str, start: int) -> list[str]:
    """Return the words of an appositive that begins at ``start``, or nothing where it is none."""
    window = text[start : start + 160]
    end = min((i for i in (window.find(c) for c in ',.;:—\n“"') if i >= 0), default=len(window))
    found = _WORD.findall(window[:end])
    if not found or found[0].lower() in _BREAKS - {"the"} or len(found) > 18:
        return []
    first = found[0].lower()
    if not (
        first in {"a", "an", "the", "who", "one", "his", "her", "its", "their", "former"}
        or any(w.lower() in _KIND_OF for w in found[:7])
    ):
        return []
    # of "director of the X clinic" the head noun comes first: keep what stands before a relative clause
    for at, word in enumerate(found):
        if word.lower() in {"who", "which", "whose", "where"}:
            return found[:at] if at else found
    return found


def is_body(name: str) -> bool:
    """Say whether a name's last word is that of a body or place."""
    return name.rsplit(maxsplit=1)[-1].lower() in ORG_NOUNS
