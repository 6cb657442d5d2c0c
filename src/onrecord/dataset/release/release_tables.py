"""The tables of a release: stable annotation ids, no times of day, a config a target, with or without text."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256, read_json
from onrecord.dataset.features import SPLITS, Spec, schema, stored_features
from onrecord.dataset.standoff.standoff import without_text

Tables = dict[str, dict[str, pa.Table]]
Features = dict[str, dict[str, Spec]]

# When an annotator worked is nobody's business, and the server's times and ids differ from walk to walk.
LEFT_OUT = {"created_at", "updated_at"}


def read_dataset(folder: Path) -> tuple[Tables, Features]:
    """Return the tables of a dataset folder, config → split, and the features of each config."""
    tables: Tables = {}
    features: Features = {}
    for config in ("gold", "annotations"):
        for split in SPLITS:
            path = folder / config / f"{split}.parquet"
            if path.is_file():
                tables.setdefault(config, {})[split] = pq.read_table(path)
                features[config] = stored_features(path)
    if "gold" not in tables:
        raise BadInput(f"{folder}: expected gold/train.parquet and the like, found none")
    return tables, features


def release_tables(
    tables: Tables, features: Features, kind: str, names: Collection[str] = ()
) -> tuple[Tables, Features]:
    """Return the tables and features as they are published under ``kind`` (full or standoff); ``names`` hold names."""
    found: Tables = {}
    columns: Features = {}
    for config, by_split in tables.items():
        kept = {name: f for name, f in features[config].items() if name not in LEFT_OUT}
        for split, table in by_split.items():
            rows = table.select(list(kept)).replace_schema_metadata(schema(kept).metadata)
            if config == "annotations":
                rows = _with_stable_ids(rows)
            if kind == "standoff":
                rows, columns[config] = without_text(rows, kept, names)
            else:
                columns[config] = kept
            found.setdefault(config, {})[split] = rows
    targets = sorted({t for table in found["gold"].values() for t in table["target"].to_pylist()})
    if len(targets) > 1:
        for target, config in zip(targets, target_configs(targets), strict=True):
            columns[config] = columns["gold"]
            found[config] = {
                split: table.filter(pc.equal(table["target"], target))
                for split, table in found["gold"].items()
            }
    return found, columns


def target_configs(targets: list[str]) -> list[str]:
    """Return a config name for each target, made of its letters and digits.

    >>> target_configs(["Hillary Clinton", "Climate Change is Real"])
    ['target-hillary-clinton', 'target-climate-change-is-real']
    """
    names = ["target-" + "-".join(re.findall(r"[a-z0-9]+", t.lower())) for t in targets]
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise BadInput(f"two targets would both be the config {twice[0]!r}: {', '.join(targets)}")
    return names


def _with_stable_ids(rows: pa.Table) -> pa.Table:
    """Return the annotations with ids of sentence, annotator and purpose; a further such one is numbered."""
    seen: Counter[str] = Counter()
    ids = []
    for sentence, annotator, purpose in zip(
        rows["sentence_id"].to_pylist(), rows["annotator"].to_pylist(), rows["purpose"].to_pylist(), strict=True
    ):  # fmt: skip
        key = f"{sentence}/{annotator}/{purpose}"
        seen[key] += 1
        ids.append(key if seen[key] == 1 else f"{key}/{seen[key]}")
    place = rows.schema.get_field_index("annotation_id")
    return rows.set_column(place, rows.schema.field(place), pa.array(ids, pa.string()))


def dataset_signature(folder: Path) -> str:
    """Return the signature by which a run (``run.json``, key ``data``) names the dataset it was trained on."""
    files = [p for s in SPLITS if (p := folder / "gold" / f"{s}.parquet").is_file()]
    hashes = " ".join(f"{file.stem} {file_sha256(file)}" for file in files)
    return hashlib.sha256(hashes.encode()).hexdigest()[:16]


def baseline(run: Path | None, runs: Path, signature: str) -> dict[str, Any] | None:
    """Return the cross-validated score of ``run``, else of the newest run on this dataset, else null.

    Raises BadInput where ``run`` was given and is none, or was trained on another dataset.
    """
    if run is not None and not (run / "run.json").is_file():
        raise BadInput(f"run={run}: there is no run.json: `onrecord train` makes one")
    files = [run / "run.json"] if run is not None else sorted(
        runs.glob("*/run.json"), key=lambda p: p.stat().st_mtime, reverse=True
    )  # fmt: skip
    for file in files:
        about: Mapping[str, Any] = read_json(file)
        if about.get("data") == signature and (file.parent / "cv.json").is_file():
            cv = read_json(file.parent / "cv.json")
            return {
                "name": about["name"], "signature": about["signature"], "n": cv["n"],
                "n_groups": cv["n_groups"], "folds": len(cv["folds"]), "macro_f1": cv["macro_f1"],
                "accuracy": cv["accuracy"], "small": "; ".join(about.get("small") or ()),
            }  # fmt: skip
        if run is not None:
            raise BadInput(f"run={run}: trained on another dataset than this one: train again")
    return None
