"""Annotations from a file: an export of another tool, or a long table.

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
from onrecord.campaign.labelstudio.label_studio_backend import (
    COMMENT,
    FLAGS,
    answers_in,
    text_control,
)
from onrecord.campaign.tool_exports import ONLY, Exported, read_exported
from onrecord.core.errors import BadInput
from onrecord.core.records import Annotation, Assignment, PlanRow, SentenceRow, text_sha256
from onrecord.core.table_reader import read_table
from onrecord.scheme.scheme import Scheme

NAME = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)  # a pseudonym: no e-mail address, no number
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
        sha256 = (
            text_sha256(plain) if plain else self.sha256_of.get(str(data.get("sentence_id")), "")
        )
        known = self.of_task.get(str(data.get("onrecord_id"))) or data.get("sentence_id")
        if not known and str(data.get("id")) in self.sha256_of:
            known = str(data["id"])
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
    """Return the pseudonym of a user: as ``names`` maps their e-mail, number or name, else the name or ``user-NUMBER``.

    >>> pseudonym({"id": 7, "email": "a@x.org"}, {"a@x.org": "annotator-1"}), pseudonym(8, {}), pseudonym("ada", {})
    ('annotator-1', 'user-8', 'ada')
    """
    user = completed_by if isinstance(completed_by, dict) else {"id": completed_by}
    for key in (user.get("email"), user.get("id")):
        if str(key) in names:
            return names[str(key)]
    name = str(user.get("id"))
    is_name = isinstance(user.get("id"), str) and (name in names.values() or NAME.fullmatch(name))
    return name if is_name else f"user-{name}"


def read_names(path: Path) -> dict[str, str]:
    """Return ``e-mail or number → pseudonym`` from a table ``annotator, email``, as logins.csv is one.

    Raises BadInput where a column is missing.
    """
    table = read_table(path, ("annotator", "email")).to_pydict()
    return dict(zip(table["email"], table["annotator"], strict=True))


def read_export(
    path: Path,
    kind: str,
    sentences: Sentences,
    scheme: Scheme,
    names: Mapping[str, str],
    *,
    question: str | None = None,
) -> Iterator[Found]:
    """Yield the annotations of another tool's export (``kind`` as in ``tool_exports``).

    ``question`` is the one that a file answers which does not name it; None where its labels fit one only. Then
    the others are not in ``labels``. Raises BadInput for another shape and for a label that the scheme lacks.
    """
    controls = dict.fromkeys([*scheme.questions, FLAGS], False)
    controls |= dict.fromkeys([COMMENT, *map(text_control, scheme.questions)], True)
    exported = list(read_exported(path, kind, controls))
    only = {label for one in exported for label in one.chosen.get(ONLY, ())}
    if only and question is None:
        fitting = [q.name for q in scheme.questions.values() if only <= {*q.names}]
        if len(fitting) != 1:
            raise BadInput(
                f"{path}: its labels ({', '.join(sorted(only))}) answer {' or '.join(fitting) or 'no question'}: "
                f"expected question=, one of {', '.join(scheme.questions)}"
            )
        question = fitting[0]
    for one in exported:
        sentence, sha256 = sentences.find(one.data, one.where)
        answers = (
            only_answer(one, str(question), scheme) if only else answers_to(one, scheme)
        )  # of a skipped task too: it says of which question
        pulled = PulledAnnotation(
            "", answers, "skipped" if one.skipped else "submitted", sha256, one.seconds,
            one.created_at, one.updated_at,
        )  # fmt: skip
        yield Found(sentence, pseudonym(one.user, names), pulled)


def only_answer(one: Exported, question: str, scheme: Scheme) -> Answers:
    """Return the answer to one question alone; raises BadInput for several labels or one that the scheme lacks."""
    given = one.chosen.get(ONLY, [None])
    if len(given) > 1:
        raise BadInput(f"{one.where}: {question} has {len(given)} answers, expected one: {given}")
    scheme.check({question: given[0]}, one.where)
    return Answers({question: given[0]}, [], one.typed.get(COMMENT, ""))


def answers_to(one: Exported, scheme: Scheme) -> Answers:
    """Return the answers to all questions; raises BadInput for what the scheme lacks."""
    if not one.chosen and not any(one.typed.values()):
        return Answers({}, [], "")
    typed = dict(one.typed)
    chosen = dict(one.chosen)
    for question in scheme.questions.values():
        if question.kind == "name" and question.name in typed:  # typed without a list of names
            chosen[question.name] = [typed.pop(question.name)]
    return answers_in(chosen, typed, scheme, one.where)


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
    """An :class:`~onrecord.campaign.backend.AnnotationSource`: a file of a ``kind``, csv or one of ``tool_exports``.

    ``names`` maps users of an export to pseudonyms; ``question`` is as in :func:`read_export`.
    """

    path: Path
    kind: str
    sentences: Sequence[SentenceRow]
    plan: Sequence[PlanRow]
    names: Mapping[str, str]
    question: str | None = None

    def pull(self, request: PullRequest) -> Iterator[Pulled]:
        """Yield the annotations of the file as one project; raises BadInput where it cannot be used.

        A planned task has its own key, so that its annotation is the same as the one that a back end has.
        """
        sentences, scheme = Sentences(self.sentences, self.plan), request.scheme_at("")
        if self.question is not None:
            scheme.check({self.question: None}, "question")
        rows = (
            read_answers(self.path, sentences, scheme)
            if self.kind == "csv"
            else read_export(
                self.path, self.kind, sentences, scheme, self.names, question=self.question
            )
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
    if (
        row["labels"] and not before["labels"].keys() <= row["labels"].keys()
    ):  # of one question alone
        row["labels"] = before["labels"] | row["labels"]
    row = {
        **before, **row, "guidelines_version": before["guidelines_version"],
        "scheme_version": before["scheme_version"],
    }  # fmt: skip
    if row != before and not one.updated_at:
        row["updated_at"] = now
    return row
