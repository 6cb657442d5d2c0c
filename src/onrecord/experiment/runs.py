"""Run folders: what is in one, how it is named, and what is kept across them.

A run is whole when it has ``run.json``, which is written last. The folder's name is a hash of the config
and the data, so that the same training is found again instead of made again.
"""

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

import numpy as np
import pyarrow as pa

from onrecord import __version__
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, read_jsonl, read_object, require, write_jsonl
from onrecord.core.intervals import Floats
from onrecord.core.table_reader import read_table
from onrecord.experiment.models.registry import FittedPart, ModelSpec

RUNS = Path("experiments/runs")
LOOKS = Path("experiments/test_looks.jsonl")
LEADERBOARD = Path("experiments/leaderboard.parquet")
PACKAGES = ("numpy", "scipy", "scikit-learn", "skops", "pandas", "pyarrow", "torch", "sentence-transformers")  # fmt: skip


class Settings(TypedDict):
    """What a run was trained with. ``encoder`` is where it was found, ``encoder_weights`` what it was."""

    model: ModelSpec
    soft: bool
    folds: int
    fold_by: str
    seed: int
    baseline: str | None
    encoder: NotRequired[str | None]
    encoder_weights: NotRequired[str]


class Provenance(TypedDict):
    """The versions that a run was made with. ``git`` has the commit (None outside a repository), and whether files had changed since."""

    onrecord: str
    python: str
    packages: dict[str, str]
    git: dict[str, str | bool | None]


class Run(Provenance):
    """``run.json``. ``fitted`` is read off the fitted model; ``files`` has the SHA-256 of each file of the run."""

    name: str
    signature: str
    data: str
    question: str
    labels: list[str]
    split: str
    origin: str
    campaign: str
    small: list[str]
    left_out: dict[str, int]
    n: int
    n_groups: int
    settings: Settings
    fitted: list[FittedPart]
    files: dict[str, str]


class Look(TypedDict):
    """One run whose test scores were seen."""

    data: str
    run_signature: str
    name: str
    run: str
    at: str


def config_hash(settings: Any) -> str:
    """Return twelve hex digits that stand for these settings, whatever their keys' order."""
    text = json.dumps(settings, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_signature(settings: Settings, data: str) -> str:
    """Return the hash of a run's settings and data; where the encoder lies is left out, its weights are not."""
    kept = {key: value for key, value in settings.items() if key != "encoder"}
    return config_hash({"settings": kept, "data": data})


def learner_hash(model: ModelSpec, soft: bool) -> str:
    """Return the hash of what learns, apart from how it is scored."""
    return config_hash({"model": model, "soft": soft})


def read_run(folder: str | Path) -> Run:
    """Return a run's ``run.json``; raises BadInput for a folder that is no run, or a run half written."""
    folder = Path(folder)
    if not folder.is_dir():
        raise BadInput(f"{folder}: there is no such run: `onrecord train` makes one")
    if not (folder / "run.json").is_file():
        raise BadInput(
            f"{folder}: half written, it has no run.json: run `onrecord train` on it again"
        )
    run = cast(Run, read_object(folder / "run.json", Run.__annotations__, "train"))
    for name, digest in run["files"].items():
        if not (folder / name).is_file():
            raise BadInput(f"{folder}: half written, {name} ({digest[:8]}…) is gone: train again")
    return run


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


def provenance() -> Provenance:
    """Return what a run is made with: versions of packages, and the state of git where there is one."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return Provenance(
        onrecord=__version__,
        python=platform.python_version(),
        packages=versions,
        git={"commit": _git("rev-parse", "HEAD"), "changed": bool(_git("status", "--porcelain"))},
    )


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def run_on(folder: str | None, data: str) -> tuple[Path, Run]:
    """Return a run's folder (the newest on these data where none is named) and its ``run.json``.

    Raises BadInput for a run that was trained on other data.
    """
    path = Path(folder) if folder else newest_run(data)
    run = read_run(path)
    if run["data"] != data:
        raise BadInput(f"{path}: trained on the data {run['data']}, found {data}: train again")
    return path, run


def record_look(run: Run, folder: Path, now: datetime) -> int:
    """Record that a run's test scores were seen, once a run; return how many runs on these data were."""
    at = now.isoformat(timespec="seconds")
    look = Look(
        data=run["data"], run_signature=run["signature"], name=run["name"], run=str(folder), at=at
    )
    looks = read_jsonl(LOOKS, Look) if LOOKS.exists() else []
    if (run["data"], run["signature"]) not in {
        (old["data"], old["run_signature"]) for old in looks
    }:
        looks.append(look)
        write_jsonl(LOOKS, looks)
    return sum(old["data"] == look["data"] for old in looks)


def probability_table(
    ids: Sequence[str],
    names: Sequence[str],
    probabilities: Floats,
    *,
    gold: Iterable[int] | None = None,
    fold: Iterable[int] | None = None,
    groups: Iterable[str] | None = None,
) -> pa.Table:
    """Return one row an id: ``id``, ``label`` (gold), ``predicted``, a probability a label, ``fold``, ``group_id``."""
    columns: dict[str, Any] = {"id": pa.array(ids, pa.string())}
    if gold is not None:
        columns["label"] = pa.array([names[i] for i in gold], pa.string())
    columns["predicted"] = pa.array([names[i] for i in probabilities.argmax(axis=1)], pa.string())
    columns |= {name: pa.array(probabilities[:, i], pa.float64()) for i, name in enumerate(names)}
    if fold is not None:
        columns["fold"] = pa.array(fold, pa.int32())
    if groups is not None:
        columns["group_id"] = pa.array([str(g) for g in groups], pa.string())
    return pa.table(columns)


def read_out_of_fold(folder: Path, ids: Sequence[str], names: Sequence[str]) -> Floats:
    """Return the probabilities out of fold that ``train`` kept, shape (rows, labels), in the order of ``ids``."""
    path = folder / "out_of_fold.parquet"
    table = read_table(path)
    missing = [name for name in ("id", *names) if name not in table.column_names]
    if missing:
        raise BadInput(f"{path}: expected id and one probability a label, found no {missing[0]!r}")
    if table["id"].to_pylist() != list(ids):
        raise BadInput(f"{path}: expected one row for each of the {len(ids)} sentences")
    return np.column_stack([table[name].to_numpy() for name in names])
