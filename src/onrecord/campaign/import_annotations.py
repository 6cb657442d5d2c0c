"""Annotations from a file: a Label Studio export of any server, or a long table.

A sentence is found by our key, by its ``sentence_id``, or else by its exact text where only one sentence
has it. An annotator is a pseudonym: an e-mail address never enters a row.
"""

import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from onrecord.campaign.annotation_log import Instrument, annotation_row
from onrecord.campaign.backend import (
    Answers,
    Pulled,
    PulledAnnotation,
    PulledTask,
    PullRequest,
)
from onrecord.campaign.labelstudio.label_studio_backend import from_result
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json
from onrecord.core.records import Annotation, Assignment, PlanRow, SentenceRow, text_sha256
from onrecord.core.table_reader import read_table
from onrecord.scheme.scheme import Scheme

TABLE_COLUMNS = ("sentence_id", "annotator", "question", "label")


class Found(NamedTuple):
    """An annotation in a file, with its sentence and annotator; times are empty where the file has none."""

    sentence_id: str
    annotator: str
    annotation: PulledAnnotation


class Sentences:
    """The campaign's sentences, found by id or by text."""

    def __init__(self, rows: Iterable[SentenceRow], plan: Iterable[PlanRow]) -> None:
        self.sha256_of = {row["sentence_id"]: text_sha256(row["text"]) for row in rows}
        self.by_text: dict[str, list[str]] = {}
        for name, sha256 in self.sha256_of.items():
            self.by_text.setdefault(sha256, []).append(name)
        self.of_task = {row["task_id"]: row["sentence_id"] for row in plan}

    def check(self, name: str, where: str) -> str:
        """Return ``name`` if it is a sentence's id; raises BadInput else."""
        if name not in self.sha256_of:
            raise BadInput(f"{where}: there is no sentence {name!r} in this campaign")
        return name

    def find(self, data: Mapping[str, Any], where: str) -> tuple[str, str]:
        """Return ``(sentence_id, hash of the text shown)`` of a task's data; raises BadInput where none fits."""
        text = next((str(data[key]) for key in ("sentence", "text") if data.get(key)), "")
        plain = html.unescape(re.sub(r"<[^>]*>", "", text)) if "onrecord_id" in data else text
        sha256 = text_sha256(plain)
        known = self.of_task.get(str(data.get("onrecord_id"))) or data.get("sentence_id")
        if known:
            return self.check(str(known), where), sha256
        found = self.by_text.get(sha256, [])
        if len(found) != 1:
            raise BadInput(
                f"{where}: expected `sentence_id` or the exact text of one sentence in its data, "
                f"found a text of {len(found)} sentences"
            )
        return found[0], sha256


def pseudonym(completed_by: Any, names: Mapping[str, str]) -> str:
    """Return the pseudonym of a user: as ``names`` maps their e-mail or number, else ``user-NUMBER``.

    >>> pseudonym({"id": 7, "email": "a@x.org"}, {"a@x.org": "annotator-1"}), pseudonym(8, {})
    ('annotator-1', 'user-8')
    """
    user = completed_by if isinstance(completed_by, dict) else {"id": completed_by}
    for key in (user.get("email"), user.get("id")):
        if str(key) in names:
            return names[str(key)]
    return f"user-{user.get('id')}"


def read_names(path: Path) -> dict[str, str]:
    """Return ``e-mail or number → pseudonym`` from a table ``annotator, email``, as logins.csv is one.

    Raises BadInput where a column is missing.
    """
    table = read_table(path, ("annotator", "email")).to_pydict()
    return dict(zip(table["email"], table["annotator"], strict=True))


def read_export(
    path: Path, sentences: Sentences, scheme: Scheme, names: Mapping[str, str]
) -> Iterator[Found]:
    """Yield the annotations of a Label Studio export of type JSON.

    Before version 1.0 they are called ``completions`` and carry no user. Raises BadInput for another shape,
    such as JSON_MIN, and for a label that the scheme lacks.
    """
    tasks = read_json(path)
    if not isinstance(tasks, list):
        raise BadInput(f"{path}: expected a list of tasks, found {type(tasks).__name__}")
    for number, task in enumerate(tasks, 1):
        where = f"{path}, task {number}"
        made = task.get("annotations", task.get("completions")) if isinstance(task, dict) else None
        if not isinstance(made, list) or not isinstance(task.get("data"), dict):
            raise BadInput(
                f"{where}: expected `data` and `annotations`, as the export type JSON has them "
                "(not JSON_MIN or CSV)"
            )
        for raw in made:
            sentence, sha256 = sentences.find(task["data"], where)
            result = raw.get("result") or []
            created = str(raw.get("created_at") or "")
            one = PulledAnnotation(
                "", from_result(result, scheme, where) if result else Answers({}, [], ""),
                "skipped" if raw.get("was_cancelled") else "submitted", sha256, raw.get("lead_time"),
                created, str(raw.get("updated_at") or created),
            )  # fmt: skip
            yield Found(sentence, pseudonym(raw.get("completed_by"), names), one)


