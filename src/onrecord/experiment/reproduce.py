"""``reproduce``: run a committed study again from its data and compare what comes out.

A study is a folder with ``study.yaml`` (which data, and the overrides of ``build``, ``train`` and
``evaluate`` for each run), and a ``report-RUN.json`` a run. It is run in a folder of its own, so that it
neither finds earlier runs nor counts among them.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from omegaconf import DictConfig

from onrecord.core.errors import BadInput, CheckFailed
from onrecord.core.files import file_sha256, read_json, require, write_json

KEYS = {"title", "rows", "sha256", "build", "runs", "compare"}
TOLERANCE = 1e-4  # an encoder's last digits depend on the machine and on what it encodes together


def read_study(folder: Path) -> dict[str, Any]:
    """Return a study's declaration; raises BadInput where there is none or a key is not known."""
    path = folder / "study.yaml"
    if not path.is_file():
        raise BadInput(f"{folder}: expected a study, with study.yaml in it, found none")
    study = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(study, dict) or not {"rows", "runs"} <= set(study) <= KEYS:
        raise BadInput(f"{path}: expected the keys {', '.join(sorted(KEYS))}")
    return study


def steps(study: Mapping[str, Any], rows: Path, extra: Sequence[str]) -> Iterator[list[str]]:
    """Yield the study's command lines, in order, as words after ``onrecord``."""
    yield ["build", "source=rows", f"rows={rows}", "workspace=ws", *study.get("build", [])]
    for name, words in study["runs"].items():
        train, evaluate = words.get("train", []), words.get("evaluate", [])
        given = [*extra] if words.get("encoder") else []
        yield ["train", "workspace=ws", f"run={name}", *train, *given]
        yield ["evaluate", "workspace=ws", f"run={name}", *evaluate, *given]
    for i, names in enumerate(study.get("compare", [])):
        yield ["compare", f"runs={','.join(names)}", f"out=compare-{i}.json"]


def comparable(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must come out the same: every figure, without versions and counts of looks."""
    left_out = {"signature", "looks_at_test", "findings"}  # the last: words of the audit
    return {key: value for key, value in report.items() if key not in left_out}


def differences(before: Any, after: Any, where: str = "") -> list[str]:
    """Return a line for each place where two JSON values differ by more than rounding.

    >>> differences({"a": 1.0, "b": [1, 2]}, {"a": 1.00001, "b": [1, 3]})
    ['b[1]: 2, now 3']
    """
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(k for k in after if k not in before)]
        return [
            line
            for key in keys
            for line in differences(before.get(key), after.get(key), f"{where}.{key}".lstrip("."))
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = zip(before, after, strict=True)
        return [
            line for i, (a, b) in enumerate(pairs) for line in differences(a, b, f"{where}[{i}]")
        ]
    if isinstance(before, float) and isinstance(after, float):
        return [] if abs(before - after) <= TOLERANCE else [f"{where}: {before}, now {after}"]
    return [] if before == after else [f"{where}: {before}, now {after}"]


# All steps in one process of their own: importing scikit-learn anew for each would be most of the time.
RUN_ALL = """
import json, sys
from onrecord.cli.app import main
for words in json.load(sys.stdin):
    print(" ", *words[:3], flush=True)
    if status := main(words):
        sys.exit(status)
"""


def run_again(study: Mapping[str, Any], rows: Path, extra: Sequence[str], work: Path) -> None:
    """Run every step of a study in ``work``; raises BadInput with what the step that failed said."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL], cwd=work, capture_output=True, text=True, check=False,
        input=json.dumps(list(steps(study, rows, extra))),
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it ended without a message"]
        raise BadInput(f"the study cannot be run: {lines[-1]}")


def main(cfg: DictConfig) -> None:
    """Run a study again; with ``write=true`` keep its reports, else compare: a difference is exit 1."""
    if not cfg.study:
        raise BadInput("study: expected a folder, study=experiments/NNN-NAME")
    folder = Path(cfg.study)
    study = read_study(folder)
    rows = require(Path(cfg.data) / study["rows"], "reproduce data=FOLDER, where the tables are,")
    if study.get("sha256") and file_sha256(rows) != study["sha256"]:
        raise BadInput(f"{rows}: expected SHA-256 {study['sha256']}, found {file_sha256(rows)}")
    extra = [f"encoder={Path(cfg.encoder).resolve()}"] if cfg.encoder else []
    if cfg.cache:
        extra.append(f"cache={Path(cfg.cache).resolve()}")
    print(f"{folder}: {study['title']}")
    with TemporaryDirectory() as work:
        run_again(study, rows.resolve(), extra, Path(work))
        made = {f"report-{name}.json": Path(work) / name / "report.json" for name in study["runs"]}
        made |= {f"compare-{i}.json": Path(work) / f"compare-{i}.json" for i in range(len(study.get("compare", [])))}  # fmt: skip
        lines = []
        for name, path in made.items():
            fresh = read_json(path)
            if cfg.write:
                write_json(folder / name, fresh)
                continue
            kept = read_json(require(folder / name, f"reproduce study={folder} write=true"))
            lines += [
                f"{name}: {line}" for line in differences(comparable(kept), comparable(fresh))
            ]
    if lines:
        raise CheckFailed(f"{len(lines)} figures differ, the first: {lines[0]}")
    print("  reports written" if cfg.write else f"  {len(made)} reports come out as committed")
