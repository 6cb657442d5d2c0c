"""What stands on Label Studio, compared with what has been collected: the lines to add, and nothing taken away.

``annotations.jsonl`` only grows. A line of an ``annotation_id`` supersedes the earlier ones; what was
deleted on the server is marked by a line, and its answers stay readable.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired

from onrecord.campaign.backend import Answers
from onrecord.campaign.labelstudio.result_format import from_result
from onrecord.core.records import Annotation, Span, text_sha256
from onrecord.scheme.scheme import Scheme

SUPERSEDED = "the annotator annotated the task again later"


class Collected(Annotation):
    """An annotation as collected from Label Studio.

    ``source_id`` is SERVER/PROJECT/TASK/ANNOTATION, by Label Studio's own numbers. ``problem`` says why a
    rejected one is not counted.
    """

    source_id: str
    problem: NotRequired[str]


def speaker_span(name: str | None, text: str) -> Span | None:
    """Return where the name first stands verbatim in the article, not within a longer word; None where nowhere.

    >>> speaker_span("Lee", "Leeds heard Lee.")
    {'start': 12, 'end': 15}
    """
    if not name:
        return None
    found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    return Span(start=found.start(), end=found.end()) if found else None


def version_at(versions: Sequence[Mapping[str, Any]], moment: str) -> Mapping[str, Any]:
    """Return the line of versions.jsonl in force at a moment: the last that began by then, or the first."""
    begun = [line for line in versions if line["since"] <= moment]
    return begun[-1] if begun else versions[0]


def shown_text(data: Mapping[str, Any]) -> str:
    """Return the sentence as the task shows it: its HTML without tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", str(data.get("sentence", ""))))


def annotation_row(
    raw: Mapping[str, Any],
    task: Mapping[str, Any],
    launched: Mapping[str, Any],
    *,
    annotation_id: str,
    scheme: Scheme,
    scheme_version: int,
    guidelines: str,
    target_id: str,
    origin: str,
    article: str,
    where: str,
) -> Collected:
    """Return the row of one annotation (``raw``) on one task, both in Label Studio's raw JSON.

    ``launched`` is the task's row of launched.jsonl, ``guidelines`` the version in force, ``article`` the text that the speaker's name is found
    in, ``where`` how complaints name the annotation. Raises BadInput for a label that the scheme lacks.
    """
    skipped = bool(raw["was_cancelled"])
    empty = not raw["result"]
    answers = Answers({}, [], "") if empty else from_result(raw["result"], scheme, where)
    data = task["data"]
    row = Collected(
        annotation_id=annotation_id,
        sentence_id=launched["sentence_id"],
        annotator=launched["annotator"],
        round=launched["round"],
        target_id=target_id,
        labels=answers.labels,
        speaker_span=speaker_span(answers.labels.get("speaker_name"), article),
        flags=answers.flags,
        comment=answers.comment,
        text_sha256=str(data.get("text_sha256")),
        seconds=raw["lead_time"],
        created_at=raw["created_at"],
        updated_at=raw["updated_at"],
        suggestion_shown=launched["suggestion_shown"],
        guidelines_version=guidelines,
        scheme_version=scheme_version,
        purpose=launched["purpose"],
        status="skipped" if skipped else "submitted",
        origin=origin,
        source_id=source_id(launched, task, raw),
    )
    problem = ""
    if raw["completed_by"] != launched["user_id"]:
        problem = f"completed by user {raw['completed_by']}, not by {launched['annotator']}"
    elif text_sha256(shown_text(data)) != row["text_sha256"]:
        problem = "the task's text was altered on the server"
    if problem:
        row["status"], row["problem"] = "rejected", problem
    return row


def source_id(
    launched: Mapping[str, Any], task: Mapping[str, Any], raw: Mapping[str, Any] | None = None
) -> str:
    """Return SERVER/PROJECT/TASK/ANNOTATION, or the part that all annotations of the task begin with."""
    prefix = f"{launched['server']}/{launched['project_id']}/{task['id']}/"
    return prefix + (str(raw["id"]) if raw else "")


def deleted(row: Mapping[str, Any], moment: str) -> dict[str, Any]:
    """Return the line that marks an annotation as deleted on the server; its answers stay readable."""
    return {**row, "status": "deleted", "updated_at": max(moment, row["updated_at"])}


def one_of_each(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the annotations of one task with the newest submitted one counted, earlier ones rejected.

    Label Studio lets an annotator add a second annotation of a task: it is their last word.
    """
    again = [
        {k: v for k, v in row.items() if k != "problem"} | {"status": "submitted"}
        if row.get("problem") == SUPERSEDED
        else row
        for row in rows
    ]
    counted = [row for row in again if row["status"] == "submitted"]
    last = max(counted, key=lambda row: row["created_at"], default=None)
    return [
        {**row, "status": "rejected", "problem": SUPERSEDED}
        if row["status"] == "submitted" and row is not last
        else row
        for row in again
    ]


class Collection:
    """The lines collected so far, looked up by source, and those to add."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.latest: dict[str, Mapping[str, Any]] = {}
        self.by_task: dict[
            str, dict[str, str]
        ] = {}  # SERVER/PROJECT/TASK/ → source → annotation_id
        self.numbered: dict[tuple[str, str], int] = {}
        self.added: list[Mapping[str, Any]] = []
        for row in rows:
            self._keep(row)

    def _keep(self, row: Mapping[str, Any]) -> None:
        self.latest[row["annotation_id"]] = row
        if row.get("source_id"):  # rows from elsewhere have none
            self._numbered(row["source_id"], row["annotation_id"])

    def id_of(self, source: str, task_id: str) -> str:
        """Return the ``annotation_id`` of a source: the task's id, with ``.2`` and on for further annotations of it.

        It tells nothing of the server, so that the same plan annotated on another server supersedes it.
        """
        number = self.numbered.get((source.partition("/")[0], task_id), 0) + 1
        return self._numbered(source, task_id if number == 1 else f"{task_id}.{number}")

    def _numbered(self, source: str, annotation_id: str) -> str:
        of_task = self.by_task.setdefault(source.rpartition("/")[0] + "/", {})
        if source not in of_task:
            of_task[source] = annotation_id
            key = (source.partition("/")[0], annotation_id.partition(".")[0])
            self.numbered[key] = self.numbered.get(key, 0) + 1
        return of_task[source]

    def known(self, source: str, updated_at: str) -> Mapping[str, Any] | None:
        """Return the row of an annotation that was collected as it stands, by the server's own time."""
        known = self.by_task.get(source.rpartition("/")[0] + "/", {}).get(source)
        row = self.latest.get(known or "")
        if row is None or row.get("source_id") != source or row["status"] == "deleted":
            return None
        return row if row["updated_at"] == updated_at else None

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a line unless the latest of its ``annotation_id`` says the same."""
        if self.latest.get(row["annotation_id"]) != row:
            self.added.append(row)
            self._keep(row)

    def live(self, prefix: str) -> list[Mapping[str, Any]]:
        """Return the latest lines of a task (SERVER/PROJECT/TASK/) that are not marked as deleted."""
        known = self.by_task.get(prefix, {}).values()
        rows = [self.latest[name] for name in known if name in self.latest]
        return [
            row
            for row in rows
            if row.get("source_id", "").startswith(prefix) and row["status"] != "deleted"
        ]
