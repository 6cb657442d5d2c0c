"""The tables of a release: stable annotation ids, no times of day, a config per target."""

import hashlib
import re
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256, read_json
from onrecord.dataset.features import SPLITS, Features, Tables, arrow_schema
from onrecord.dataset.release.release_inputs import Baseline

# When an annotator worked is private, and the server's times and ids differ from one run of a campaign to the next.
LEFT_OUT = {"created_at", "updated_at"}


def release_tables(tables: Tables, features: Features) -> tuple[Tables, Features]:
    """Return the tables and features as they are published, with a config per target where there are several."""
    columns = {
        config: {name: f for name, f in kept.items() if name not in LEFT_OUT}
        for config, kept in features.items()
    }
    found: Tables = {config: {} for config in tables}
    for config, by_split in tables.items():
        metadata = arrow_schema(columns[config]).metadata
        for split, table in by_split.items():
            rows = table.select(list(columns[config])).replace_schema_metadata(metadata)
            found[config][split] = _with_stable_ids(rows) if config == "annotations" else rows
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


def find_baseline(run: Path | None, runs: Path, signature: str) -> Baseline | None:
    """Return the cross-validated score of ``run``, else of the newest run on this dataset, else null.

    Raises BadInput where ``run`` is no run, or was trained on another dataset.
    """
    if run is not None and not (run / "run.json").is_file():
        raise BadInput(f"run={run}: there is no run.json: `onrecord train` makes one")
    files = [run / "run.json"] if run is not None else sorted(
        runs.glob("*/run.json"), key=lambda p: p.stat().st_mtime, reverse=True
    )  # fmt: skip
    for file in files:
        about = read_json(file)
        if about.get("data") == signature and (file.parent / "cv.json").is_file():
            cv = read_json(file.parent / "cv.json")
            return Baseline(
                name=about["name"], signature=about["signature"], n=cv["n"], n_groups=cv["n_groups"],
                folds=len(cv["folds"]), macro_f1=cv["macro_f1"], accuracy=cv["accuracy"],
                small="; ".join(about.get("small") or ()),
            )  # fmt: skip
        if run is not None:
            raise BadInput(f"run={run}: trained on another dataset than this one: train again")
    return None