def read_answers(path: Path, sentences: Sentences, scheme: Scheme) -> Iterator[Found]:
    """Yield the annotations of a long table: ``sentence_id, annotator, question, label`` and, where there are
    such columns, ``seconds``, ``created_at``, ``comment`` and ``flags`` (words apart by spaces).

    An empty label is no answer (or, of a name, that there is none). Raises BadInput, with the row, for a
    missing column, an unknown sentence or label, and a question answered twice.
    """
    found: dict[tuple[str, str], tuple[dict[str, str | None], dict[str, str], str]] = {}
    for number, row in enumerate(read_table(path, TABLE_COLUMNS).to_pylist(), 1):
        where = f"{path}, row {number}"
        key = (sentences.check(row["sentence_id"], where), row["annotator"])
        labels, rest, _ = found.setdefault(key, ({}, {}, where))
        if row["question"] in labels:
            raise BadInput(
                f"{where}: {row['annotator']} answers {row['question']} of {key[0]} twice"
            )
        labels[row["question"]] = row["label"]
        scheme.check({row["question"]: row["label"]}, where)
        rest.update({k: str(v) for k, v in row.items() if v and k not in TABLE_COLUMNS})
    for (sentence, annotator), (labels, rest, where) in found.items():
        flags = rest.get("flags", "").split()
        unknown = [flag for flag in flags if flag not in [known.name for known in scheme.flags]]
        if unknown:
            raise BadInput(f"{where}: flag {unknown[0]!r} is not in the scheme")
        answers = Answers(
            {name: labels.get(name) for name in scheme.questions}, flags, rest.get("comment", "")
        )
        created = rest.get("created_at", "")
        one = PulledAnnotation(
            "", answers, "submitted", sentences.sha256_of[sentence],
            _seconds(rest.get("seconds"), where), created, created,
        )  # fmt: skip
        yield Found(sentence, annotator, one)


def _seconds(text: str | None, where: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError as error:
        raise BadInput(f"{where}: expected seconds, found {text!r}") from error


@dataclass(frozen=True)
class AnnotationFile:
    """An :class:`~onrecord.campaign.backend.AnnotationSource`: a file of a ``kind``, labelstudio or csv.

    ``names`` maps users of an export to pseudonyms.
    """

    path: Path
    kind: str
    sentences: Sequence[SentenceRow]
    plan: Sequence[PlanRow]
    names: Mapping[str, str]

    def pull(self, request: PullRequest) -> Iterator[Pulled]:
        """Yield the annotations of the file as one project; raises BadInput where it cannot be used.

        A planned task has its own key, so that its annotation is the same as the one that a back end has.
        """
        sentences, scheme = Sentences(self.sentences, self.plan), request.scheme_at("")
        if self.kind not in ("labelstudio", "csv"):
            raise BadInput(f"format={self.kind}: expected labelstudio or csv")
        rows = (
            read_export(self.path, sentences, scheme, self.names)
            if self.kind == "labelstudio"
            else read_answers(self.path, sentences, scheme)
        )
        main = [row for row in self.plan if row["purpose"] == "main"]
        keys = {(row["annotator"], row["sentence_id"]): row["task_id"] for row in main}
        tasks = [
            PulledTask(keys.get((who, sentence), ""), sentence, who, "", one.updated_at, [one])
            for sentence, who, one in rows
        ]
        yield Pulled(str(self.path), tasks)


def file_row(
    task: PulledTask,
    planned: Mapping[str, PlanRow],
    instrument: Instrument,
    collected: Mapping[str, Annotation],
    now: str,
) -> Annotation:
    """Return an annotation from a file as a row; ``planned`` and ``collected`` are by task and annotation id.

    Where the file has no time, an unchanged row keeps its own and another one has ``now``.
    """
    (one,) = task.annotations
    key = f"elsewhere\n{instrument.target_id}\n{task.annotator}\n{task.sentence_id}"
    identity = task.task_id or hashlib.sha256(key.encode()).hexdigest()[:16]
    unplanned: Assignment = {
        "task_id": identity, "sentence_id": task.sentence_id, "annotator": task.annotator,
        "round": "main", "purpose": "main", "suggestion_shown": False,
    }  # fmt: skip
    about = planned.get(task.task_id, unplanned)
    row = annotation_row(one, about, instrument, annotation_id=identity)
    before = collected.get(identity)
    row["created_at"] = one.created_at or (before["created_at"] if before else now)
    row["updated_at"] = one.updated_at or (before["updated_at"] if before else now)
    if before is None:
        return row
    row = {
        **before, **row, "guidelines_version": before["guidelines_version"],
        "scheme_version": before["scheme_version"],
    }  # fmt: skip
    if row != before and not one.updated_at:
        row["updated_at"] = now
    return row
