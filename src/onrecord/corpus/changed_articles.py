"""What running `ingest` again would change: texts under known ids, articles gone, annotations orphaned."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onrecord.core.files import read_jsonl
from onrecord.core.records import parse_sentence_id, text_sha256
from onrecord.core.tables import read_values
from onrecord.core.votes import latest_annotations
from onrecord.corpus.article_shards import shortened


@dataclass(frozen=True)
class Changes:
    """How many articles are new or as they were; the ids, sorted, of those changed in their text, or gone."""

    added: int = 0
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    same: int = 0

    def summary(self) -> str:
        """Return the change in a few words, for the summary."""
        counts = [
            ("new", self.added), ("changed", len(self.changed)), ("gone", len(self.removed)),
        ]  # fmt: skip
        parts = [f"{count} {what}" for what, count in counts if count]
        return ", ".join([*parts, f"{self.same} as before"]) if parts else "nothing changed"


Rows = Callable[[], Iterable[tuple[Any, ...]]]  # each article's id and its text's SHA-256


def compare(before: Rows, now: Rows) -> Changes:
    """Return the changes from ``before`` to ``now``.

    Held are 64 bits of each id and of each hash, and the ids only of what has changed or is gone.

    >>> compare(lambda: [("a", "1"), ("b", "2")], lambda: [("b", "3"), ("c", "4")]).summary()
    '1 new, 1 changed, 1 gone, 0 as before'
    """
    ids, texts = _hashes(before)
    ids_now, texts_now = _hashes(now)
    _, at, at_now = np.intersect1d(ids, ids_now, assume_unique=True, return_indices=True)
    differs = texts[at] != texts_now[at_now]
    gone = np.ones(len(ids), np.bool_)
    gone[at] = False
    return Changes(
        added=len(ids_now) - len(at_now),
        changed=_names(now, {*at_now[differs].tolist()}),
        removed=_names(before, {*np.flatnonzero(gone).tolist()}),
        same=len(at) - int(differs.sum()),
    )


def _hashes(rows: Rows) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    pair: Any = np.dtype((np.int64, 2))
    pairs: npt.NDArray[np.int64] = np.fromiter((tuple(map(hash, row)) for row in rows()), pair)
    return pairs[:, 0], pairs[:, 1]


def _names(rows: Rows, places: Set[int]) -> list[str]:
    if not places:
        return []
    return sorted(identifier for at, (identifier, _) in enumerate(rows()) if at in places)


def hashes(path: Path) -> Iterator[tuple[Any, ...]]:
    """Return each article's id and text hash of an ``articles.parquet``; nothing where there is none."""
    return read_values(path, ["article_id", "sha256"]) if path.exists() else iter(())


def orphans(annotations: Path, changes: Changes, texts: Rows) -> Counter[str]:
    """Return how many annotations each changed or removed article would orphan.

    An annotation is orphaned when the offsets of its sentence no longer hold the text that was annotated.
    ``texts`` gives each article's id and its present text.
    """
    lost: Counter[str] = Counter()
    touched = {*changes.changed, *changes.removed}
    if not touched or not annotations.exists():
        return lost
    rows = [r for r in latest_annotations(read_jsonl(annotations)) if r.get("status") != "deleted"]
    places = [parse_sentence_id(row["sentence_id"]) for row in rows]
    wanted = touched & {article for article, _, _ in places}
    now = {name: text for name, text in texts() if name in wanted}
    for row, (article, start, end) in zip(rows, places, strict=True):
        text = now.get(article, "")
        if article in wanted and text_sha256(text[start:end]) != row["text_sha256"]:
            lost[article] += 1
    return lost


def refusal(changes: Changes, lost: Mapping[str, int]) -> str | None:
    """Return why the changes need ``accept_changes=true``, in one line, or None where they do not.

    A changed text always needs it; an article that is gone only where it was annotated.
    """
    gone = [name for name in changes.removed if name in lost]
    parts = []
    for what, names in (("of changed text", changes.changed), ("gone", gone)):
        if names:
            listed = [f"{n} ({lost[n]} annotations)" if n in lost else n for n in names]
            parts.append(f"{len(names)} known articles are {what}: {shortened(listed, 5)}")
    if not parts:
        return None
    return (
        f"{'; '.join(parts)}. {sum(lost.values())} annotations would be orphaned; nothing was changed. "
        "accept_changes=true goes on"
    )
