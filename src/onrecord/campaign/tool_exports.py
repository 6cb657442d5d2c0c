"""Exports of other annotation tools, read into one shape: who answered what about which text.

Shapes are those of the tools' own documentation and code, and each reader names the page. What it does not
understand it refuses, with file and row.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, read_jsonl
from onrecord.core.table_reader import read_table

ONLY = ""  # the question of a file that has one and does not name it
TIMES = ("created_at", "updated_at", "lead_time")


class Exported(NamedTuple):
    """One annotator's answers to one task: by question the labels ``chosen`` or the text ``typed``.

    ``data`` are the task's own (text, ids), ``user`` is a name, a number or ``{"id", "email"}``. Times are ISO 8601,
    empty where the tool keeps none.
    """

    where: str
    data: Mapping[str, Any]
    user: Any
    chosen: Mapping[str, list[str]]
    typed: Mapping[str, str] = {}
    skipped: bool = False
    created_at: str = ""
    updated_at: str = ""
    seconds: float | None = None


def read_exported(path: Path, kind: str, controls: Mapping[str, bool]) -> Iterator[Exported]:
    """Yield what a file of a ``kind`` (a key of READERS) holds, or all files of a folder.

    ``controls`` are the names of answers, and whether each is typed, where the format does not tell them from
    data. Raises BadInput for another shape.
    """
    if kind not in READERS:
        raise BadInput(f"format={kind}: expected one of csv, {', '.join(READERS)}")
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*.*") if p.is_file())
    if not files:
        raise BadInput(f"{path}: expected an export of {kind}, found no such file")
    for file in files:
        yield from READERS[kind](file, controls)


def long_table(path: Path, kind: str, question: str | None, names: Mapping[str, bool]) -> pa.Table:
    """Return an export as a long table: task, annotator, label, question (all that were chosen, or ``question``).

    ``names`` are as the controls of :func:`read_exported`. A control where somebody chose several labels is left
    out, unless it is asked for: then it is refused.
    """
    rows = []
    several = set()
    for one in read_exported(path, kind, names):
        data = one.data
        keys = ("sentence_id", "onrecord_id", "id", "instance_id", "text")
        task = next((str(data[key]) for key in keys if data.get(key) not in (None, "")), None)
        if task is None:
            raise BadInput(f"{one.where}: expected an id or a text of the task")
        user = one.user if isinstance(one.user, dict) else {"id": one.user}
        annotator = str(user.get("email") or user.get("id"))
        for name, labels in {} if one.skipped else one.chosen.items():
            asked = name or question or "label"
            if len(labels) > 1 and asked == question:
                raise BadInput(f"{one.where}: {asked} has {len(labels)} answers, expected one")
            several |= {asked} if len(labels) > 1 else set()
            rows += [(task, annotator, label, asked) for label in labels]
    columns = list(zip(*(row for row in rows if row[3] not in several), strict=True))
    if not columns or question not in (None, *columns[3]):
        raise BadInput(
            f"{path}: expected answers{f' to {question}' if question else ''}, found none"
        )
    table = pa.table(dict(zip(("task", "annotator", "label", "question"), columns, strict=True)))
    return table if question is None else table.filter(pc.equal(table["question"], question))


def _rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSON list, JSON Lines or a table; raises BadInput where they are no objects."""
    if path.suffix == ".jsonl":
        return read_jsonl(path)
    rows = read_json(path) if path.suffix == ".json" else read_table(path).to_pylist()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadInput(f"{path}: expected a list of tasks, found {type(rows).__name__}")
    return rows


def _strings(values: Any, where: str) -> list[str]:
    """Return labels as text; raises BadInput for spans, rankings and whatever else is no label."""
    values = values if isinstance(values, list) else [values]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise BadInput(f"{where}: expected labels, found {value!r}")
    return [str(value) for value in values]


