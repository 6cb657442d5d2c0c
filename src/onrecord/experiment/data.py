"""The rows that models learn from and are scored on, read from a dataset folder.

Label names and their order come from the dataset's own features, never from the scheme. Everything here is
a pandas frame with one row an example and the columns of COLUMNS; ``label`` is an index into the names.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256, read_json, require
from onrecord.core.records import row_id
from onrecord.core.table_reader import read_table

SPLITS = ("train", "validation", "test")
SMALL_ROWS, SMALL_GROUPS = 30, 3

# What a model may look at. `speaker` is the suggestion, never gold: prediction knows no gold.
INPUTS = ("text", "target", "before", "after", "speaker", "outlet")
COLUMNS = (
    "id", *INPUTS, "label", "group", "split", "fold", "unanimous", "published", "gold_speaker", "gold_name",
)  # fmt: skip
# column of the dataset → column of the frame, where the names differ
RENAMED = {
    "id": "sentence_id",
    "before": "context_before",
    "after": "context_after",
    "speaker": "suggested_speaker",
    "group": "unit_id",  # the leakage unit: folds and resampling part no same or near-same sentences
    "gold_speaker": "speaker",
    "gold_name": "speaker_name",
}


@dataclass(frozen=True)
class Examples:
    """A dataset as this room sees it.

    ``frame`` has the columns of COLUMNS, an index 0 to n - 1 and one row an example that counts; ``soft``
    has shape (rows, labels), each row summing to 1 or all NaN where no votes are known. ``left_out`` says
    how many rows do not count and why; ``signature`` is a hash of the dataset's bytes; ``findings`` are the
    audit's, in words.
    """

    frame: pd.DataFrame
    soft: npt.NDArray[np.float64]
    names: tuple[str, ...]
    question: str
    split: str
    origin: str
    source: str
    left_out: Mapping[str, int]
    signature: str
    findings: tuple[str, ...] = ()

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The gold labels, as indices into ``names``."""
        return self.frame["label"].to_numpy(dtype=np.int64)

    @property
    def groups(self) -> npt.NDArray[np.object_]:
        """The group of each row: its leakage unit."""
        return self.frame["group"].to_numpy(dtype=object)

    def in_splits(self, *splits: str) -> "Examples":
        """Return the examples of the splits named."""
        return self.take(self.frame["split"].isin(splits).to_numpy())

    def development(self) -> "Examples":
        """Return what may be learnt from and chosen by: everything but the test split."""
        return self.in_splits("train", "validation")

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "Examples":
        """Return the examples at these positions, or of the rows that are True."""
        return replace(
            self, frame=self.frame.iloc[rows].reset_index(drop=True), soft=self.soft[rows]
        )


def read_examples(folder: str | Path) -> Examples:
    """Return the examples of a dataset folder, as ``build`` wrote it.

    Rows without gold and rows that repeat a sentence of a copy are left out and counted. Raises BadInput
    for a folder that is no dataset, a label outside the features, and a text that is missing or empty.
    """
    folder = require(folder, "build")
    about = read_json(require(folder / "dataset.json", "build"))
    files = [p for p in (folder / "gold" / f"{s}.parquet" for s in SPLITS) if p.is_file()]
    if not files:
        raise BadInput(
            f"{folder}/gold: expected train.parquet and the like, found none: run `onrecord build` first"
        )
    question = str(about.get("question", "stance"))
    tables = {file.stem: read_table(file) for file in files}
    names = {
        split: class_names(table, question, f"{folder}/gold/{split}.parquet")
        for split, table in tables.items()
    }
    first = next(iter(names.values()))
    for split, found in names.items():
        if found != first:
            raise BadInput(
                f"{folder}/gold/{split}.parquet: expected the labels {', '.join(first)}, found {', '.join(found)}"
            )
    parts = [_frame(table, split, question) for split, table in tables.items()]
    frame = pd.concat([part for part, _ in parts], ignore_index=True)
    again = frame["id"].duplicated(keep=False)  # one sentence toward several targets
    frame.loc[again, "id"] = [
        row_id(*pair) for pair in frame.loc[again, ["id", "target"]].itertuples(index=False)
    ]
    soft = np.concatenate([_soft(column, len(part), len(first)) for part, column in parts])
    kept, left_out = _kept(frame, first, str(folder))
    hashes = " ".join(f"{file.stem} {file_sha256(file)}" for file in files)
    signature = hashlib.sha256(hashes.encode()).hexdigest()[:16]
    examples = Examples(
        frame, soft, first, question, _split_name(about.get("split")), str(about.get("origin", "people")),
        str(about.get("source", "gold")),
        left_out, signature, tuple(f["message"] for f in about.get("audit", {}).get("findings", [])),
    )  # fmt: skip
    examples = examples.take(kept)
    return replace(examples, frame=examples.frame.astype({"label": np.int64}))


