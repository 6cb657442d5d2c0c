"""Annotations made elsewhere, into the same rows: a Label Studio export of any server, or a long table.

A sentence is found by our key, by its ``sentence_id``, or else by its exact text where only one sentence
has it. An annotator is a pseudonym: an e-mail address never enters a row.
"""

import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from onrecord.campaign.annotation_log import speaker_span
from onrecord.campaign.backend import Answers
from onrecord.campaign.labelstudio.label_studio_backend import from_result
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json
from onrecord.core.records import Annotation, parse_sentence_id, text_sha256
from onrecord.core.table_reader import read_table
from onrecord.scheme.scheme import Scheme

TABLE_COLUMNS = ("sentence_id", "annotator", "question", "label")


class Answered(NamedTuple):
    """One annotation as read from a file, before it is a row; ``created_at`` is empty where not told."""

    sentence_id: str
    text_sha256: str
    annotator: str
    answers: Answers
    status: str
    seconds: float | None
    created_at: str
    updated_at: str


class Sentences:
    """The campaign's sentences, found by id or by text."""

    def __init__(
        self, rows: Iterable[Mapping[str, Any]], plan: Iterable[Mapping[str, Any]]
    ) -> None:
        self.sha256_of = {row["sentence_id"]: text_sha256(row["text"]) for row in rows}
        self.by_text: dict[str, list[str]] = {}
        for name, sha256 in self.sha256_of.items():
            self.by_text.setdefault(sha256, []).append(name)
        self.of_task = {row["task_id"]: row["sentence_id"] for row in plan}

    def named(self, name: str, where: str) -> str:
        """Return ``name`` if it is a sentence's id; raises BadInput else."""
        if name not in self.sha256_of:
            raise BadInput(f"{where}: there is no sentence {name!r} in this campaign")
        return name

    def shown(self, data: Mapping[str, Any], where: str) -> tuple[str, str]:
        """Return ``(sentence_id, hash of the text shown)`` of a task's data; raises BadInput where none fits."""
        text = next((str(data[key]) for key in ("sentence", "text") if data.get(key)), "")
        plain = html.unescape(re.sub(r"<[^>]*>", "", text)) if "onrecord_id" in data else text
        sha256 = text_sha256(plain)
        known = self.of_task.get(str(data.get("onrecord_id"))) or data.get("sentence_id")
        if known:
            return self.named(str(known), where), sha256
        found = self.by_text.get(sha256, [])
        if len(found) != 1:
            raise BadInput(
                f"{where}: expected `sentence_id` or the exact text of one sentence in its data, "
                f"found a text of {len(found)} sentences"
            )
        return found[0], sha256


def pseudonym(completed_by: Any, names: Mapping[str, str]) -> str:
    """Return who annotated: as ``names`` maps their e-mail or number, else ``user-NUMBER``.

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
) -> Iterator[Answered]:
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
            sentence, sha256 = sentences.shown(task["data"], where)
            skipped = bool(raw.get("was_cancelled"))
            result = raw.get("result") or []
            created = str(raw.get("created_at") or "")
            yield Answered(
                sentence, sha256, pseudonym(raw.get("completed_by"), names),
                from_result(result, scheme, where) if result else Answers({}, [], ""),
                "skipped" if skipped else "submitted", raw.get("lead_time"), created,
                str(raw.get("updated_at") or created),
            )  # fmt: skip


def read_answers(path: Path, sentences: Sentences, scheme: Scheme) -> Iterator[Answered]:
    """Yield the annotations of a long table: ``sentence_id, annotator, question, label`` and, where there are
    such columns, ``seconds``, ``created_at``, ``comment`` and ``flags`` (words apart by spaces).

    An empty label is no answer (or, of a name, that there is none). Raises BadInput, with the row, for a
    missing column, an unknown sentence or label, and a question answered twice.
    """
    found: dict[tuple[str, str], tuple[dict[str, str | None], dict[str, str], str]] = {}
    for number, row in enumerate(read_table(path, TABLE_COLUMNS).to_pylist(), 1):
        where = f"{path}, row {number}"
        key = (sentences.named(row["sentence_id"], where), row["annotator"])
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
        yield Answered(
            sentence, sentences.sha256_of[sentence], annotator, answers, "submitted",
            _seconds(rest.get("seconds"), where), created, created,
        )  # fmt: skip


def _seconds(said: str | None, where: str) -> float | None:
    try:
        return float(said) if said else None
    except ValueError as error:
        raise BadInput(f"{where}: expected seconds, found {said!r}") from error


def rows_of(
    answered: Iterable[Answered],
    plan: Sequence[Mapping[str, Any]],
    *,
    texts: Mapping[str, str],
    target_id: str,
    origin: str,
    guidelines_version: str,
    scheme_version: int,
    now: str,
    known: Mapping[str, Mapping[str, Any]],
) -> list[Annotation]:
    """Return annotations read from a file as rows.

    What the plan assigned takes its task's id, so that it and the same annotation collected from the server
    are one; ``known`` holds the latest rows by id: where the file tells no time, an unchanged row keeps its
    own, and a new one has ``now``.
    """
    tasks = {
        (row["annotator"], row["sentence_id"]): row for row in plan if row["purpose"] == "main"
    }
    rows = []
    for one in answered:
        task = tasks.get((one.annotator, one.sentence_id), {})
        words = f"elsewhere\n{target_id}\n{one.annotator}\n{one.sentence_id}"
        identity = task.get("task_id") or hashlib.sha256(words.encode()).hexdigest()[:16]
        before = known.get(identity, {})
        article = texts.get(parse_sentence_id(one.sentence_id)[0], "")
        row = Annotation(
            annotation_id=identity,
            sentence_id=one.sentence_id,
            annotator=one.annotator,
            round=task.get("round", "main"),
            target_id=target_id,
            labels=one.answers.labels,
            speaker_span=speaker_span(one.answers.labels.get("speaker_name"), article),
            flags=one.answers.flags,
            comment=one.answers.comment,
            text_sha256=one.text_sha256,
            seconds=one.seconds,
            created_at=one.created_at or before.get("created_at") or now,
            updated_at=one.updated_at or before.get("updated_at") or now,
            suggestion_shown=bool(task.get("suggestion_shown", False)),
            guidelines_version=before.get("guidelines_version", guidelines_version),
            scheme_version=before.get("scheme_version", scheme_version),
            purpose="main",
            status=one.status,
            origin=origin,
        )
        same = before and {**before, **row} == before
        rows.append(row)
        if before and not same and not one.updated_at:
            row["updated_at"] = now
    return rows


def read_from(
    path: Path, kind: str, sentences: Sentences, scheme: Scheme, names: Mapping[str, str]
) -> list[Answered]:
    """Return the annotations in a file of a kind (labelstudio or csv); raises BadInput where it is none."""
    if kind == "labelstudio":
        return list(read_export(path, sentences, scheme, names))
    if kind == "csv":
        return list(read_answers(path, sentences, scheme))
    raise BadInput(f"format={kind}: expected labelstudio or csv")