def _label_studio(path: Path, controls: Mapping[str, bool]) -> Iterator[Exported]:
    """JSON, JSON_MIN and CSV: https://labelstud.io/guide/export, label_studio_sdk/converter (converter.py, exports/csv2.py).

    Before version 1.0 annotations are called ``completions`` and carry no user.
    """
    for number, task in enumerate(_rows(path), 1):
        where = f"{path}, task {number}"
        if "annotation_id" in task and "annotator" in task:
            if task["annotation_id"] is not None:  # else nobody annotated it
                yield _flat_label_studio(task, where, controls)
            continue
        made = task.get("annotations", task.get("completions"))
        if not isinstance(made, list) or not isinstance(task.get("data"), dict):
            raise BadInput(
                f"{where}: expected `data` and `annotations` (JSON), or `annotator` and `annotation_id` "
                f"(JSON_MIN, CSV), found {', '.join(map(str, task)) or 'nothing'}"
            )
        for raw in made:
            chosen: dict[str, list[str]] = {}
            typed: dict[str, str] = {}
            for item in raw.get("result") or []:
                value = item.get("value") if isinstance(item, dict) else None
                if not isinstance(value, dict) or not ({"choices", "text"} & value.keys()):
                    raise BadInput(f"{where}: expected choices or a text, found {item!r}")
                if "choices" in value:
                    chosen[item["from_name"]] = _strings(value["choices"], where)
                else:
                    typed[item["from_name"]] = "\n".join(_strings(value["text"], where)).strip()
            created = str(raw.get("created_at") or "")
            yield Exported(
                where, task["data"], raw.get("completed_by"), chosen, typed,
                bool(raw.get("was_cancelled")), created, str(raw.get("updated_at") or created),
                raw.get("lead_time"),
            )  # fmt: skip


def _flat_label_studio(
    task: Mapping[str, Any], where: str, controls: Mapping[str, bool]
) -> Exported:
    """Return a row of JSON_MIN or CSV: one answer is text, several are ``{"choices": […]}``, in a CSV as JSON."""
    data = {k.removeprefix("_data_"): v for k, v in task.items() if k not in controls}
    chosen: dict[str, list[str]] = {}
    typed: dict[str, str] = {}
    for name, is_typed in controls.items():
        value = task.get(name)
        if value in (None, "", []):
            continue
        if isinstance(value, str) and value[:1] in "{[":
            value = json.loads(value)
        if isinstance(value, dict):
            value = value.get("choices", value.get("text"))
        labels = _strings(value, f"{where}, {name}")
        if is_typed:
            typed[name] = "\n".join(labels).strip()
        else:
            chosen[name] = labels
    created, updated, seconds = (task.get(name) for name in TIMES)
    return Exported(
        where, data, str(task["annotator"]), chosen, typed, False, str(created or ""),
        str(updated or created or ""), float(seconds) if seconds else None,
    )  # fmt: skip


def _potato(path: Path, _: Mapping[str, bool]) -> Iterator[Exported]:
    """annotations.jsonl of `potato.export` and annotated_instances.jsonl of Potato 1, in a folder of the annotator's name.

    potatoannotator docs/data-export/export_formats.md; potato/export/tabular_exporter.py; 1.x: potato/flask_server.py.
    """
    for number, row in enumerate(_rows(path), 1):
        where = f"{path}, line {number}"
        labels = row.get("labels", row.get("label_annotations"))
        name = row.get("instance_id", row.get("id"))
        if not isinstance(labels, dict) or name is None:
            raise BadInput(
                f"{where}: expected `instance_id`, `user_id` and `labels`, found {', '.join(row)}"
            )
        origin = row.get("annotator_origin", {"kind": "human"})
        if not isinstance(origin, dict) or origin.get("kind") != "human":
            raise BadInput(f"{where}: made by {origin}, not by a person")
        if any((row.get("spans") or row.get("span_annotations") or {}).values()):
            raise BadInput(f"{where}: expected labels, found spans")
        chosen: dict[str, list[str]] = {}
        typed: dict[str, str] = {}
        for question, given in labels.items():
            if not isinstance(given, dict):
                chosen[question] = _strings(given, where)
            elif "text_box" in given:
                typed[question] = str(given["text_box"]).strip()
            else:
                no = (False, None, "", "false", "False", "0", 0)
                chosen[question] = [label for label, value in given.items() if value not in no]
        data = {"id": str(name), "sentence_id": str(name), "text": row.get("displayed_text", "")}
        yield Exported(where, data, str(row.get("user_id", path.parent.name)), chosen, typed)


