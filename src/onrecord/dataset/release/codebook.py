"""The codebook of a release: every question, label, flag and column, and what an empty cell means."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from onrecord.dataset.features import Feature, Features
from onrecord.dataset.release.release_inputs import ReleaseInfo
from onrecord.scheme.scheme import Scheme


def meaning_of(scheme: Scheme) -> dict[str, str]:
    """Return what each column means, the scheme's own questions included."""
    text = Path(__file__).with_name("columns.yaml").read_text(encoding="utf-8")
    meaning: dict[str, str] = yaml.safe_load(text)
    for question in scheme.questions.values():
        if question.kind == "label":
            meaning[question.name] = f"{question.ask} (empty: undecided)"
            meaning[f"{question.name}_soft"] = (
                f"share of annotators for each label of {question.name}, in the order of the labels"
            )
    return meaning


def codebook(
    scheme: Scheme,
    features: Features,
    meaning: Mapping[str, str],
    info: ReleaseInfo,
) -> dict[str, Any]:
    """Return the codebook as JSON: versions, questions with labels in their order, columns of each config."""
    names = {
        column: feature["names"]
        for columns in features.values()
        for column, feature in columns.items()
        if feature.get("_type") == "ClassLabel"
    }
    questions = {
        q.name: {
            "ask": q.ask,
            "kind": q.kind,
            "asked_when": {other: list(answers) for other, answers in q.when.items()},
            "labels": [
                {"id": i, "name": label.name, "hint": label.hint} for i, label in enumerate(q.labels)
            ],
        }
        for q in scheme.questions.values()
        if q.name in {column for columns in features.values() for column in columns}
    }  # fmt: skip
    return {
        "name": info.name,
        "version": info.options.version,
        "scheme_version": scheme.version,
        "guidelines_version": info.guidelines_version,
        "targets": info.targets,
        "labels_made_by": info.origin,
        "questions": questions,
        "flags": {flag.name: flag.hint for flag in scheme.flags},
        "columns": {
            config: {
                column: {"meaning": meaning.get(column, "as in the table that the labels come from"), "type": _type(feature)}
                | ({"labels": names[column]} if column in names else {})
                for column, feature in columns.items()
            }
            for config, columns in features.items()
        },
    }  # fmt: skip


def _type(feature: Feature) -> str:
    if feature.get("_type") == "ClassLabel":
        return "label"
    if "feature" in feature:
        return f"list of {_type(feature['feature'])}"
    return str(feature.get("dtype", "struct"))
