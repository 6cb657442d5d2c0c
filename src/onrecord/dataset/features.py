"""A dataset as Parquet files that ``datasets.load_dataset`` reads: the columns, their types, and the folder.

Label names are in the Parquet file itself, as ``huggingface`` metadata: whoever reads the file, with
``load_dataset`` or with pyarrow alone, gets the same names in the same order. ``datasets`` accepts ids
that no label has, and label names in another order without a warning, so labels are checked here.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from onrecord.core.errors import BadInput
from onrecord.core.files import atomic, file_sha256, write_text
from onrecord.core.tables import PARQUET_OPTIONS, read_parquet
from onrecord.scheme.scheme import Scheme

Feature = Mapping[str, Any]  # one column's type, as `datasets` writes it down
Columns = dict[str, list[Any]]  # the rows before they are a table: column → one value a row
Tables = dict[str, dict[str, pa.Table]]  # config → split → rows
Features = dict[str, dict[str, Feature]]  # config → column → its type

SPLITS = ("train", "validation", "test")  # in the order of how held out they are

_DTYPES = ("string", "bool", "int32", "int64", "float32", "float64")


def value_feature(dtype: str) -> Feature:
    """Return the feature of a plain column."""
    return {"dtype": dtype, "_type": "Value"}


def label_feature(names: Sequence[str]) -> Feature:
    """Return the feature of a label column; ids count from 0 in the order of ``names``."""
    return {"names": list(names), "_type": "ClassLabel"}


def list_feature(feature: Feature) -> Feature:
    """Return the feature of a column of lists, in the form that `datasets` 2 to 5 all read."""
    return {"feature": feature, "_type": "Sequence"}


def arrow_type(feature: Feature) -> pa.DataType:
    """Return the Arrow type that a feature is stored as.

    >>> arrow_type(list_feature(value_feature("float32")))
    ListType(list<item: float>)
    """
    if "_type" not in feature:
        return pa.struct([(name, arrow_type(part)) for name, part in feature.items()])
    kind = feature["_type"]
    if kind == "ClassLabel":
        return pa.int64()
    return (
        pa.list_(arrow_type(feature["feature"]))
        if "feature" in feature
        else pa.type_for_alias(feature["dtype"])
    )


def feature_of(kind: pa.DataType) -> Feature:
    """Return the feature of a column of a plain Arrow type (for a table's further columns)."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return list_feature(feature_of(kind.value_type))
    if pa.types.is_struct(kind):
        return {field.name: feature_of(field.type) for field in kind}
    return value_feature(next((d for d in _DTYPES if pa.type_for_alias(d) == kind), "string"))


def arrow_schema(columns: Mapping[str, Feature]) -> pa.Schema:
    """Return the Arrow schema of the columns, with the features in its metadata."""
    fields = [pa.field(name, arrow_type(feature)) for name, feature in columns.items()]
    info = json.dumps({"info": {"features": dict(columns)}})
    return pa.schema(fields, metadata={"huggingface": info})


def gold_features(scheme: Scheme) -> dict[str, Feature]:
    """Return the columns of the config ``gold`` that is built from a campaign."""
    text = value_feature("string")
    columns: dict[str, Feature] = {
        "sentence_id": text, "article_id": text, "group_id": text, "outlet": text, "published": text,
        "text": text, "context_before": text, "context_after": text, "target": text,
    }  # fmt: skip
    for question in scheme.questions.values():
        columns[question.name] = label_feature(question.names) if question.kind == "label" else text
    for question in scheme.questions.values():
        if question.kind == "label":
            columns[f"{question.name}_soft"] = list_feature(value_feature("float32"))
    columns |= {
        "suggested_speaker": label_feature(scheme.questions["speaker"].names) if "speaker" in scheme.questions else text,
        "suggested_speaker_name": text, "speaker_start": value_feature("int64"), "speaker_end": value_feature("int64"),
        "n_annotators": value_feature("int32"), "unanimous": value_feature("bool"), "is_copy": value_feature("bool"),
        "text_sha256": text,
    }  # fmt: skip
    return columns


def annotation_features(scheme: Scheme) -> dict[str, Feature]:
    """Return the columns of the config ``annotations``: one row an annotation, raw labels."""
    text = value_feature("string")
    columns: dict[str, Feature] = {
        "annotation_id": text, "sentence_id": text, "article_id": text, "group_id": text,
        "furniture": text, "annotator": text, "round": text, "purpose": text, "target_id": text,
    }  # fmt: skip
    for question in scheme.questions.values():
        columns[question.name] = label_feature(question.names) if question.kind == "label" else text
    return columns | {
        "speaker_start": value_feature("int64"), "speaker_end": value_feature("int64"), "flags": list_feature(text),
        "comment": text, "seconds": value_feature("float64"), "created_at": text, "updated_at": text,
        "suggestion_shown": value_feature("bool"), "guidelines_version": text, "scheme_version": value_feature("int32"),
        "origin": text, "in_gold": value_feature("bool"), "text_sha256": text,
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


def make_table(
    columns: Mapping[str, Feature], values: Mapping[str, Sequence[Any]], where: str
) -> pa.Table:
    """Return the table, label names turned into ids; raises BadInput where a value does not fit."""
    arrays = []
    wanted = arrow_schema(columns)
    for name, feature in columns.items():
        given = values[name]
        if feature.get("_type") == "ClassLabel":
            given = label_ids(given, feature["names"], f"{where}, column {name!r}")
        try:
            arrays.append(pa.array(given, type=wanted.field(name).type))
        except (pa.ArrowException, TypeError) as error:
            raise BadInput(f"{where}, column {name!r}: {' '.join(str(error).split())}") from error
    return pa.Table.from_arrays(arrays, schema=wanted)


def stored_features(path: Path) -> dict[str, Feature]:
    """Return the features in a Parquet file's metadata; raises BadInput where there are none."""
    metadata = pq.read_schema(path).metadata or {}
    if b"huggingface" not in metadata:
        raise BadInput(f"{path}: expected features in the file's metadata, found none")
    features: dict[str, Feature] = json.loads(metadata[b"huggingface"])["info"]["features"]
    return features


def read_dataset(folder: Path) -> tuple[Tables, Features]:
    """Return the tables of a dataset folder and the features of each config; raises BadInput where it has no gold."""
    tables: Tables = {}
    features: Features = {}
    for config in ("gold", "annotations"):
        for split in SPLITS:
            path = folder / config / f"{split}.parquet"
            if path.is_file():
                tables.setdefault(config, {})[split] = read_parquet(path)
                features[config] = stored_features(path)
    if "gold" not in tables:
        raise BadInput(f"{folder}: expected gold/train.parquet or another split, found none")
    return tables, features


def write_configs(folder: Path, configs: Mapping[str, Mapping[str, pa.Table]]) -> None:
    """Write ``folder/CONFIG/SPLIT.parquet`` for each table that has rows.

    ``datasets`` cannot read a Parquet file without rows, so a split without rows is absent.
    """
    for config, splits in configs.items():
        for split, rows in splits.items():
            if rows.num_rows:
                with atomic(folder / config / f"{split}.parquet") as temporary:
                    pq.write_table(rows, temporary, **PARQUET_OPTIONS)


def configs_yaml(
    folder: Path, configs: Mapping[str, Mapping[str, pa.Table]]
) -> list[dict[str, Any]]:
    """Return the ``configs`` of a dataset card's YAML; the first is the default.

    Each is described by a hash of its files in ``folder``: ``load_dataset`` looks its cache up by the YAML alone, and
    would serve a rebuilt dataset's old rows.
    """
    hashes = {
        config: [file_sha256(path) for path in sorted((folder / config).glob("*.parquet"))]
        for config in configs
    }
    return [
        {"config_name": config, "description": f"content {hashlib.sha256(' '.join(hashes[config]).encode()).hexdigest()[:16]}"}
        | ({"default": True} if number == 0 else {})
        | {"data_files": [
            {"split": split, "path": f"{config}/{split}.parquet"} for split, rows in splits.items() if rows.num_rows
        ]}
        for number, (config, splits) in enumerate(configs.items())
    ]  # fmt: skip


def write_minimal_card(
    folder: Path, configs: Mapping[str, Mapping[str, pa.Table]], title: str
) -> None:
    """Write the ``README.md`` that lets ``load_dataset(folder)`` find the configs and the default one.

    It names no features, so those of the Parquet files hold and nothing can contradict them.
    """
    head = yaml.safe_dump(
        {"configs": configs_yaml(folder, configs)}, sort_keys=False, allow_unicode=True
    )
    write_text(folder / "README.md", f"---\n{head}---\n\n# {title}\n")


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``folder``, whole, when the block ends without an error."""
    fresh, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
