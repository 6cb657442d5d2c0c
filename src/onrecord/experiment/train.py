"""``train``: fit a model, cross-validated by group, into a run folder."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256, write_json, write_text
from onrecord.experiment import runs
from onrecord.experiment.cross_validation import grouped_folds, out_of_fold
from onrecord.experiment.data import Examples, read_examples, small_labels
from onrecord.experiment.feature_cache import NOWHERE, features_folder, features_kept
from onrecord.experiment.models.embeddings import (
    attach_vectors,
    encoder_folder,
    weights_hash,
)
from onrecord.experiment.models.registry import fit_model, make_model, save_model
from onrecord.experiment.models.text_features import needs_vectors
from onrecord.experiment.reporting.model_card import model_card
from onrecord.experiment.scoring import confusion, measures

MADE = ("model.skops", "cv.json", "out_of_fold.parquet", "model_card.md")


def development(examples: Examples) -> Examples:
    """Return what may be learnt from and chosen by: everything but the test split."""
    return examples.in_splits("train", "validation")


def make_from(settings: Mapping[str, Any]) -> Any:
    """Return the unfitted model that a run's settings describe."""
    model = settings["model"]
    return make_model(
        settings["features"], settings["classifier"],
        per_target=bool(model["per_target"]), members=model["members"], seed=int(settings["seed"]),
    )  # fmt: skip


def wants_vectors(settings: Mapping[str, Any]) -> bool:
    """Return whether a run's settings need the sentence encoder."""
    specs = [settings["features"], *(m["features"] for m in settings["model"]["members"])]
    return any(needs_vectors(spec) for spec in specs)


def folded_by(examples: Examples, by: str) -> Examples:
    """Return the examples with the groups that folds must not part: ``group``, or whole outlets.

    Raises BadInput where a group is of several outlets: it could not be kept together then.
    """
    if by == "group":
        return examples
    if by != "outlet":
        raise BadInput(f"fold_by={by}: expected group or outlet")
    frame = examples.frame
    if (frame["outlet"] == "").any():
        row = frame.loc[frame["outlet"] == "", "id"].iloc[0]
        raise BadInput(f"fold_by=outlet: expected an outlet in every row, found none in {row!r}")
    several = frame.groupby("group")["outlet"].nunique()
    if (several > 1).any():
        raise BadInput(
            f"fold_by=outlet: the group {several[several > 1].index[0]!r} is of several outlets"
        )
    return replace(examples, frame=frame.assign(group=frame["outlet"], fold=None))


def cross_validate(
    examples: Examples, settings: Mapping[str, Any], progress: Any = lambda done, total: None
) -> tuple[Any, Any, dict[str, Any]]:
    """Return out-of-fold probabilities (rows, labels), the fold of each row, and ``cv.json``'s content."""
    parted = folded_by(examples, str(settings["fold_by"]))
    folds = grouped_folds(parted, int(settings["folds"]), int(settings["seed"]))
    soft = bool(settings["soft"])
    chances, fold_of, notes = out_of_fold(
        examples, folds, lambda part: fit_model(make_from(settings), part, soft=soft), progress
    )
    predicted, gold = chances.argmax(axis=1), examples.labels

    def score(rows: Any) -> dict[str, float | None]:
        counts = confusion(gold[rows], predicted[rows], len(examples.names)).astype(float)
        found = measures(examples.names, gold[rows])
        return {name: None if m is None else float(m(counts)) for name, m in found.items()}

    cv = {
        "n": len(gold),
        "n_groups": len(set(examples.groups)),
        **score(fold_of >= 0),
        "folds": [{**note, **score(fold_of == note["fold"])} for note in notes],
    }
    return chances, fold_of, cv


def main(cfg: DictConfig) -> str:
    """Train into ``cfg.run`` (default: a folder named by the hash of config and data); return its path."""
    settings: Any = OmegaConf.to_container(
        OmegaConf.masked_copy(cfg, ["features", "classifier", "model", "soft", "folds", "fold_by", "seed", "encoder", "baseline"]),
        resolve=True,
    )  # fmt: skip
    everything = read_examples(Path(cfg.workspace) / "dataset")
    examples = development(everything)
    if not len(examples.frame):
        raise BadInput(f"{cfg.workspace}/dataset: there is not one row to train on")
    small = small_labels(examples.labels, examples.groups, examples.names)
    if small and not cfg.allow_small:
        raise BadInput(
            f"too small to learn from (30 rows in 3 groups at the least): {'; '.join(small)}: "
            "collect more, or say allow_small=true"
        )
    name = str(cfg.model.name)
    cache = cfg.cache if cfg.cached else NOWHERE
    # where the encoder lies is no part of what is trained; what it weighs is
    encoder = settings.pop("encoder")
    if wants_vectors(settings):
        settings["encoder_weights"] = weights_hash(encoder_folder(encoder))
    folder = Path(cfg.run) if cfg.run else runs.run_folder(name, settings, examples.signature)
    signature = runs.config_hash({"settings": settings, "data": examples.signature})
    settings["encoder"] = encoder if wants_vectors(settings) else None
    if (folder / "run.json").is_file() and runs.read_run(folder)["signature"] == signature:
        print(f"{name}: already trained on these data, nothing to do: {folder}")
        return str(folder)
    if settings["encoder"]:
        examples = attach_vectors(examples, str(cfg.encoder), cache)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in ("run.json", "report.json", "report.html", "predictions.parquet"):
        (folder / stale).unlink(missing_ok=True)
    with features_kept(features_folder(cache, Path(cfg.workspace))):
        chances, fold_of, cv = cross_validate(examples, settings)
        model = fit_model(make_from(settings), examples, soft=bool(cfg.soft))
    save_model(model, folder / "model.skops")
    write_json(folder / "cv.json", cv)
    runs.write_probabilities(
        folder / "out_of_fold.parquet", list(examples.frame["id"]), examples.names, chances,
        gold=examples.labels, fold=fold_of, groups=examples.groups,
    )  # fmt: skip
    about = {
        "name": name, "signature": signature, "data": examples.signature, "question": examples.question,
        "labels": list(examples.names), "split": examples.split, "origin": examples.origin,
        "campaign": str(cfg.campaign.title) if examples.source == "gold" else "a labelled table", "small": small, "left_out": dict(examples.left_out),
        "n": cv["n"], "n_groups": cv["n_groups"], "settings": settings, **runs.provenance(),
    }  # fmt: skip
    write_text(folder / "model_card.md", model_card(about, cv))
    about["files"] = {file: file_sha256(folder / file) for file in MADE}
    write_json(folder / "run.json", about)
    print(
        f"{name}: {cv['n']} sentences in {cv['n_groups']} groups, "
        f"{len(cv['folds'])} folds by {cfg.fold_by}"
    )
    print(f"  out of fold: macro-F1 {shown(cv['macro_f1'])}, accuracy {shown(cv['accuracy'])}")
    for line in small:
        print(f"  small: {line}")
    print(f"  run: {folder}")
    return str(folder)


def shown(score: float | None) -> str:
    """Return a share for a terminal.

    >>> shown(0.65217), shown(None)
    ('0.652', 'undefined')
    """
    return "undefined" if score is None else f"{score:.3f}"
