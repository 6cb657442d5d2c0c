"""Columns of a dataset and their types, as ``datasets`` writes them into Parquet.

Label names stand in the Parquet file itself, as ``huggingface`` metadata: whoever reads the file, with
``load_dataset`` or with pyarrow alone, gets the same names in the same order. ``datasets`` accepts ids
that no label has, and takes label names in another order without a word, so labels are checked here.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.scheme.scheme import Scheme

Spec = Mapping[str, Any]  # one column's feature, as `datasets` writes it down

SPLITS = ("train", "validation", "test")  # in the order of how held out they are

_ARROW = {
    "string": pa.string(), "bool": pa.bool_(), "int32": pa.int32(), "int64": pa.int64(),
    "float32": pa.float32(), "float64": pa.float64(),
}  # fmt: skip


def value(dtype: str) -> Spec:
    """Return the feature of a plain column."""
    return {"dtype": dtype, "_type": "Value"}


def label(names: Sequence[str]) -> Spec:
    """Return the feature of a label column; ids count from 0 in the order of ``names``."""
    return {"names": list(names), "_type": "ClassLabel"}


def list_of(feature: Spec) -> Spec:
    """Return the feature of a column of lists."""
    return {"feature": feature, "_type": "List"}


def arrow_type(feature: Spec) -> pa.DataType:
    """Return the Arrow type that a feature is stored as.

    >>> arrow_type(list_of(value("float32")))
    ListType(list<item: float>)
    """
    if "_type" not in feature:
        return pa.struct([(name, arrow_type(part)) for name, part in feature.items()])
    kind = feature["_type"]
    if kind == "ClassLabel":
        return pa.int64()
    return pa.list_(arrow_type(feature["feature"])) if kind == "List" else _ARROW[feature["dtype"]]


def feature_of(kind: pa.DataType) -> Spec:
    """Return the feature of a column of a plain Arrow type (for the columns that a table brings along)."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return list_of(feature_of(kind.value_type))
    if pa.types.is_struct(kind):
        return {field.name: feature_of(field.type) for field in kind}
    for dtype, known in _ARROW.items():
        if kind == known:
            return value(dtype)
    return value("string")


def schema(columns: Mapping[str, Spec]) -> pa.Schema:
    """Return the Arrow schema of the columns, with the features in its metadata."""
    fields = [pa.field(name, arrow_type(feature)) for name, feature in columns.items()]
    info = json.dumps({"info": {"features": dict(columns)}})
    return pa.schema(fields, metadata={"huggingface": info})


def gold_columns(scheme: Scheme, *, folds: bool) -> dict[str, Spec]:
    """Return the columns of the config ``gold`` that is built from a campaign."""
    text = value("string")
    columns: dict[str, Spec] = {
        "sentence_id": text, "article_id": text, "group_id": text, "outlet": text, "published": text,
        "text": text, "context_before": text, "context_after": text, "target": text,
    }  # fmt: skip
    for question in scheme.questions.values():
        columns[question.name] = label(question.names) if question.kind == "label" else text
    for question in scheme.questions.values():
        if question.kind == "label":
            columns[f"{question.name}_soft"] = list_of(value("float32"))
    columns |= {
        "suggested_speaker": label(scheme.questions["speaker"].names) if "speaker" in scheme.questions else text,
        "suggested_speaker_name": text, "speaker_start": value("int64"), "speaker_end": value("int64"),
        "n_annotators": value("int32"), "unanimous": value("bool"), "is_copy": value("bool"),
        "text_sha256": text,
    }  # fmt: skip
    return columns | ({"fold": value("int32")} if folds else {})


def annotation_columns(scheme: Scheme) -> dict[str, Spec]:
    """Return the columns of the config ``annotations``: one row an annotation, nothing decided."""
    text = value("string")
    columns: dict[str, Spec] = {
        "annotation_id": text, "sentence_id": text, "article_id": text, "group_id": text,
        "furniture": text, "annotator": text, "round": text, "purpose": text, "target_id": text,
    }  # fmt: skip
    for question in scheme.questions.values():
        columns[question.name] = label(question.names) if question.kind == "label" else text
    return columns | {
        "speaker_start": value("int64"), "speaker_end": value("int64"), "flags": list_of(text),
        "comment": text, "seconds": value("float64"), "created_at": text, "updated_at": text,
        "suggestion_shown": value("bool"), "guidelines_version": text, "scheme_version": value("int32"),
        "origin": text, "in_gold": value("bool"), "text_sha256": text,
    }  # fmt: skip


def label_ids(names: Sequence[str | None], allowed: Sequence[str], where: str) -> list[int | None]:
    """Return the id of each label name, null for null; raises BadInput for a name that is not allowed."""
    id_of: dict[str | None, int | None] = {name: i for i, name in enumerate(allowed)}
    id_of[None] = None
    try:
        return [id_of[name] for name in names]
    except KeyError as error:
        raise BadInput(
            f"{where}: label {error.args[0]!r} is not one of {', '.join(allowed)}"
        ) from None


def table(columns: Mapping[str, Spec], values: Mapping[str, Sequence[Any]], where: str) -> pa.Table:
    """Return the table, label names turned into ids; raises BadInput where a value does not fit."""
    arrays = []
    wanted = schema(columns)
    for name, feature in columns.items():
        given = values[name]
        if feature.get("_type") == "ClassLabel":
            given = label_ids(given, feature["names"], f"{where}, column {name!r}")
        try:
            arrays.append(pa.array(given, type=wanted.field(name).type))
        except (pa.ArrowException, TypeError) as error:
            raise BadInput(f"{where}, column {name!r}: {' '.join(str(error).split())}") from error
    return pa.Table.from_arrays(arrays, schema=wanted)


def stored_features(path: Path) -> dict[str, Spec]:
    """Return the features that a Parquet file carries; raises BadInput where it carries none."""
    metadata = pq.read_schema(path).metadata or {}
    if b"huggingface" not in metadata:
        raise BadInput(f"{path}: expected features in the file's metadata, found none")
    features: dict[str, Spec] = json.loads(metadata[b"huggingface"])["info"]["features"]
    return features
