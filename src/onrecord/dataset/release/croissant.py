"""Croissant 1.1 metadata with the RAI (responsible AI) fields, of a release folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlcroissant as mlc

from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256
from onrecord.dataset.features import Feature, Features
from onrecord.dataset.release.citation import bibtex, orcid_url
from onrecord.dataset.release.release_inputs import ReleaseInfo

VERSION = "http://mlcommons.org/croissant/1.1"
RAI = "http://mlcommons.org/croissant/RAI/1.0"

_TYPES = {
    "string": mlc.DataType.TEXT, "bool": mlc.DataType.BOOL, "int32": mlc.DataType.INT32,
    "int64": mlc.DataType.INT64, "float32": mlc.DataType.FLOAT32, "float64": mlc.DataType.FLOAT64,
}  # fmt: skip


def croissant(
    folder: Path,
    features: Features,
    meaning: Mapping[str, str],
    info: ReleaseInfo,
    rai: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the JSON-LD: a file object and a record set for each ``CONFIG/SPLIT.parquet`` of the folder.

    ``meaning`` maps each column to a sentence; ``rai`` holds the fields of the RAI vocabulary in mlcroissant's
    spelling. Label names and ids are enumerations that the label columns refer to. Raises BadInput where
    mlcroissant finds an error.
    """
    context, options = mlc.Context(conforms_to=VERSION), info.options
    files = sorted(path for config in features for path in (folder / config).glob("*.parquet"))
    labels = {
        name: feature["names"]
        for columns in features.values()
        for name, feature in columns.items()
        if feature.get("_type") == "ClassLabel"
    }
    metadata = mlc.Metadata(
        ctx=context,
        conforms_to=[VERSION, RAI],
        name=info.name,
        description=info.description,
        version=options.version,
        date_published=info.released,
        license=[part.url for part in info.licenses],
        cite_as=bibtex(info),
        creators=[
            mlc.Organization(ctx=context, name=c.name)
            if c.organization
            else mlc.Person(ctx=context, name=c.name, url=orcid_url(c))
            for c in options.creators
        ],
        in_language=[options.campaign.language],
        url=info.url,
        keywords=options.keywords,
        distribution=[_file(context, folder, path) for path in files],
        record_sets=[_enumeration(context, name, names) for name, names in labels.items()]
        + [_records(context, path, features[path.parent.name], meaning) for path in files],
        **rai,
    )
    found: dict[str, Any] = metadata.to_json()
    if context.issues.errors:
        raise BadInput(f"Croissant: {min(context.issues.errors)}")
    return found


def _file(context: mlc.Context, folder: Path, path: Path) -> mlc.FileObject:
    name = str(path.relative_to(folder))
    return mlc.FileObject(
        ctx=context, id=name, name=name, content_url=name, encoding_formats=["application/x-parquet"],
        content_size=f"{path.stat().st_size} B", sha256=file_sha256(path),
    )  # fmt: skip


def _enumeration(context: mlc.Context, name: str, names: Sequence[str]) -> mlc.RecordSet:
    """Return the labels of a column as a record set: id and name, in order."""
    fields = [
        mlc.Field(ctx=context, id=f"labels/{name}/id", name="id", data_types=[mlc.DataType.INT64]),
        mlc.Field(ctx=context, id=f"labels/{name}/name", name="name", data_types=[mlc.DataType.TEXT]),
    ]  # fmt: skip
    data = [{f"labels/{name}/id": i, f"labels/{name}/name": label} for i, label in enumerate(names)]
    return mlc.RecordSet(
        ctx=context, id=f"labels/{name}", name=f"labels/{name}", key=f"labels/{name}/id",
        description=f"The labels of {name}: id and name.",
        data_types=["https://schema.org/Enumeration"], fields=fields, data=data,
    )  # fmt: skip


def _records(
    context: mlc.Context, path: Path, columns: Mapping[str, Feature], meaning: Mapping[str, str]
) -> mlc.RecordSet:
    record_set = f"{path.parent.name}/{path.stem}"
    fields = [
        _field(context, record_set, name, feature, meaning.get(name, name))
        for name, feature in columns.items()
    ]
    return mlc.RecordSet(
        ctx=context, id=record_set, name=record_set, fields=fields,
        description=f"The split {path.stem} of the config {path.parent.name}.",
    )  # fmt: skip


def _field(
    context: mlc.Context, record_set: str, name: str, feature: Feature, meaning: str
) -> mlc.Field:  # fmt: skip
    repeated = "feature" in feature
    plain = feature["feature"] if repeated else feature
    dtype = "int64" if plain.get("_type") == "ClassLabel" else plain.get("dtype", "string")
    source = mlc.Source(
        ctx=context,
        file_object=f"{record_set}.parquet",
        extract=mlc.Extract(ctx=context, column=name),
    )
    more: dict[str, Any] = {"is_array": True, "array_shape": "-1"} if repeated else {}
    if plain.get("_type") == "ClassLabel":
        more["references"] = mlc.Source(ctx=context, field=f"labels/{name}/id")
    return mlc.Field(
        ctx=context, id=f"{record_set}/{name}", name=name, description=meaning,
        data_types=[_TYPES[dtype]], source=source, **more,
    )  # fmt: skip
