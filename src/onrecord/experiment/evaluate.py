"""``evaluate``: score a run, with intervals and beside a baseline; write the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import DictConfig

from onrecord.core.clock import utc_now
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, write_json, write_text
from onrecord.core.intervals import Floats, format_score
from onrecord.core.tables import write_parquet
from onrecord.core.workspace import Workspace
from onrecord.experiment import runs
from onrecord.experiment.cross_validation import cross_validate
from onrecord.experiment.data import Examples, read_examples
from onrecord.experiment.models.embeddings import attach_vectors
from onrecord.experiment.models.registry import (
    ModelSpec,
    fit_model,
    label_probabilities,
    load_model,
    make_model,
    wants_vectors,
)
from onrecord.experiment.models.top_features import Top, top_features
from onrecord.experiment.reporting import leaderboard
from onrecord.experiment.reporting.report import Report, Signature, make_report
from onrecord.experiment.reporting.report_page import report_page

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
        return "out_of_fold", examples.development()
    return "test", test


def test_probabilities(
    model: Any, settings: runs.Settings, part: Examples, encoder: str | None, cache: str | None
) -> Floats:
    """Return a model's probabilities on rows that it did not learn from; ``encoder`` is where it is now."""
    if wants_vectors(settings["model"]):
        part = attach_vectors(part, str(encoder or settings.get("encoder")), cache)
    return label_probabilities(model, part.frame, len(part.names))


def baseline_probabilities(
    name: str, examples: Examples, part: Examples, on: str, settings: runs.Settings
) -> Floats:
    """Return the baseline's probabilities on the same rows, fitted to the same rows as the run."""
    if name not in BASELINES:
        raise BadInput(f"baseline={name}: expected one of {', '.join(BASELINES)}")
    spec = ModelSpec(
        classifier={"_target_": "sklearn.dummy.DummyClassifier", "strategy": "prior"},
        per_target=name == "majority_per_target",
    )
    if on == "out_of_fold":
        return cross_validate(
            part, spec, folds=settings["folds"], fold_by=settings["fold_by"], soft=False, seed=settings["seed"]
        )[0].probabilities  # fmt: skip
    fitted = fit_model(make_model(spec), examples.development())
    return label_probabilities(fitted, part.frame, len(part.names))


def curve_of(path: Path, data: str, settings: runs.Settings) -> dict[str, Any] | None:
    """Return the learning curve at ``path`` if it is of these data and of the same learner; else None."""
    if not path.is_file():
        return None
    curve = dict(read_json(path))
    learner = runs.learner_hash(settings["model"], settings["soft"])
    return curve if (curve.get("data"), curve.get("learner")) == (data, learner) else None


def report_signature(run: runs.Run, on: str) -> Signature:
    """Return what a run's scores are of: the model that was fitted, the data, the split and the settings."""
    settings = run["settings"]
    return Signature(
        name=run["name"], classifier=", ".join(dict.fromkeys(p["classifier"] for p in run["fitted"])),
        on=on, data=run["data"], split=run["split"], config=run["signature"], seed=settings["seed"],
        onrecord=run["onrecord"], baseline=settings["baseline"], fold_by=settings["fold_by"],
    )  # fmt: skip


def main(cfg: DictConfig) -> None:
    """Write report.json, report.html and predictions.parquet into the run's folder; print a summary."""
    workspace = Workspace(Path(cfg.workspace))
    examples = read_examples(workspace.require(Workspace.dataset))
    folder, run = runs.run_on(cfg.run, examples.signature)
    settings, name = run["settings"], run["settings"]["baseline"]
    on, part = scored_part(examples, str(cfg.on))
    model = load_model(folder / "model.skops")
    if on == "test":
        probabilities = test_probabilities(model, settings, part, cfg.encoder, cfg.cache)
    else:
        probabilities = runs.read_out_of_fold(folder, list(part.frame["id"]), part.names)
    baseline = (name, baseline_probabilities(name, examples, part, on, settings)) if name else None
    report = make_report(
        part, probabilities, report_signature(run, on), small=run["small"], baseline=baseline,
        by_person=bool(cfg.by_person),
    )  # fmt: skip
    report["curve"] = curve_of(workspace.curve, examples.signature, settings)
    if on == "test":
        report["looks_at_test"] = runs.record_look(run, folder, utc_now())
    write_predictions(folder, part, probabilities)
    write_report(folder, report, run["campaign"], part, top_features(model, part.names))
    print(summary(report))
    print(f"  report: {folder / 'report.html'}")


def write_predictions(folder: Path, part: Examples, probabilities: Floats) -> None:
    """Write the predictions of the rows scored, and the group of each for paired comparisons later."""
    ids = list(part.frame["id"])
    table = runs.probability_table(ids, part.names, probabilities, gold=part.labels)
    write_parquet(folder / "predictions.parquet", table, table.schema)
    groups = pa.table({"id": ids, "group_id": [str(g) for g in part.groups]})
    write_parquet(folder / "groups.parquet", groups, groups.schema)


def write_report(
    folder: Path, report: Report, campaign: str, part: Examples, top: Mapping[str, Top]
) -> None:
    """Write a run's report as a page and as JSON, and the leaderboard again."""
    texts = dict(zip(part.frame["id"], part.frame["text"], strict=True))
    write_text(folder / "report.html", report_page(report, campaign, texts, top))
    write_json(folder / "report.json", report)
    leaderboard.rebuild(leaderboard.known_folders() | {folder})


def summary(report: Report) -> str:
    """Return a report in a few lines for a terminal."""
    signature, other = report["signature"], report["baseline"]
    where = "test" if signature["on"] == "test" else f"out of fold, by {signature['fold_by']}"
    lines = [f"{signature['name']}, {where}: {report['n']} sentences in {report['n_groups']} groups"]  # fmt: skip
    if report["heading"]:
        lines.append(f"  {report['heading']}: {'; '.join(report['small']) or 'too few groups'}")
    scores = (("macro-F1", report["macro_f1"]), ("F_avg", report["f_avg"]), ("accuracy", report["accuracy"]))  # fmt: skip
    lines += [f"  {words:<9} {format_score(s)}" for words, s in scores if s["value"] is not None]
    if other:
        verdicts = {"first": "better", "second": "worse", "none": "no difference", "unknown": "no interval"}  # fmt: skip
        verdict = verdicts[other["difference"]["macro_f1"]["verdict"]]
        lines.append(
            f"  {other['name']:<9} {format_score(other['scores']['macro_f1'])} macro-F1: {verdict}"
        )
    if report["origin"] != "people":
        lines.append(f"  labels: {report['origin']}, not people's")
    if "looks_at_test" in report:
        lines.append(f"  runs that have looked at this test split: {report['looks_at_test']}")
    return "\n".join(lines)
