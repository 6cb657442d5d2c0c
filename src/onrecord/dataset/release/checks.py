"""Checks of a release: its checksums hold, it loads from an empty cache, and its label names are the scheme's."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import datasets
import mlcroissant as mlc
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256, read_json
from onrecord.dataset.features import stored_features


def checksums(folder: Path) -> str:
    """Return the lines of SHA256SUMS for every other file of a folder, as ``sha256sum -c`` reads them."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "SHA256SUMS")
    return "".join(f"{file_sha256(p)}  {p.relative_to(folder)}\n" for p in paths)


def check_checksums(folder: Path) -> None:
    """Raise BadInput unless the folder holds exactly the bytes that its SHA256SUMS names."""
    try:
        named = (folder / "SHA256SUMS").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{folder}: expected a release with SHA256SUMS, found {error}") from error
    found = checksums(folder)
    if found != named:
        odd = sorted(set(found.splitlines()) ^ set(named.splitlines()), key=lambda line: line[66:])
        raise BadInput(
            f"{folder}: {odd[0].partition('  ')[2]} is not as SHA256SUMS says, it is changed or damaged"
        )


def label_names(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return config → label column → names by id, from the Parquet files, which must agree."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted(folder.glob("*/*.parquet")):
        columns = found.setdefault(path.parent.name, {})
        for column, feature in stored_features(path).items():
            if feature.get("_type") == "ClassLabel":
                names = columns.setdefault(column, feature["names"])
                if names != feature["names"]:
                    raise BadInput(
                        f"{path.relative_to(folder)}: {column} is {', '.join(feature['names'])}, "
                        f"elsewhere {', '.join(names)}"
                    )
    return found


def check_label_order(folder: Path, declared: Mapping[str, Sequence[str]]) -> None:
    """Raise BadInput unless scheme, codebook, Parquet and a cold ``load_dataset`` give every label the same id.

    ``declared`` maps a label column to its names in the scheme's order. ``datasets`` takes the card's
    order over the file's without a warning, so that a card in another order permutes every label.
    """
    codebook = read_json(folder / "codebook.json")["columns"]
    for config, columns in label_names(folder).items():
        loaded = load_cold(folder, config)
        for column, names in columns.items():
            orders = {
                "the scheme": list(declared.get(column, names)),
                "codebook.json": codebook[config][column]["labels"],
            } | {
                f"load_dataset (split {s})": rows.features[column].names
                for s, rows in loaded.items()
            }
            for where, order in orders.items():
                if order != names:
                    raise BadInput(
                        f"{config}.{column}: the files have {', '.join(names)}, {where} has "
                        f"{', '.join(order)}: labels would be permuted"
                    )
        for split, rows in loaded.items():
            stored = pq.read_table(folder / config / f"{split}.parquet", columns=list(columns))
            if any(rows[column] != stored[column].to_pylist() for column in columns):
                raise BadInput(f"{config}/{split}: load_dataset gives other labels than the file")


def load_cold(folder: Path, config: str) -> datasets.DatasetDict:
    """Return a config, loaded into memory from an empty cache and without progress bars."""
    bars = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        with tempfile.TemporaryDirectory() as cache:
            return datasets.load_dataset(str(folder), config, cache_dir=cache, keep_in_memory=True)
    finally:
        if not bars:
            datasets.enable_progress_bars()


def check_croissant(folder: Path) -> None:
    """Raise BadInput unless mlcroissant validates the metadata and loads a record of each record set."""
    try:
        dataset = mlc.Dataset(str(folder / "croissant.json"))
        for record_set in dataset.metadata.record_sets:
            next(iter(dataset.records(record_set=record_set.id)), None)
    except Exception as error:  # mlcroissant raises many kinds
        raise BadInput(f"croissant.json: {' '.join(str(error).split())[:300]}") from error
