"""``annotations.jsonl``: what a back end has, compared with what was collected, as lines to append.

The file only grows. A line of an ``annotation_id`` supersedes the earlier ones; an annotation that was deleted
in the back end is marked by a line, and its answers stay readable.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from onrecord.campaign.backend import Login, PulledAnnotation, PulledTask
from onrecord.core.files import atomic, parse_row
from onrecord.core.records import (
    Annotation,
    Assignment,
    InstrumentVersion,
    Launched,
    Span,
    parse_sentence_id,
)

SUPERSEDED = "the annotator annotated the task again later"


class Instrument(NamedTuple):
    """What annotations are described by.

    ``origin`` is the campaign's; an account that no person uses (``accounts``) has its own.
    """

    versions: Sequence[InstrumentVersion]
    target_id: str
    accounts: Mapping[str, Login]
    origin: str
    texts: Mapping[str, str]  # of the articles, for the speakers' spans


def read_log(path: Path) -> tuple[bytes, list[Annotation], bool]:
    """Return the whole lines of annotations.jsonl, as bytes and as rows, and whether the last one was torn.

    A last line that a crash left unfinished is no annotation: it is cut off and collected again. Any other
    line that cannot be read raises BadInput.
    """
    if not path.exists():
        return b"", [], False
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    rows: list[Any] = [
        parse_row(line, f"{path}, line {number}", Annotation)
        for number, line in enumerate(whole.decode("utf-8").split("\n"), 1)
        if line.strip()
    ]
    return whole, rows, whole != content


def append_rows(path: Path, before: bytes, rows: Iterable[Annotation]) -> None:
    """Write the lines there were, byte for byte, and the new ones after them, atomically."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        file.write(before)
        for row in rows:
            file.write((json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode())


def speaker_span(name: str | None, text: str) -> Span | None:
    """Return the first verbatim mention of the name in the article, not within a longer word; None if there is none.

    >>> speaker_span("Lee", "Leeds heard Lee.")
    {'start': 12, 'end': 15}
    """
    if not name:
        return None
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    return Span(start=found.start(), end=found.end()) if found else None


def version_at(versions: Sequence[InstrumentVersion], moment: str) -> InstrumentVersion:
    """Return the version in force at a moment: the last that began by then, or the first."""
    begun = [line for line in versions if line["since"] <= moment]
    return begun[-1] if begun else versions[0]


def annotation_row(
    pulled: PulledAnnotation,
    task: Assignment,
    instrument: Instrument,
    *,
    annotation_id: str,
    source_id: str | None = None,
) -> Annotation:
    """Return the row of one annotation of a task; one with a problem is rejected."""
    account = instrument.accounts.get(task["annotator"])
    version = version_at(instrument.versions, pulled.updated_at)
    article = instrument.texts.get(parse_sentence_id(task["sentence_id"])[0], "")
    guidelines, origin = version["guidelines_version"], instrument.origin
    if account:
        guidelines = account.get("guidelines_version", guidelines)
        origin = account.get("origin", origin)
    row = Annotation(
        annotation_id=annotation_id,
        sentence_id=task["sentence_id"],
        annotator=task["annotator"],
        round=task["round"],
        target_id=instrument.target_id,
        labels=pulled.answers.labels,
        speaker_span=speaker_span(pulled.answers.labels.get("speaker_name"), article),
        flags=pulled.answers.flags,
        comment=pulled.answers.comment,
        text_sha256=pulled.text_sha256,
        seconds=pulled.seconds,
        created_at=pulled.created_at,
        updated_at=pulled.updated_at,
        suggestion_shown=task["suggestion_shown"],
        guidelines_version=guidelines,
        scheme_version=version["scheme_version"],
        purpose=task["purpose"],
        status="rejected" if pulled.problem else pulled.status,
        origin=origin,
    )
    if source_id:
        row["source_id"] = source_id
    if pulled.problem:
        row["problem"] = pulled.problem
    return row


def count_newest(rows: Sequence[Annotation]) -> list[Annotation]:
    """Return the annotations of one task with the newest submitted one counted, earlier ones rejected.

    Label Studio lets an annotator add a second annotation of a task: it replaces the first.
    """
    found: list[Annotation] = []
    for row in rows:
        if row.get("problem") == SUPERSEDED:
            row = row.copy()  # noqa: PLW2901
            row["status"] = "submitted"
            del row["problem"]
        found.append(row)
    counted = [row for row in found if row["status"] == "submitted"]
    last = max(counted, key=lambda row: row["created_at"], default=None)
    return [
        {**row, "status": "rejected", "problem": SUPERSEDED}
        if row["status"] == "submitted" and row is not last
        else row
        for row in found
    ]


class AnnotationLog:
    """The lines collected so far, looked up by their source in a back end, and those to add.

    A source is SERVER/PROJECT/TASK/ANNOTATION; rows read from files have none.
    """

    def __init__(self, rows: Iterable[Annotation]) -> None:
        self.latest: dict[str, Annotation] = {}
        self.ids: dict[str, dict[str, str]] = {}  # SERVER/PROJECT/TASK → source → annotation_id
        self.counts: dict[tuple[str, str], int] = {}  # of a task's annotations on a server
        self.added: list[Annotation] = []
        for row in rows:
            self._keep(row)

    def _keep(self, row: Annotation) -> None:
        self.latest[row["annotation_id"]] = row
        if row.get("source_id"):
            self._number(row["source_id"], row["annotation_id"])

    def _number(self, source: str, annotation_id: str) -> str:
        ids = self.ids.setdefault(source.rpartition("/")[0], {})
        if source not in ids:
            ids[source] = annotation_id
            key = (source.partition("/")[0], annotation_id.partition(".")[0])
            self.counts[key] = self.counts.get(key, 0) + 1
        return ids[source]

    def id_of(self, source: str, task_id: str) -> str:
        """Return the ``annotation_id`` of a source: the task's id, with ``.2`` and on for further annotations of it.

        It does not name the server, so that the same plan annotated on another server supersedes it.
        """
        number = self.counts.get((source.partition("/")[0], task_id), 0) + 1
        return self._number(source, task_id if number == 1 else f"{task_id}.{number}")

    def unchanged(self, source: str, updated_at: str) -> Annotation | None:
        """Return the row of an annotation that was collected as it is now, by the back end's own time."""
        row = self.latest.get(self.ids.get(source.rpartition("/")[0], {}).get(source, ""))
        if row is None or row.get("source_id") != source or row["status"] == "deleted":
            return None
        return row if row["updated_at"] == updated_at else None

    def add(self, row: Annotation) -> None:
        """Add a line unless the latest of its ``annotation_id`` says the same."""
        if self.latest.get(row["annotation_id"]) != row:
            self.added.append(row)
            self._keep(row)

    def live(self, task_source: str) -> list[Annotation]:
        """Return the latest lines of a task (SERVER/PROJECT/TASK) that are not marked as deleted."""
        known = (self.latest.get(name) for name in self.ids.get(task_source, {}).values())
        return [
            row
            for row in known
            if row
            and row.get("source_id", "").startswith(f"{task_source}/")
            and row["status"] != "deleted"
        ]

    def merge(
        self, task: PulledTask, launched: Mapping[str, Launched], instrument: Instrument
    ) -> list[Annotation]:
        """Add what a task's annotations differ in from what was collected of it; return the lines of deletions."""
        rows = []
        for one in task.annotations:
            source = f"{task.source}/{one.id}"
            row = self.unchanged(source, one.updated_at) or annotation_row(
                one, launched[task.task_id], instrument,
                annotation_id=self.id_of(source, task.task_id), source_id=source,
            )  # fmt: skip
            rows.append(row)
        present = {row["source_id"] for row in rows}
        deletions: list[Annotation] = [
            {**row, "status": "deleted", "updated_at": max(task.updated_at, row["updated_at"])}
            for row in self.live(task.source)
            if row["source_id"] not in present
        ]
        for row in [*deletions, *count_newest(rows)]:
            self.add(row)
        return deletions