def _doccano(path: Path, _: Mapping[str, bool]) -> Iterator[Exported]:
    """JSONL, JSON and CSV of text classification, a file named after each annotator.

    doccano backend/data_export/pipeline/formatters.py (in a CSV labels are joined by #) and celery_tasks.py.
    """
    if path.stem == "all":
        raise BadInput(
            f"{path}: doccano's export of a shared project does not say who annotated: expected "
            "the file of one annotator, under their name"
        )
    for number, row in enumerate(_rows(path), 1):
        where = f"{path}, row {number}"
        if "text" not in row or "label" not in row:
            raise BadInput(f"{where}: expected `text` and `label`, found {', '.join(row)}")
        labels = row["label"] or []
        labels = labels.split("#") if isinstance(labels, str) else labels
        comments = row.get("Comments") or []
        comment = comments if isinstance(comments, str) else "; ".join(map(str, comments))
        if labels:
            yield Exported(
                where, row, path.stem, {ONLY: _strings(labels, where)}, {"comment": comment}
            )


def _prodigy(path: Path, _: Mapping[str, bool]) -> Iterator[Exported]:
    """JSON Lines of `prodigy db-out`: the interfaces choice and classification.

    https://prodi.gy/docs/api-interfaces#choice and #classification; named sessions: #multi-user.
    """
    for number, row in enumerate(_rows(path), 1):
        where = f"{path}, line {number}"
        answer, user = row.get("answer"), row.get("_annotator_id", row.get("_session_id"))
        if answer not in ("accept", "ignore", "reject") or user is None:
            raise BadInput(
                f"{where}: expected `answer` and `_annotator_id` or `_session_id`, found {', '.join(row)}"
            )
        labels = row.get("accept", row.get("label"))
        if answer == "reject" or (answer == "accept" and not labels):
            raise BadInput(
                f"{where}: expected an accepted label, found answer={answer}, {labels!r}"
            )
        moment = row.get("_timestamp")
        at = f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""
        yield Exported(
            where, {**(row.get("meta") or {}), **row}, str(user),
            {} if answer == "ignore" else {ONLY: _strings(labels, where)},
            {"comment": str(row.get("user_input") or "")}, answer == "ignore", at, at,
        )  # fmt: skip


def _argilla(path: Path, _: Mapping[str, bool]) -> Iterator[Exported]:
    """The list of `records.to_json`, or the flat table of `records.to_datasets` (jsonl, parquet).

    Argilla 2: argilla/src/argilla/records/_resource.py (Record.to_dict), records/_io/_datasets.py.
    """
    for number, row in enumerate(_rows(path), 1):
        where = f"{path}, record {number}"
        responses = row.get("responses")
        data = {**(row.get("metadata") or {}), **row.get("fields", row), "id": row.get("id")}
        if responses is None:
            names = [k.removesuffix(".responses") for k in row if k.endswith(".responses")]
            columns = {
                q: [f"{q}.responses{end}" for end in ("", ".users", ".status")] for q in names
            }
            responses = {
                q: [
                    {"value": value, "user_id": user, "status": status}
                    for value, user, status in zip(*(row.get(c) or [] for c in three), strict=True)
                ]
                for q, three in columns.items()
            }
        if not isinstance(responses, dict) or ("responses" not in row and not responses):
            raise BadInput(f"{where}: expected `responses`, found {', '.join(row)}")
        users: dict[str, dict[str, list[str]]] = {}
        skipped: set[str] = set()
        for question, given in responses.items():
            for one in given:
                status = one.get("status") or "submitted"
                if status not in ("submitted", "discarded", "draft"):
                    raise BadInput(f"{where}: {question} has the unknown status {status!r}")
                if status != "draft":
                    mine = users.setdefault(str(one["user_id"]), {})
                    mine[question] = _strings(one["value"], f"{where}, {question}")
                if status == "discarded":
                    skipped.add(str(one["user_id"]))
        for user, chosen in users.items():
            yield Exported(where, data, user, chosen, {}, user in skipped)


READERS: dict[str, Callable[[Path, Mapping[str, bool]], Iterator[Exported]]] = {
    "labelstudio": _label_studio,
    "potato": _potato,
    "doccano": _doccano,
    "prodigy": _prodigy,
    "argilla": _argilla,
}
