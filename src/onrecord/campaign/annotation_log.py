"""``annotations.jsonl``: what a back end has, compared with what was collected, as lines to append.

The file only grows. A line of an ``annotation_id`` supersedes the earlier ones. What is not in the back end any more
stays: a deletion is proposed, and marked by a line once it is accepted. What may not count is kept apart.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from onrecord.campaign.backend import Login, PulledAnnotation, PulledTask
from onrecord.core.files import atomic, parse_row
from onrecord.core.records import (
    Annotation,
    Assignment,
    InstrumentVersion,
    Launched,
    Quarantined,
    Span,
    parse_sentence_id,
)

ANSWER = (
    "status",
    "labels",
    "flags",
    "comment",
    "seconds",
    "text_sha256",
)  # what two lines of one answer share


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
    shown: PulledTask | None = None,
) -> Annotation:
    """Return the row of one annotation of a task; ``shown`` is the task as the back end has it."""
    account = instrument.accounts.get(task["annotator"])
    version = version_at(instrument.versions, pulled.updated_at)
    article = instrument.texts.get(parse_sentence_id(task["sentence_id"])[0], "")
    guidelines, origin = version["guidelines_version"], instrument.origin
    target, suggested = version.get("target_version", 1), task["suggestion_shown"]
    if account:
        guidelines = account.get("guidelines_version", guidelines)
        origin = account.get("origin", origin)
    if shown and shown.target_version is not None:
        target = shown.target_version
    if shown and shown.suggestion_shown is not None:
        suggested = shown.suggestion_shown
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
        suggestion_shown=suggested,
        guidelines_version=guidelines,
        scheme_version=version["scheme_version"],
        target_version=target,
        purpose=task["purpose"],
        status=pulled.status,
        origin=origin,
    )
    if source_id:
        row["source_id"] = source_id
    return row


def same_answer(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Return whether two lines give the same answer to the same text, taking the same time."""
    return all(a[key] == b[key] for key in ANSWER)


def _answer_of(row: Annotation) -> str:
    """Return who answered what, for looking up."""
    keys = ("annotator", "sentence_id", "purpose", "status", "text_sha256", "flags", "comment")
    return repr([*map(row.get, keys), sorted(row["labels"].items())])


def _source_of(task: Launched | None) -> str:
    return f"{task['server']}/{task['project_id']}/{task['ls_task_id']}" if task else ""


