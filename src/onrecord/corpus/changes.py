"""What running `ingest` again would change: texts under known ids, articles gone, annotations orphaned."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from onrecord.records import latest_annotations, parse_sentence_id, read_jsonl, text_sha256


@dataclass(frozen=True)
class Changes:
    """The ids of articles that are new, changed in their text, gone, or as they were, each sorted."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    same: int = 0

    def told(self) -> str:
        """Return the change in a few words, for the summary."""
        counts = [("new", self.added), ("changed", self.changed), ("gone", self.removed)]
        parts = [f"{len(ids)} {what}" for what, ids in counts if ids]
        return ", ".join([*parts, f"{self.same} as before"]) if parts else "nothing changed"


def compare(before: Mapping[str, str], now: Mapping[str, str]) -> Changes:
    """Return the changes from ``before`` to ``now``, both from an article's id to its text's SHA-256.

    >>> compare({"a": "1", "b": "2"}, {"b": "3", "c": "4"}).told()
    '1 new, 1 changed, 1 gone, 0 as before'
    """
    return Changes(
        added=sorted(now.keys() - before.keys()),
        changed=sorted(i for i in now.keys() & before.keys() if now[i] != before[i]),
        removed=sorted(before.keys() - now.keys()),
        same=sum(before.get(i) == sha for i, sha in now.items()),
    )


def hashes(path: Path) -> dict[str, str]:
    """Return each article's text hash from an ``articles.parquet``; nothing where there is no such file."""
    if not path.exists():
        return {}
    with pq.ParquetFile(path) as file:  # read_table would import pandas
        table = file.read(columns=["article_id", "sha256"])
    return dict(zip(*(table[name].to_pylist() for name in ("article_id", "sha256")), strict=True))


def orphans(
    annotations: Path, changes: Changes, text_of: Callable[[str], str | None]
) -> Counter[str]:
    """Return how many annotations each changed or removed article would orphan.

    An annotation is orphaned when the offsets of its sentence no longer hold the text that was annotated.
    ``text_of`` gives the present text of an article, or None where it is gone.
    """
    lost: Counter[str] = Counter()
    if not annotations.exists():
        return lost
    touched = {*changes.changed, *changes.removed}
    for row in latest_annotations(read_jsonl(annotations)) if touched else []:
        article, start, end = parse_sentence_id(row["sentence_id"])
        if article in touched and row.get("status") != "deleted":
            text = text_of(article)
            if text is None or text_sha256(text[start:end]) != row["text_sha256"]:
                lost[article] += 1
    return lost


def complaint(changes: Changes, lost: Mapping[str, int]) -> str | None:
    """Return why the changes need ``accept_changes=true``, in one line, or None where they do not.

    A changed text always needs it; an article that is gone only where it was annotated.
    """
    gone = [name for name in changes.removed if name in lost]
    if not changes.changed and not gone:
        return None
    said = []
    for what, names in (("changed text", changes.changed), ("gone", gone)):
        if names:
            shown = ", ".join(f"{n} ({lost[n]} annotations)" if n in lost else n for n in names[:5])
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            said.append(
                f"{len(names)} known articles are {what if what == 'gone' else 'of ' + what}: {shown}{more}"
            )
    total = sum(lost.values())
    return (
        f"{'; '.join(said)}. {total} annotations would be orphaned; nothing was changed. "
        "accept_changes=true goes on"
    )
