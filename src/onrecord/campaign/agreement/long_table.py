"""The long rows that agreement is computed from: a task, an annotator, a question and a label each.

They come from collected annotations or from any table of somebody else's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from onrecord.core.errors import BadInput
from onrecord.core.table_reader import read_table
from onrecord.scheme.scheme import Scheme

NO_NAME = "∅"  # who has no name to give (the author, none) agrees with others who say so
SINGLE = "label"  # the question of a table without questions


@dataclass(frozen=True)
class Answers:
    """The answers to one question: parallel arrays over annotations, and the group of each task.

    ``task``, ``annotator``, ``label`` hold codes into ``tasks``, ``annotators`` and ``labels``; ``group``
    has one code a task.
    """

    task: NDArray[np.int64]
    annotator: NDArray[np.int64]
    label: NDArray[np.int64]
    tasks: list[str]
    annotators: list[str]
    labels: list[str]
    group: NDArray[np.int64]
    n_groups: int
    facts: Mapping[str, list[str]] = field(default_factory=dict)

    @cached_property
    def place(self) -> dict[str, int]:
        """The code of each task."""
        return {task: code for code, task in enumerate(self.tasks)}

    def only(self, kept: NDArray[np.bool_]) -> "Answers":
        """Return the answers of the kept annotations (a mask over annotations); tasks stay as they are."""
        return Answers(
            self.task[kept], self.annotator[kept], self.label[kept], self.tasks, self.annotators,
            self.labels, self.group, self.n_groups,
            {k: [v for v, keep in zip(values, kept, strict=True) if keep] for k, values in self.facts.items()},
        )  # fmt: skip


def numbers(labels: Iterable[str]) -> list[float] | None:
    """Return the labels as numbers, or None unless all of them are.

    >>> numbers(["1", "2.5"]), numbers(["1", "nan"]), numbers(["low"])
    ([1.0, 2.5], None, None)
    """
    try:
        found = [float(label) for label in labels]
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def answers_of(
    columns: Mapping[str, pa.ChunkedArray], labels: Iterable[str] | None = None
) -> Answers:
    """Return the answers of a table's columns task, annotator, label and (optional) group.

    ``labels`` is their order; default: sorted, numbers by their size. A task without a group is a group of
    its own.
    """
    task, tasks = _codes(columns["task"])
    annotator, annotators = _codes(columns["annotator"])
    found, names = _codes(columns["label"])
    order = (
        list(labels)
        if labels is not None
        else sorted(names, key=None if numbers(names) is None else float)
    )
    strange = sorted(set(names) - set(order))
    if strange:
        raise BadInput(
            f"label {strange[0]!r} is not in the scheme: expected one of {', '.join(order)}"
        )
    at = {name: i for i, name in enumerate(order)}
    label = np.array([at[n] for n in names], dtype=np.int64)[found]
    group = np.arange(len(tasks))
    n_groups = len(tasks)
    if "group" in columns:
        own = pc.binary_join_element_wise("task", pc.cast(columns["task"], pa.string()), "\0")
        named = pc.binary_join_element_wise("group", pc.cast(columns["group"], pa.string()), "\0")
        of_row, groups = _codes(pc.coalesce(named, own))
        group = np.zeros(len(tasks), dtype=np.int64)
        group[task] = of_row
        n_groups = len(groups)
    return Answers(task, annotator, label, tasks, annotators, order, group, n_groups)


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    encoded = pc.dictionary_encode(pc.cast(column, pa.string())).combine_chunks()
    return (
        encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        encoded.dictionary.to_pylist(),
    )


def read_long(path: Path) -> dict[str, pa.Table]:
    """Return question → table of task, annotator, label (and group), from csv, jsonl(.gz) or parquet.

    Rows without a label are missing annotations. Raises BadInput for a file or a column that is not there,
    and for an annotator who labels a task twice.
    """
    table = read_table(path, ("task", "annotator", "label"))
    for name in ("task", "annotator"):
        if table[name].null_count:
            row = table[name].is_null().index(pa.scalar(True)).as_py() + 1
            raise BadInput(f"{path}, row {row}: {name} is empty")
    table = table.filter(pc.is_valid(table["label"]))
    if not table.num_rows:
        raise BadInput(f"{path}: expected annotations, found no row with a label")
    questions = {SINGLE: table}
    if "question" in table.column_names:
        names = [str(n) for n in pc.unique(table["question"]).to_pylist()]
        as_text = pc.cast(table["question"], pa.string())
        questions = {n: table.filter(pc.equal(as_text, n)) for n in names}
    _refuse_lookalikes([str(n) for n in pc.unique(table["annotator"]).to_pylist()], path)
    for rows in questions.values():
        _refuse_twice(rows, path)
    return questions


def _refuse_lookalikes(annotators: Iterable[str], path: Path) -> None:
    plain: dict[str, str] = {}
    for name in annotators:
        other = plain.setdefault(" ".join(name.split()).casefold(), name)
        if other != name:
            raise BadInput(
                f"{path}: annotators {other!r} and {name!r} differ only in case or spaces: "
                "expected one pseudonym a person"
            )


def _refuse_twice(rows: pa.Table, path: Path) -> None:
    pairs = (
        rows.select(["task", "annotator"])
        .group_by(["task", "annotator"])
        .aggregate([([], "count_all")])
    )
    if pairs.num_rows < rows.num_rows:
        twice = pairs.filter(pc.greater(pairs["count_all"], 1)).slice(0, 1).to_pylist()[0]
        raise BadInput(
            f"{path}: annotator {twice['annotator']!r} labels task {twice['task']!r} more than once"
        )


def answers_of_annotations(
    rows: Iterable[Mapping[str, Any]],
    scheme: Scheme,
    groups: Mapping[str, str],
    facts: Mapping[str, Any],
) -> dict[str, Answers]:
    """Return question → answers of annotations (rows of annotations.jsonl that count).

    A question of kind ``name`` that was not asked (``when``) is answered with ∅, a label of its own; a
    null answer to a question that was asked is missing. ``groups`` maps sentence_id to group_id; ``facts``
    maps a fact's name (such as the week) to a function of the row, kept a row for breakdowns. Raises
    BadInput for a label that the scheme lacks.
    """
    columns: dict[str, dict[str, list[Any]]] = {
        q: {"task": [], "annotator": [], "label": [], "group": [], **{f: [] for f in facts}}
        for q in scheme.questions
    }
    for row in rows:
        asked = {name: row["labels"].get(name) for name in scheme.questions}
        scheme.check(asked, f"annotation {row.get('annotation_id', row['sentence_id'])}")
        for name, question in scheme.questions.items():
            answer = row["labels"].get(name)
            if answer is None and question.kind == "name" and not scheme.asked(row["labels"], name):
                answer = NO_NAME
            if answer is None:
                continue
            column = columns[name]
            column["task"].append(row["sentence_id"])
            column["annotator"].append(row["annotator"])
            column["label"].append(answer)
            column["group"].append(groups.get(row["sentence_id"]))
            for fact, function in facts.items():
                column[fact].append(function(row))
    found = {}
    for name, column in columns.items():
        table = {
            k: pa.chunked_array([pa.array(column[k], pa.string())])
            for k in ("task", "annotator", "label", "group")
        }
        answers = answers_of(table, scheme.questions[name].names or None)
        found[name] = Answers(**{**answers.__dict__, "facts": {f: column[f] for f in facts}})
    return found
