"""Run folders: what is in one, how it is named, and what is kept across them.

A run is whole when it has ``run.json``, which is written last. The folder's name is a hash of the config
and the data, so that the same training is found again instead of made again.
"""

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onrecord import __version__
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, read_jsonl, read_object, require, write_jsonl
from onrecord.core.table_reader import read_table
from onrecord.core.tables import write_parquet

RUNS = Path("experiments/runs")
LOOKS = Path("experiments/test_looks.jsonl")
LEADERBOARD = Path("experiments/leaderboard.parquet")
NEEDED = ("name", "signature", "data", "labels", "settings", "files")  # of run.json
PACKAGES = ("numpy", "scipy", "scikit-learn", "skops", "pandas", "pyarrow", "torch", "sentence-transformers")  # fmt: skip


def config_hash(settings: Mapping[str, Any]) -> str:
    """Return twelve hex digits that stand for these settings, whatever their keys' order."""
    told = json.dumps(settings, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def learner_hash(settings: Mapping[str, Any]) -> str:
    """Return the hash of what learns, apart from how it is scored: features, classifier, model, soft labels."""
    return config_hash({key: settings[key] for key in ("features", "classifier", "model", "soft")})


def run_folder(name: str, settings: Mapping[str, Any], data: str) -> Path:
    """Return where a run with these settings on these data belongs."""
    return RUNS / f"{name}-{config_hash({'settings': settings, 'data': data})}"


def read_run(folder: str | Path) -> dict[str, Any]:
    """Return a run's ``run.json``; raises BadInput for a folder that is no run, or a run half written."""
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: there is no such run: `onrecord train` makes one")
    if not (folder / "run.json").is_file():
        raise BadInput(
            f"{folder}: half written, it has no run.json: run `onrecord train` on it again"
        )
    about = read_object(folder / "run.json", NEEDED, "train")
    for name, digest in about["files"].items():
        if not (folder / name).is_file():
            raise BadInput(f"{folder}: half written, {name} ({digest[:8]}…) is gone: train again")
    return about


def read_report(folder: str | Path) -> dict[str, Any]:
    """Return a run's ``report.json``; raises BadInput where there is none or it is no report."""
    path = require(Path(folder) / "report.json", f"evaluate run={folder}")
    return read_object(path, ["signature", "calibration", "labels"], f"evaluate run={folder}")


def newest_run(data: str) -> Path:
    """Return the newest whole run on these data; raises BadInput where there is none."""
    whole = sorted(RUNS.glob("*/run.json"), key=lambda p: p.stat().st_mtime, reverse=True)
    for file in whole:
        if read_json(file).get("data") == data:
            return file.parent
    raise BadInput(f"{RUNS}: there is no run on this dataset yet: run `onrecord train` first")


def provenance() -> dict[str, Any]:
    """Return what a run was made with: versions of packages, and the state of git where there is one."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "onrecord": __version__,
        "python": platform.python_version(),
        "packages": versions,
        "git": {
            "commit": _git("rev-parse", "HEAD"),
            "changed": bool(_git("status", "--porcelain")),
        },
    }


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def record_look(look: Mapping[str, Any]) -> int:
    """Note that a run's test scores were looked at, once a run, and return how often these data were."""
    looks = read_jsonl(LOOKS) if LOOKS.exists() else []
    key = ("data", "run_signature")
    if not any(all(old.get(k) == look[k] for k in key) for old in looks):
        looks.append(dict(look))
        write_jsonl(LOOKS, looks)
    return sum(old.get("data") == look["data"] for old in looks)


def write_probabilities(
    path: Path,
    ids: Sequence[str],
    names: Sequence[str],
    chances: npt.NDArray[np.float64],
    *,
    gold: Iterable[int] | None = None,
    fold: Iterable[int] | None = None,
    groups: Iterable[str] | None = None,
) -> None:
    """Write one row an id: ``id``, ``label`` (with gold), ``predicted``, a probability a label, ``fold``, ``group_id``."""
    columns: dict[str, Any] = {"id": pa.array(ids, pa.string())}
    if gold is not None:
        columns["label"] = pa.array([names[i] for i in gold], pa.string())
    columns["predicted"] = pa.array([names[i] for i in chances.argmax(axis=1)], pa.string())
    columns |= {name: pa.array(chances[:, i], pa.float64()) for i, name in enumerate(names)}
    if fold is not None:
        columns["fold"] = pa.array(fold, pa.int32())
    if groups is not None:
        columns["group_id"] = pa.array([str(g) for g in groups], pa.string())
    table = pa.table(columns)
    write_parquet(path, table, table.schema)


def write_groups(path: Path, ids: Sequence[str], groups: Sequence[str]) -> None:
    """Write which group each scored sentence is of, for paired comparisons later."""
    schema = pa.schema([("id", pa.string()), ("group_id", pa.string())])
    write_parquet(path, pa.table({"id": ids, "group_id": [str(g) for g in groups]}), schema)


def read_probabilities(
    path: Path, names: Sequence[str]
) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return the ids and the probabilities, shape (rows, labels), of such a file."""
    table = read_table(path, ("id", *names))
    chances = np.column_stack([table[name].to_numpy() for name in names])
    return table["id"].to_pylist(), chances
