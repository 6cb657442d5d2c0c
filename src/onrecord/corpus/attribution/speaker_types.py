"""What kind of speaker a name is: politician, agency, advocate, expert or other, by the words around it.

A role tells by itself ("senator", "economist") or is an office whose body tells ("director of the … clinic",
"… Federation spokesman"). Roles stand before a name, in its titles, in the appositive after it, in "NAME of
the …", in "NAME, who teaches …" and in parentheses ("NAME (D-NY)"); every mention in the article counts.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from onrecord.corpus.attribution.entities import Entities
from onrecord.corpus.attribution.lexicon import LEX
from onrecord.corpus.attribution.mentions import Mention, bare

KINDS = ("politician", "agency", "advocate", "expert", "other")
_ROLES = {word: kind for kind in reversed(KINDS) for word in getattr(LEX, f"role_{kind}")}
_BODIES = {word: kind for kind in reversed(KINDS) for word in getattr(LEX, f"body_{kind}")}
_PARTY = re.compile(r"\s?[(,]\s?(?:[RDI]|Rep|Dem|Ind)\b\.?(?:[-–—, ]|\))")
_AGED = re.compile(r",\s(?:aged?\s)?\d{2},")
_WORD = re.compile(r"[\w&]+(?:[-’'.]\w+)*")
_MARK = re.compile(r"[,.;:—–()\"“”\n?!]")
_OPENING = frozenset('.;:—–()"“”\n?!')  # marks but the comma: it may set off an appositive
_STOP = re.compile(r"[,.;:—\n“\"(]")
_LOOKED_AT = 500  # mentions searched for the person a spokesman speaks for
_ENOUGH = 12  # mentions of a name looked at: later ones say nothing new


def kind_of_descriptor(descriptor: Sequence[str]) -> str | None:
    """Return the kind that the words around a name give, or None where they hold no role.

    >>> kind_of_descriptor("senate minority leader".split())
    'politician'
    >>> kind_of_descriptor("Federation for Fare Reform spokesman".split())
    'advocate'
    >>> kind_of_descriptor("director of the law clinic at Larch Hill University".split())
    'expert'
    """
    return _kind_of_words(tuple(descriptor))


@lru_cache(maxsize=1 << 16)  # articles repeat the same titles
def _kind_of_words(descriptor: tuple[str, ...]) -> str | None:
    low = [bare(w).lower() for w in descriptor]
    single = [_singular(w) for w in low]
    officer = any(w in LEX.role_officer for w in single)
    learned = [w for w in single if _ROLES.get(w) == "expert"]
    if (
        learned
        and not {"district", "attorney"} <= set(single)
        and not {"attorney", "general"} <= set(single)
    ):
        return "expert"
    campaign = "campaign" in low
    if officer:
        if campaign:
            return "politician"
        if "general" in low and "attorney" in low:
            return "politician"
        if {"white", "house"} <= set(low):
            return "agency"
        body = body_kind(low)
        if set(low) & {"party", "democrats", "republicans"} and not set(low) & {
            "senate", "house", "leader", "nominee", "candidate", "council",
        }:  # fmt: skip
            return "advocate"
        if body is not None:
            return body
    for word in reversed(single):
        kind = _ROLES.get(word)
        if kind is not None:
            return kind
    return None


def body_kind(low: Sequence[str]) -> str | None:
    """Return the kind of the body that words name; the last telling word wins, a learned or civic one first."""
    if {"school", "board"} <= set(low):
        return "politician"
    kinds = [kind for w in low if (kind := _BODIES.get(w)) is not None]
    for kind in ("expert", "advocate"):
        if kind in kinds and (kind == "advocate" or kinds[-1] != "agency"):
            return kind
    return kinds[-1] if kinds else None


def _singular(word: str) -> str:
    if word.endswith("men"):
        return word[:-2] + "an"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def kind_of_name(name: str, text: str, entities: Entities) -> str | None:
    """Return the kind of a named speaker from all its mentions.

    A person whom the article names in full without any role is a citizen: other. None is for a name that
    the article never introduces.
    """
    votes: dict[str, int] = {}
    person = False
    for mention in entities.mentions_of(name)[:_ENOUGH]:
        person = person or entities.is_person(mention.name)
        for kind, weight in _evidence(text, entities, mention):
            votes[kind] = votes.get(kind, 0) + weight
    if not person:
        low = [bare(w).lower() for w in name.split()]
        body = "agency" if {"white", "house"} <= set(low) else body_kind(low)
        if body is not None:
            return body
        if name.isupper() and len(name) <= 5:
            return "agency"
    if votes:
        return max(votes, key=votes.__getitem__)
    return "other" if " " in name else None


def _evidence(text: str, entities: Entities, mention: Mention) -> Iterable[tuple[str, int]]:
    """Yield the kinds that one mention speaks for, each with its weight."""
    if _PARTY.match(text, mention.end):
        yield "politician", 6
    before = _phrase_before(text, mention.start)
    titled = [bare(t) for t in mention.titles]
    if titled or before:
        kind = kind_of_descriptor([*before, *titled])
        if kind is None and before and before[0].lower() in {"its", "the", "their"}:
            kind = _owner(entities, mention.start - 60, before)
        if kind is None and [t.lower() for t in titled] == ["president"]:
            kind = "politician"
        if kind is None and any(
            _singular(t.lower()) in LEX.role_officer for t in [*before[-2:], *titled]
        ):
            # an office without its body: a spokeswoman, the general manager
            kind = (
                "agency"
                if not {"president", "founder", "ceo", "executive"} & {t.lower() for t in titled}
                else None
            )
            if kind:
                yield kind, 1
            kind = None
        if kind is not None:
            yield kind, 5 if titled else 4
    after = text[mention.end : mention.end + 2]
    if after == ", ":
        yield from _apposed(text, entities, mention)
        if _AGED.match(text, mention.end):
            yield "other", 3
    elif after[:1] == " " and text.startswith((" of ", " from "), mention.end):
        phrase = _words_until(text, mention.end + 1)
        kind = body_kind([w.lower() for w in _capitals_and_body(phrase)])
        if kind is not None:
            yield kind, 4


def _owner(entities: Entities, end: int, descriptor: Sequence[str]) -> str | None:
    """Return the kind of the body that "its president" belongs to: the last one named before."""
    if not any(_singular(w.lower()) in LEX.role_officer for w in descriptor):
        return None
    for mention in reversed(entities.between(max(0, end - 240), end + 60)):
        if not entities.is_person(mention.name):
            kind = body_kind([w.lower() for w in mention.name])
            if kind is not None:
                return kind
    return None


def _apposed(text: str, entities: Entities, mention: Mention) -> Iterable[tuple[str, int]]:
    found = _words_until(text, mention.end + 2)
    if not found or len(found) > 22:
        return
    low = [w.lower() for w in found]
    if low[0] == "who":
        if (low[1:2] and low[1] in LEX.does_expert) or (
            low[1:3] and low[1] == "has" and low[2] in LEX.does_expert
        ):
            yield "expert", 4
        elif low[1:2] and low[1] in LEX.does_other:
            yield "other", 3
        return
    if low[0] in LEX.breaks:
        return
    for at, word in enumerate(low):
        if word in {"who", "which", "whose", "where", "that"} and at:
            found, low = found[:at], low[:at]
            break
    single = [_singular(w.removesuffix("'s").removesuffix("’s")) for w in low]
    if not any(w in _ROLES or w in LEX.role_officer for w in single[:8]):
        return
    # the head noun of an appositive stands before its first preposition
    cut = next((at for at, w in enumerate(low) if at and w in LEX.halves), len(low))
    head = kind_of_descriptor(found[:cut])
    whole = kind_of_descriptor([*found[cut:], *found[:cut]])
    officer = any(w in LEX.role_officer for w in single[:cut])
    kind = whole if officer or head is None else head
    if kind is None and low[0] in {"its", "the", "their"}:
        kind = _owner(entities, mention.start - 60, found)
    if kind is not None:
        yield kind, 5
    elif officer:
        yield "other" if set(single) & LEX.company_officers else "agency", 1


def _capitals_and_body(phrase: Sequence[str]) -> list[str]:
    """Return the words after "of" while they still name a body: capitals, and what joins them."""
    kept = []
    for word in phrase[1:]:
        if (
            word[:1].isupper()
            or word.lower() in {"the", "of", "for", "and"}
            or word.lower() in _BODIES
        ):
            kept.append(word)
        else:
            break
    return kept


def kind_of_nominal(phrase: str, text: str, entities: Entities) -> str:
    """Return the kind of an unnamed speaker by the words of its phrase; other where none tells.

    A spokesman or an adviser is of the kind of the person or body spoken for, where that is named.
    """
    found = _WORD.findall(phrase)
    low = [bare(w).lower() for w in found]
    cut = next(
        (at for at, w in enumerate(low) if at and w in LEX.halves | {"who", "and"}), len(low)
    )
    head = [_singular(w) for w in low[:cut]]
    if any(w in LEX.role_officer for w in head):
        kind = kind_of_descriptor([*found[cut:], *found[:cut]])
        if kind is not None:
            return kind
        for mention in entities.mentions[:_LOOKED_AT]:
            if mention.name[-1] in found and entities.is_person(mention.name):
                return kind_of_name(entities.full(mention.name), text, entities) or "politician"
        return "agency"
    group = _BODIES.get(head[-1]) if head else None
    return kind_of_descriptor(found[:cut]) or body_kind(low[:cut]) or group or "other"


def _phrase_before(text: str, start: int) -> list[str]:
    """Return the words right before a name, back to a mark or a break, at most nine."""
    opens = text[start - 2 : start]
    if opens[1:] in _OPENING or (opens[:1] in _OPENING and opens[1:] == " "):
        return []  # most names open a sentence or a quotation
    pieces = _MARK.split(text[max(0, start - 110) : start])
    found = _WORD.findall(pieces[-1])[-9:]
    for at in range(len(found) - 1, -1, -1):
        low = found[at].lower()
        if low in LEX.breaks or (low.endswith("ed") and found[at][0].islower()):
            return found[at + 1 :]
    if not found and len(pieces) > 1 and text[start - 2 : start] == ", ":
        # "its president, NAME": the appositive before
        owner = _WORD.findall(pieces[-2])[-6:]
        if owner and (owner[0].lower() in LEX.owners or owner[0].endswith(("'s", "’s"))):
            return owner
    return found


def _words_until(text: str, start: int) -> list[str]:
    """Return the words from ``start`` to the next mark."""
    return _WORD.findall(_STOP.split(text[start : start + 170], maxsplit=1)[0])