def class_names(table: pa.Table, question: str, where: str) -> tuple[str, ...]:
    """Return the label names of a column from the features that the Parquet file carries."""
    if question not in table.column_names:
        raise BadInput(
            f"{where}: expected the column {question!r}, found {', '.join(table.column_names)}"
        )
    carried = (table.schema.metadata or {}).get(b"huggingface")
    features = json.loads(carried)["info"]["features"] if carried else {}
    names = features.get(question, {}).get("names")
    if not names:
        raise BadInput(f"{where}: the column {question!r} carries no label names (a ClassLabel)")
    return tuple(str(name) for name in names)


def small_labels(labels: npt.NDArray[np.int64], groups: Any, names: Sequence[str]) -> list[str]:
    """Return a line for each label that is too small to learn from.

    Small is fewer than 30 rows or fewer than 3 groups, counted in the rows that are trained on.

    >>> small_labels(np.array([0] * 40 + [1] * 2), np.arange(42), ["favor", "against"])
    ['against: 2 rows in 2 groups']
    """
    lines = []
    for index, name in enumerate(names):
        rows = labels == index
        n_rows, n_groups = int(rows.sum()), len(set(np.asarray(groups)[rows]))
        if n_rows < SMALL_ROWS or n_groups < SMALL_GROUPS:
            lines.append(f"{name}: {n_rows} rows in {n_groups} groups")
    return lines


def _frame(table: pa.Table, split: str, question: str) -> tuple[pd.DataFrame, list[Any] | None]:
    """Return a split's rows under our names, and its column of label shares if it has one."""
    rows = len(table)

    def column(name: str) -> list[Any]:
        source = RENAMED.get(name, name)
        return table[source].to_pylist() if source in table.column_names else [None] * rows

    values: dict[str, Any] = {name: column(name) for name in COLUMNS}
    values["label"] = table[question].to_pylist()
    if "unit_id" not in table.column_names:  # a dataset of an earlier version
        values["group"] = column("group_id")
    values["split"] = [split] * rows
    values["is_copy"] = (
        table["is_copy"].to_pylist() if "is_copy" in table.column_names else [False] * rows
    )
    for name in ("gold_speaker", "speaker"):
        values[name] = _named(table, RENAMED[name], values[name])
    frame = pd.DataFrame(values).astype({"label": object, "unanimous": object, "fold": object})
    absent = frame["group"].isna()
    frame.loc[absent, "group"] = "row " + frame.loc[absent, "id"].astype(str)
    shares = f"{question}_soft"
    return frame, table[shares].to_pylist() if shares in table.column_names else None


def _named(table: pa.Table, source: str, values: list[Any]) -> list[Any]:
    """Return a column of label indices as label names; a column of strings as it is."""
    if source not in table.column_names or not pa.types.is_integer(table.schema.field(source).type):
        return values
    names = class_names(table, source, source)
    return [None if v is None or v < 0 else names[v] for v in values]


def _soft(column: list[Any] | None, rows: int, labels: int) -> npt.NDArray[np.float64]:
    soft = np.full((rows, labels), np.nan)
    for i, shares in enumerate(column or ()):
        if shares is not None and len(shares) == labels and sum(shares) > 0:
            soft[i] = np.asarray(shares, dtype=float) / sum(shares)
    return soft


def _kept(
    frame: pd.DataFrame, names: Sequence[str], where: str
) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Return which rows count, and how many do not and why; raises BadInput for what is no example."""
    for identifier, text in zip(frame["id"], frame["text"], strict=True):
        if not isinstance(text, str) or not text.strip():
            raise BadInput(f"{where}: expected a text in row {identifier!r}, found {text!r}")
    missing = np.array(frame["label"].isna(), dtype=bool)  # a copy: pandas 3's own is read-only
    for identifier, label in frame.loc[~missing, ["id", "label"]].itertuples(index=False):
        if not -1 <= label < len(names):
            raise BadInput(
                f"{where}: label {label} of row {identifier!r} is not in the features: {', '.join(names)}"
            )
    missing = (
        missing | (frame["label"] == -1).to_numpy()
    )  # a new array: pandas 3 gives read-only ones
    copies = frame["is_copy"].fillna(False).to_numpy(dtype=bool) & ~missing
    for column in INPUTS:
        frame[column] = frame[column].fillna("").astype(str)
    return ~missing & ~copies, {"without gold": int(missing.sum()), "copies": int(copies.sum())}


def _split_name(split: Any) -> str:
    return str(split.get("name", "split")) if isinstance(split, Mapping) else str(split)
