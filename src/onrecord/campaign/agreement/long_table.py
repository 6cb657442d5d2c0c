"""The annotations that agreement is computed from, as arrays: from annotations.jsonl, or from any long table."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from onrecord.core.errors import BadInput
from onrecord.core.intervals import Ints
from onrecord.core.records import Annotation
from onrecord.core.table_reader import read_table
from onrecord.scheme.scheme import Scheme

NO_NAME = (
    "∅"  # the label of a speaker without a name (the author, none): annotators can agree on it
)
SINGLE = "label"  # the question of a table without questions
COLUMNS = ("task", "annotator", "label", "group")
MISSING = (
    "",
    "None",
    "nan",
    "NaN",
    "NA",
    "N/A",
    "<NA>",
    "null",
)  # how tables write no value; `none` is a label


@dataclass(frozen=True)
class Answers:
    """The answers to one question: parallel arrays over annotations, and the group of each task.

    ``task``, ``annotator``, ``label`` hold codes into ``tasks``, ``annotators`` and ``labels``; ``group``
    has one code a task.
    """

    task: Ints
    annotator: Ints
    label: Ints
    tasks: list[str]
    annotators: list[str]
    labels: list[str]
    group: Ints
    missing: int = 0  # rows of the table without a label
    facts: Mapping[str, list[str]] = field(default_factory=dict)

    @cached_property
    def place(self) -> dict[str, int]:
        """The code of each task."""
        return {task: code for code, task in enumerate(self.tasks)}

    @cached_property
    def by_annotator(self) -> dict[str, Ints]:
        """The annotations of each annotator who has some, as positions."""
        ends = np.cumsum(np.bincount(self.annotator, minlength=len(self.annotators)))[:-1]
        own = np.split(np.argsort(self.annotator, kind="stable"), ends)
        return {name: rows for name, rows in zip(self.annotators, own, strict=False) if len(rows)}

    def only(self, kept: NDArray[np.bool_]) -> "Answers":
        """Return the answers of the kept annotations (a mask over annotations); tasks stay as they are."""
        return Answers(
            self.task[kept], self.annotator[kept], self.label[kept], self.tasks, self.annotators,
            self.labels, self.group, self.missing,
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


def answers_of(table: pa.Table, labels: Iterable[str] | None = None) -> Answers:
    """Return the answers of a table's columns task, annotator, label and (optional) group.

    ``labels`` is their order; by default they are sorted, numbers by size. A task without a group is a group of
    its own.
    """
    task, tasks = _codes(table["task"])
    annotator, annotators = _codes(table["annotator"])
    found, names = _codes(table["label"])
    order = (
        list(labels)
        if labels is not None
        else sorted(names, key=None if numbers(names) is None else float)
    )
    unknown = sorted(set(names) - set(order))
    if unknown:
        raise BadInput(
            f"label {unknown[0]!r} is not in the scheme: expected one of {', '.join(order)}"
        )
    at = {name: i for i, name in enumerate(order)}
    label = np.array([at[n] for n in names], dtype=np.int64)[found]
    group = np.arange(len(tasks))
    if "group" in table.column_names:
        own = pc.binary_join_element_wise("task", pc.cast(table["task"], pa.string()), "\0")
        named = pc.binary_join_element_wise("group", pc.cast(table["group"], pa.string()), "\0")
        group[task] = _codes(pc.coalesce(named, own))[0]
    return Answers(task, annotator, label, tasks, annotators, order, group)


def _codes(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    encoded = pc.dictionary_encode(pc.cast(column, pa.string())).combine_chunks()
    return (
        encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64),
        encoded.dictionary.to_pylist(),
    )


def read_long(path: Path) -> dict[str, Answers]:
    """Return question → answers of a table of task, annotator, label (and optional question, group).

    Rows without a label, or with one of MISSING, are missing annotations. Raises BadInput for a file or column that is missing, and for
    an annotator who labels a task twice.
    """
    return questions_of(read_table(path, ("task", "annotator", "label")), path)


def questions_of(table: pa.Table, path: Path) -> dict[str, Answers]:
    """Return question → answers of a long table that was read from ``path``; raises as :func:`read_long`."""
    for name in set(COLUMNS) & set(table.column_names):
        column = pc.cast(table[name], pa.string())
        column = pc.if_else(pc.is_in(column, pa.array(MISSING)), None, column)
        table = table.set_column(table.column_names.index(name), name, column)
        if column.null_count and name in ("task", "annotator"):
            row = column.is_null().index(pa.scalar(True)).as_py() + 1
            raise BadInput(f"{path}, row {row}: {name} is empty")
    if not pc.any(pc.is_valid(table["label"])).as_py():
        raise BadInput(f"{path}: expected annotations, found no row with a label")
    questions = {SINGLE: table}
    if "question" in table.column_names:
        as_text = pc.cast(table["question"], pa.string())
        names = [str(n) for n in pc.unique(as_text).to_pylist()]
        questions = {n: table.filter(pc.equal(as_text, n)) for n in names}
    _refuse_lookalikes([str(n) for n in pc.unique(table["annotator"]).to_pylist()], path)
    found = {}
    for name, rows in questions.items():
        labelled = rows.filter(pc.is_valid(rows["label"]))
        _refuse_twice(labelled, path)
        found[name] = replace(answers_of(labelled), missing=rows["label"].null_count)
    return found


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


def given_label(labels: Mapping[str, str | None], question: str, scheme: Scheme) -> str | None:
    """Return the label that an annotation gives a question; None is no answer.

    To a question of kind ``name`` that was not asked (``when``) NO_NAME is the answer, a label of its own.
    """
    answer = labels.get(question)
    if answer is None and scheme.questions[question].kind == "name":
        return None if scheme.asked(labels, question) else NO_NAME
    return answer


def answers_of_annotations(
    rows: Iterable[Annotation],
    scheme: Scheme,
    groups: Mapping[str, str | None],
    facts: Mapping[str, Callable[[Annotation], str]],
) -> dict[str, Answers]:
    """Return question → answers of valid annotations.

    ``groups`` maps sentence_id to group_id; ``facts`` maps a fact's name (such as the week) to a function of
    the row, whose values are kept for breakdowns. Raises BadInput for a label that the scheme lacks.
    """
    columns: dict[str, dict[str, list[str | None]]] = {
        q: {name: [] for name in (*COLUMNS, *facts)} for q in scheme.questions
    }
    for row in rows:
        asked = {name: row["labels"].get(name) for name in scheme.questions}
        scheme.check(asked, f"annotation {row.get('annotation_id', row['sentence_id'])}")
        own = {fact: function(row) for fact, function in facts.items()}
        for name, column in columns.items():
            label = given_label(row["labels"], name, scheme)
            if label is None:
                continue
            sentence = row["sentence_id"]
            values = (sentence, row["annotator"], label, groups.get(sentence), *own.values())
            for values_of, value in zip(column.values(), values, strict=True):
                values_of.append(value)
    found = {}
    for name, column in columns.items():
        table = pa.table({k: pa.array(column[k], pa.string()) for k in COLUMNS})
        answers = answers_of(table, scheme.questions[name].names or None)
        kept = {fact: [str(value) for value in column[fact]] for fact in facts}
        found[name] = replace(answers, facts=kept)
    return found