class AnnotationLog:
    """The lines collected so far, looked up by their source in a back end, and those to add.

    A source is SERVER/PROJECT/TASK/ANNOTATION; rows read from files have none. ``quarantined`` has by source what
    may not count, ``missing`` by annotation_id the source of what counts though the back end lacks it now.
    """

    def __init__(
        self,
        rows: Iterable[Annotation],
        quarantined: Iterable[Quarantined] = (),
        missing: Mapping[str, str] | None = None,
    ) -> None:
        self.latest: dict[str, Annotation] = {}
        self.of_task: dict[str, list[str]] = defaultdict(list)  # task_id → annotation_ids
        self.of_source: dict[tuple[str, str], str] = {}  # (task_id, source) → annotation_id
        self.at: dict[str, set[str]] = defaultdict(set)  # SERVER/PROJECT/TASK → annotation_ids
        self.filed: dict[str, Annotation] = {}  # task_id → the latest row that was read from a file
        self.answers: set[str] = set()  # those that were collected from a back end, at any time
        self.added: list[Annotation] = []
        self.quarantined = {row["source_id"]: row for row in quarantined}
        self.missing = dict(missing or {})
        for row in rows:
            self._keep(row)

    def _keep(self, row: Annotation) -> None:
        name = row["annotation_id"]
        task = name.partition(".")[0]
        if name not in self.latest:
            self.of_task[task].append(name)
        self.latest[name] = row
        if source := row.get("source_id"):
            self.of_source.setdefault((task, source), name)
            self.answers.add(_answer_of(row))
            self.at[source.rpartition("/")[0]].add(name)
        else:
            self.filed[task] = row

    def add(self, row: Annotation) -> None:
        """Add a line unless the latest of its ``annotation_id`` says the same."""
        if self.latest.get(row["annotation_id"]) != row:
            self.added.append(row)
            self._keep(row)
            self.missing.pop(row["annotation_id"], None)

    def add_from_file(self, row: Annotation) -> None:
        """Add the row of an annotation from a file, unless it is one that was collected from a back end before."""
        task = row["annotation_id"]
        if _answer_of(row) in self.answers:
            return
        taken = self.latest.get(task)
        if taken and taken.get("source_id"):
            before = self.filed.get(task)
            if before and same_answer(before, row):
                return
            row["annotation_id"] = before["annotation_id"] if before else self.next_id(task)
        self.add(row)

    def next_id(self, task_id: str) -> str:
        """Return the ``annotation_id`` of a further annotation of a task: its id, then with ``.2`` and on."""
        number = len(self.of_task[task_id]) + 1
        return task_id if number == 1 else f"{task_id}.{number}"

    def merge(
        self,
        task: PulledTask,
        launched: Mapping[str, Launched],
        instrument: Instrument,
        claimed: Collection[str] = (),
    ) -> None:
        """Add what a task's annotations differ in from what was collected of it; ``launched`` are the present tasks.

        ``claimed`` are annotators and sources: another account's answer there is the annotator's. On a task that
        was made anew since, what may not count is left alone.
        """
        for source in [s for s in self.quarantined if s.startswith(f"{task.source}/")]:
            del self.quarantined[source]
        present = {f"{task.source}/{one.id}" for one in task.annotations}
        is_current = task.source == _source_of(launched.get(task.task_id))
        for one in task.annotations:
            source = f"{task.source}/{one.id}"
            name = self.of_source.get((task.task_id, source), "")
            known = self.latest.get(name)
            if (
                known
                and known.get("source_id") == source
                and known["updated_at"] == one.updated_at
                and known["status"] in ("submitted", "skipped")
            ):
                continue
            mine = one.made_by is None or source in claimed or (not one.made_by and task.annotator in claimed)  # fmt: skip
            if one.problem and not (one.made_by is not None and mine):
                if is_current:
                    self.quarantined[source] = Quarantined(
                        source_id=source, task_id=task.task_id, annotator=task.annotator,
                        problem=one.problem, cure=one.cure, address=task.address,
                        reopen=one.reopen, result=one.result,
                    )  # fmt: skip
                continue
            row = annotation_row(
                one,
                launched[task.task_id],
                instrument,
                annotation_id=name,
                source_id=source,
                shown=task,
            )
            self._place(row, task.task_id, present, is_current=is_current)
        for name in self.at[task.source]:
            row = self.latest[name]
            source = row.get("source_id", "")
            if source.startswith(f"{task.source}/") and row["status"] != "deleted":
                if source in present and name.partition(".")[0] == task.task_id:
                    self.missing.pop(name, None)
                else:
                    self.missing[name] = source

    def _place(
        self, row: Annotation, task_id: str, present: Collection[str], *, is_current: bool
    ) -> None:
        """Add the row of a source under the ``annotation_id`` that it is a line of.

        An answer that the back end lost or that was in another project, and that is here again, keeps its id,
        times and versions. One that is older than what was collected is of a database that was put back: no line.
        """
        known = self.latest.get(row["annotation_id"])
        if known is None:
            known = next(
                (
                    one
                    for one in map(self.latest.__getitem__, self.of_task[task_id])
                    if one["status"] != "deleted"
                    and one.get("source_id") not in present
                    and one.get("target_version", 1) == row.get("target_version")
                    and same_answer(one, row)
                ),
                None,
            )
            row["annotation_id"] = known["annotation_id"] if known else self.next_id(task_id)
            is_current = True
        if known and same_answer(known, row):
            if is_current and known.get("source_id") != row["source_id"]:
                self.add({**known, "source_id": row["source_id"]})
        elif known is None or row["updated_at"] >= known["updated_at"]:
            self.add(row)

    def project_is_gone(self, source: str, address: str, *, gone: bool) -> None:
        """Keep in quarantine, or not any more, that a project (SERVER/PROJECT) is gone from the back end."""
        self.quarantined.pop(source, None)
        if gone:
            self.quarantined[source] = Quarantined(
                source_id=source, task_id="", annotator="", problem="the project is gone", address=address,
                cure="`onrecord launch` makes it again, with the collected answers", reopen=False, result=None,
            )  # fmt: skip

    def accept_deletions(self) -> None:
        """Mark what the back end lacks as deleted."""
        for name in list(self.missing):
            self.add({**self.latest[name], "status": "deleted"})
