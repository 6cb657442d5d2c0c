"""What is proposed to an annotator: the attributor's answers and a trained model's, as Label Studio's predictions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.core.errors import BadInput
from onrecord.core.files import read_object, require
from onrecord.scheme.scheme import Scheme, questions_over

ATTRIBUTOR = "onrecord attribute"  # `model_version` of its suggestions


class ModelLabels(NamedTuple):
    """What a trained model says of sentences, and its run's signature."""

    question: str
    signature: str
    labels: Mapping[str, str]


def suggested(
    sentence: str,
    attributed: Mapping[str, Any] | None,
    model: ModelLabels | None,
    scheme: Scheme,
    names: Sequence[str],
) -> dict[str, Any] | None:
    """Return the prediction that proposes the attributor's and the model's answers, or None where there are none.

    All tasks of a launch name one source: Label Studio shows the predictions of one ``model_version`` a project.
    """
    answers = dict(attributed or {})
    if model and sentence in model.labels:
        answers[model.question] = model.labels[sentence]
    source = f"{ATTRIBUTOR} + {model.signature}" if model else ATTRIBUTOR
    return prediction(answers, scheme, names=names, source=source)


def prediction(
    suggestion: Mapping[str, Any], scheme: Scheme, *, names: Sequence[str], source: str
) -> dict[str, Any] | None:
    """Return a Label Studio prediction of the scheme's questions that ``suggestion`` answers, or None where it answers none.

    ``source`` is what made them: the attributor's name, or a run's signature (``model_version``).
    """
    labels = {name: suggestion.get(name) for name in scheme.questions}
    result = to_result(
        {name: label for name, label in labels.items() if scheme.asked(labels, name)},
        scheme,
        names=names,
    )
    return {"model_version": source, "result": result} if result else None


def read_model_labels(
    path: Path, scheme: Scheme, targets: Mapping[str, Mapping[str, Any]]
) -> ModelLabels:
    """Return the labels in the predictions.parquet of `onrecord predict`; prevalence.json beside it names the run.

    Predictions toward a further target answer the question about that target. Raises BadInput where the
    model answers no question of the scheme, or with labels that it lacks.
    """
    told = require(path.with_name("prevalence.json"), "predict")
    about = read_object(told, ["question", "run"], "predict")
    question = scheme.questions.get(about["question"])
    if question is None:
        raise BadInput(
            f"{path}: expected predictions of {', '.join(scheme.questions)}, found {about['question']!r}"
        )
    for name, target in questions_over(scheme, question.name, targets).items():
        if target == about.get("target"):
            question = scheme.questions[name]
    table = pq.read_table(require(path, "predict"), columns=["id", "predicted"]).to_pylist()
    labels = {row["id"]: row["predicted"] for row in table}
    for identifier, label in labels.items():
        scheme.check({question.name: label}, f"{path}, {identifier}")
    return ModelLabels(question.name, str(about["run"]), labels)
