"""The model card: what a model is, what it learnt from and what it must not be taken for."""

from collections.abc import Mapping
from typing import Any

from onrecord.experiment.models.text_features import describe

ORIGINS = {
    "people": "people",
    "machine": "a machine (language-model passes), not people",
    "simulated": "a simulation, not by people",
}


def model_card(run: Mapping[str, Any], cv: Mapping[str, Any]) -> str:
    """Return the card in Markdown, from a run's description and its cross-validation; it holds no text."""
    settings = run["settings"]
    small = "".join(f"- {line}\n" for line in run["small"]) or "- none\n"
    features = "".join(f"- {line}\n" for line in describe(settings["features"])) or "- none\n"
    absent = sorted({label for fold in cv["folds"] for label in fold["absent_from_training"]})
    missing = (
        f"Absent from the training rows of some fold: {', '.join(absent)}.\n" if absent else ""
    )
    return f"""# {run["name"]}: {run["question"]} for {run["campaign"]}

**Labels made by {ORIGINS.get(run["origin"], run["origin"])}.** A label describes a sentence as published, not
a person's view.

Predicts {", ".join(run["labels"])} for a sentence and a target.

## Training

{run["n"]} sentences in {run["n_groups"]} groups (split `{run["split"]}`, data `{run["data"]}`), test rows never seen.
Classifier: {", ".join(f"{k} {v}" for k, v in settings["classifier"].items())}{", one model a target" if settings["model"]["per_target"] else ""}.
Seed {settings["seed"]}. Features:

{features}
Labels too small to learn (fewer than 30 sentences or 3 groups):

{small}
## Scores

Out of fold by {settings["fold_by"]}, {len(cv["folds"])} folds: macro-F1 {_share(cv["macro_f1"])}, accuracy {_share(cv["accuracy"])}.
{missing}Intervals and the test scores, once looked at, are in `report.json` and `report.html`.

## Made with

onrecord {run["onrecord"]}, Python {run["python"]}, {", ".join(f"{k} {v}" for k, v in run["packages"].items())}. Signature `{run["signature"]}`.
Saved with skops; load it with the trusted types named, as `onrecord predict` does.
"""


def _share(score: float | None) -> str:
    return "undefined" if score is None else f"{score:.3f}"
