"""Languages: what `segment` and `attribute` need to know of one, and where it comes from.

A language is one file of ``conf/splitter/``, ours or the campaign's own: the splitter's word lists, and the
name of the attributor that suggests speakers. An installed package offers more by entry points:
``onrecord.languages`` (a mapping with the keys of such a file) and ``onrecord.attributors`` (an
:data:`Attributor`). `segment` notes the attributor in the table of sentences, where `attribute` finds it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.records import SentenceSpan, Suggestion
from onrecord.core.tables import shard_files

LANGUAGES = "onrecord.languages"
ATTRIBUTORS = "onrecord.attributors"
BUILT_IN = {"english": "onrecord.corpus.attribution.article:attribute_article"}
NOTE = b"attributor"  # in the metadata of the table of sentences; empty where the language has none

Attributor = Callable[[str, Sequence[SentenceSpan]], list[Suggestion]]


def language(name: str) -> dict[str, Any]:
    """Return the settings of a language that an installed package offers; raises BadInput for another."""
    settings: Mapping[str, Any] = _entry_point(LANGUAGES, name, "language").load()
    return dict(settings)


@cache
def attributor(name: str) -> Attributor:
    """Return the attributor of this name, for "" :func:`no_suggestions`; raises BadInput for an unknown one."""
    found: Attributor = no_suggestions
    return _entry_point(ATTRIBUTORS, name, "attributor").load() if name else found


def attributor_version(name: str) -> str:
    """Return the version of the package that an attributor is of; "" for ours and for none."""
    package = _entry_point(ATTRIBUTORS, name, "attributor").dist if name else None
    return package.version if package else ""


def attributor_of(sentences: Path) -> str:
    """Return the name of the attributor that `segment` noted, "" for none, "english" where it noted nothing."""
    metadata = pq.read_metadata(shard_files(sentences)[0]).metadata or {}
    return str(metadata.get(NOTE, b"english").decode())


def no_suggestions(text: str, sentences: Sequence[SentenceSpan]) -> list[Suggestion]:
    """Return a suggestion of nobody for each sentence, and of none for furniture: for a language without rules."""
    return [
        {
            "speaker": None if sentence.furniture is None else "none", "speaker_name": None,
            "attribution": "none", "cue": None, "candidates": [],
            "confidence": 0.0 if sentence.furniture is None else 0.95,
        }
        for sentence in sentences
    ]  # fmt: skip


def _entry_point(group: str, name: str, key: str) -> EntryPoint:
    ours = BUILT_IN if group == ATTRIBUTORS else {}
    offered = {one.name: one for one in entry_points(group=group)}
    offered |= {own: EntryPoint(own, place, group) for own, place in ours.items()}
    if name not in offered:
        known = ", ".join(sorted(offered)) or "an installed package's"
        raise BadInput(f"{key}: expected one of {known}, found {name!r}")
    return offered[name]
