"""``train``: fit a model, cross-validated by group, into a run folder."""

from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import DictConfig, OmegaConf

from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256, write_json, write_text
from onrecord.core.intervals import format_number
from onrecord.core.tables import write_parquet
from onrecord.core.workspace import Workspace
from onrecord.experiment import runs
from onrecord.experiment.cross_validation import CrossValidation, cross_validate
from onrecord.experiment.data import Examples, read_examples, small_labels
from onrecord.experiment.models.embeddings import attach_vectors, encoder_folder, weights_hash
from onrecord.experiment.models.registry import (
    describe_fitted,
    fit_model,
    make_model,
    save_model,
    wants_vectors,
)
from onrecord.experiment.models.text_features import NO_CACHE, cached_features
from onrecord.experiment.reporting.report import model_card

SETTINGS = ("model", "soft", "folds", "fold_by", "seed", "baseline", "encoder")
MADE = ("model.skops", "cv.json", "out_of_fold.parquet", "model_card.md")


def read_settings(cfg: DictConfig) -> runs.Settings:
    """Return what a run is trained with; an encoder is in it only where the model needs one."""
    settings: Any = OmegaConf.to_container(OmegaConf.masked_copy(cfg, list(SETTINGS)), resolve=True)
    if wants_vectors(settings["model"]):
        settings["encoder_weights"] = weights_hash(encoder_folder(settings["encoder"]))
    else:
        settings["encoder"] = None
    make_model(settings["model"])  # what cannot be made is refused before anything is computed
    return settings  # type: ignore[no-any-return]


def training_rows(dataset: Path, allow_small: bool) -> tuple[Examples, list[str]]:
    """Return the rows to train on, and a line for each label with too few; raises BadInput unless allowed."""
    examples = read_examples(dataset).development()
    if not len(examples.frame):
        raise BadInput(f"{dataset}: there is not one row to train on")
    small = small_labels(examples.labels, examples.groups, examples.names)
    if small and not allow_small:
        raise BadInput(
            f"too small to learn from (30 rows in 3 groups at the least): {'; '.join(small)}: "
            "collect more, or say allow_small=true"
        )
    return examples, small


def write_run(folder: Path, run: runs.Run, cv: CrossValidation, held_out: pa.Table, model: Any) -> None:  # fmt: skip
    """Write a run's files, ``run.json`` last; what an earlier run left there goes first."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in ("run.json", "report.json", "report.html", "predictions.parquet"):
        (folder / stale).unlink(missing_ok=True)
    save_model(model, folder / "model.skops")
    write_json(folder / "cv.json", cv)
    write_parquet(folder / "out_of_fold.parquet", held_out, held_out.schema)
    write_text(folder / "model_card.md", model_card(run, cv))
    run["files"] = {file: file_sha256(folder / file) for file in MADE}
    write_json(folder / "run.json", run)


def train(
    examples: Examples, settings: runs.Settings, cache: str | None
) -> tuple[CrossValidation, pa.Table, Any]:
    """Return the cross-validation, the rows of ``out_of_fold.parquet`` and the model fitted to all examples."""
    spec, soft, seed = settings["model"], settings["soft"], settings["seed"]
    if encoder := settings.get("encoder"):
        examples = attach_vectors(examples, encoder, cache)
    with cached_features(cache):
        held_out, cv = cross_validate(
            examples, spec, folds=settings["folds"], fold_by=settings["fold_by"], soft=soft, seed=seed
        )  # fmt: skip
        model = fit_model(make_model(spec, seed), examples, soft=soft)
    table = runs.probability_table(
        list(examples.frame["id"]), examples.names, held_out.probabilities,
        gold=examples.labels, fold=held_out.fold, groups=examples.groups,
    )  # fmt: skip
    return cv, table, model


def main(cfg: DictConfig) -> str:
    """Train into ``cfg.run`` (default: a folder named by the hash of config and data); return its path."""
    dataset = Workspace(Path(cfg.workspace)).require(Workspace.dataset)
    examples, small = training_rows(dataset, bool(cfg.allow_small))
    settings = read_settings(cfg)
    name = str(settings["model"].get("name", "model"))
    signature = runs.run_signature(settings, examples.signature)
    folder = Path(cfg.run) if cfg.run else runs.RUNS / f"{name}-{signature}"
    if (folder / "run.json").is_file() and runs.read_run(folder)["signature"] == signature:
        print(f"{name}: already trained on these data, nothing to do: {folder}")
        return str(folder)
    cv, held_out, model = train(examples, settings, cfg.cache if cfg.cached else NO_CACHE)
    run = runs.Run(
        name=name, signature=signature, data=examples.signature, question=examples.question,
        labels=list(examples.names), split=examples.split, origin=examples.origin,
        campaign=str(cfg.campaign.title) if examples.source == "gold" else "a labelled table",
        small=small, left_out=dict(examples.left_out), n=cv["n"], n_groups=cv["n_groups"],
        settings=settings, fitted=describe_fitted(model), **runs.provenance(), files={},
    )  # fmt: skip
    write_run(folder, run, cv, held_out, model)
    print(summary(run, cv))
    print(f"  run: {folder}")
    return str(folder)


def summary(run: runs.Run, cv: CrossValidation) -> str:
    """Return a run's size and its scores out of fold in a few lines for a terminal."""
    folds, by = len(cv["folds"]), run["settings"]["fold_by"]
    lines = [
        f"{run['name']}: {cv['n']} sentences in {cv['n_groups']} groups, {folds} folds by {by}",
        f"  out of fold: macro-F1 {format_number(cv['macro_f1'])}, accuracy {format_number(cv['accuracy'])}",
    ]
    return "\n".join([*lines, *(f"  small: {line}" for line in run["small"])])
