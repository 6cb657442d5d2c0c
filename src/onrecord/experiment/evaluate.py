"""``evaluate``: score a run, with intervals and beside a baseline; write the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from onrecord.core.clock import utc_now
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, write_json, write_text
from onrecord.experiment import runs
from onrecord.experiment.data import Examples, read_examples
from onrecord.experiment.models.embeddings import attach_vectors
from onrecord.experiment.models.registry import (
    fit_model,
    label_probabilities,
    load_model,
)
from onrecord.experiment.models.top_features import top_features
from onrecord.experiment.reporting import leaderboard
from onrecord.experiment.reporting.report import make_report
from onrecord.experiment.reporting.report_page import report_page
from onrecord.experiment.train import (
    cross_validate,
    development,
    make_from,
    shown,
    wants_vectors,
)

ON = ("auto", "test", "out_of_fold")
BASELINES = ("majority", "majority_per_target")


def scored_part(examples: Examples, on: str) -> tuple[str, Examples]:
    """Return on what to score and its examples; ``auto`` is test where the dataset has one."""
    if on not in ON:
        raise BadInput(f"on={on}: expected one of {', '.join(ON)}")
    test = examples.in_splits("test")
    if on == "test" and not len(test.frame):
        raise BadInput("on=test: the dataset has no test split: say on=out_of_fold")
    if on == "out_of_fold" or not len(test.frame):
        return "out_of_fold", development(examples)
    return "test", test


def out_of_fold_probabilities(path: Path, part: Examples) -> npt.NDArray[np.float64]:
    """Return the probabilities that training kept, in the examples' order."""
    ids, chances = runs.read_probabilities(path, part.names)
    if ids != list(part.frame["id"]):
        raise BadInput(f"{path}: expected one row for each of the {len(part.frame)} sentences")
    return chances


def baseline_probabilities(
    name: str, examples: Examples, part: Examples, on: str, settings: Mapping[str, Any]
) -> npt.NDArray[np.float64]:
    """Return the baseline's probabilities on the same rows, fitted to the same rows as the run."""
    if name not in BASELINES:
        raise BadInput(f"baseline={name}: expected one of {', '.join(BASELINES)}")
    model = {"name": name, "per_target": name == "majority_per_target", "members": []}
    plain = {**settings, "features": {}, "classifier": {"kind": "majority"}, "model": model, "soft": False}  # fmt: skip
    if on == "out_of_fold":
        return np.asarray(cross_validate(part, plain)[0])
    fitted = fit_model(make_from(plain), development(examples))
    return label_probabilities(fitted, part.frame, len(part.names))


def curve_of(path: Path, data: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the learning curve at ``path`` if it is of these data and of the same learner; else None."""
    if not path.is_file():
        return None
    curve = dict(read_json(path))
    same = (curve.get("data"), curve.get("learner")) == (data, runs.learner_hash(settings))
    return curve if same else None


def main(cfg: DictConfig) -> None:
    """Write report.json, report.html and predictions.parquet into the run's folder; print a summary."""
    examples = read_examples(Path(cfg.workspace) / "dataset")
    folder = Path(cfg.run) if cfg.run else runs.newest_run(examples.signature)
    about = runs.read_run(folder)
    if about["data"] != examples.signature:
        raise BadInput(
            f"{folder}: trained on the data {about['data']}, found {examples.signature} in "
            f"{cfg.workspace}/dataset: train again"
        )
    settings = about["settings"]
    on, part = scored_part(examples, str(cfg.on))
    model = load_model(folder / "model.skops")
    if on == "test":
        if wants_vectors(settings):
            part = attach_vectors(part, str(cfg.encoder or settings["encoder"]), cfg.cache)
        chances = label_probabilities(model, part.frame, len(part.names))
    else:
        chances = out_of_fold_probabilities(folder / "out_of_fold.parquet", part)
    baseline = None
    if settings["baseline"]:
        told = str(settings["baseline"])
        baseline = (told, baseline_probabilities(told, examples, part, on, settings))
    signature = {
        "name": about["name"], "on": on, "data": examples.signature, "split": examples.split,
        "config": about["signature"], "seed": settings["seed"], "onrecord": about["onrecord"],
        "baseline": settings["baseline"],
        "fold_by": settings["fold_by"],
    }  # fmt: skip
    report = make_report(
        part, chances, signature, small=about["small"], baseline=baseline,
        replicates=int(cfg.replicates), seed=int(settings["seed"]), by_person=bool(cfg.by_person),
    )  # fmt: skip
    report["curve"] = curve_of(Path(cfg.workspace) / "curve.json", examples.signature, settings)
    looks = None
    if on == "test":
        look = {"data": examples.signature, "run_signature": about["signature"], "name": about["name"],
                "run": str(folder), "at": utc_now().isoformat(timespec="seconds")}  # fmt: skip
        looks = runs.record_look(look)
        report["looks_at_test"] = looks
    runs.write_probabilities(
        folder / "predictions.parquet",
        list(part.frame["id"]),
        part.names,
        chances,
        gold=part.labels,
    )
    runs.write_groups(folder / "groups.parquet", list(part.frame["id"]), list(part.groups))
    texts = dict(zip(part.frame["id"], part.frame["text"], strict=True))
    words = top_features(model, part.names)
    write_text(folder / "report.html", report_page(report, str(about["campaign"]), texts, words))
    write_json(folder / "report.json", report)
    leaderboard.rebuild(leaderboard.known_folders() | {folder})
    print(summary(report, looks))
    print(f"  report: {folder / 'report.html'}")


def summary(report: Mapping[str, Any], looks: int | None) -> str:
    """Return a report in a few lines for a terminal."""
    where = (
        "test"
        if report["signature"]["on"] == "test"
        else f"out of fold, by {report['signature']['fold_by']}"
    )
    lines = [f"{report['signature']['name']}, {where}: {report['n']} sentences in {report['n_groups']} groups"]  # fmt: skip
    if report["heading"]:
        lines.append(f"  {report['heading']}: {'; '.join(report['small']) or 'too few groups'}")
    for name, words in (("macro_f1", "macro-F1"), ("f_avg", "F_avg"), ("accuracy", "accuracy")):
        if report[name]["value"] is not None:
            lines.append(f"  {words:<9} {with_interval(report[name])}")
    if report["baseline"]:
        other = report["baseline"]
        verdict = {"first": "better", "second": "worse", "none": "no difference", "unknown": "no interval"}  # fmt: skip
        told = other["difference"]["macro_f1"]
        lines.append(f"  {other['name']:<9} {with_interval(other['scores']['macro_f1'])} macro-F1: {verdict[told['verdict']]}")  # fmt: skip
    if report["origin"] != "people":
        lines.append(f"  labels: {report['origin']}, not people's")
    if looks is not None:
        lines.append(f"  runs that have looked at this test split: {looks}")
    return "\n".join(lines)


def with_interval(score: Mapping[str, Any]) -> str:
    """Return a score with its interval, or the reason why there is none.

    >>> with_interval({"value": 0.5, "low": 0.4, "high": 0.6})
    '0.500 [0.400, 0.600]'
    >>> with_interval({"value": 0.5, "low": None, "high": None, "reason": "4 groups"})
    '0.500 (no interval: 4 groups)'
    """
    if score["low"] is None:
        return f"{shown(score['value'])} (no interval: {score.get('reason', 'undefined')})"
    narrow = ", narrow: few groups" if score.get("narrow") else ""
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}{narrow}]"
