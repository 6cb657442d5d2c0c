"""The report of one run's scores on one split, and the model card. They hold ids, never text."""

from collections.abc import Iterator, Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np
import pandas as pd

from onrecord.core.html import render
from onrecord.core.intervals import FEWEST_GROUPS, Floats, Score
from onrecord.experiment import scoring
from onrecord.experiment.cross_validation import CrossValidation
from onrecord.experiment.data import Examples
from onrecord.experiment.runs import Run
from onrecord.experiment.scoring import Calibration, Difference, McNemar

CONFIDENT_ERRORS = 20
OFFICE = ("politician", "agency")  # people whose public statements may be tabled by name
TOO_SMALL = "too small to evaluate"
ORIGINS = {
    "people": "people",
    "machine": "a machine (language-model passes), not people",
    "simulated": "a simulation, not by people",
}


class Signature(TypedDict):
    """What a score is of."""

    name: str
    classifier: str
    on: str
    data: str
    split: str
    config: str
    seed: int
    onrecord: str
    baseline: str | None
    fold_by: str


class Stratum(TypedDict):
    """The scores of one part of the rows, as shares of 1."""

    n: int
    n_groups: int
    macro_f1: Score
    f_avg: Score
    accuracy: Score


class Comparison(TypedDict):
    """A run against its baseline on the same rows: paired differences over groups, then McNemar."""

    name: str
    scores: dict[str, Score]
    difference: dict[str, Difference]
    mcnemar: McNemar


class Report(Stratum):
    """``report.json``."""

    signature: Signature
    question: str
    origin: str
    heading: str | None
    small: list[str]
    findings: list[str]
    labels: list[str]
    absent_from_gold: list[str]
    left_out: dict[str, int]
    per_label: dict[str, dict[str, Any]]
    per_target: dict[str, Stratum]
    per_speaker: dict[str, Stratum]
    per_speaker_name: dict[str, Stratum]
    per_outlet: dict[str, Stratum]
    per_month: dict[str, Stratum]
    unanimous: Stratum | None
    contested: Stratum | None
    confusion: dict[str, Any]
    calibration: Calibration
    baseline: Comparison | None
    confident_errors: list[dict[str, Any]]
    intervals: dict[str, Any]
    curve: NotRequired[dict[str, Any] | None]
    looks_at_test: NotRequired[int]


def make_report(
    examples: Examples,
    probabilities: Floats,
    signature: Signature,
    *,
    small: Sequence[str] = (),
    baseline: tuple[str, Floats] | None = None,
    by_person: bool = False,
) -> Report:
    """Return ``report.json``'s content for the examples scored and their probabilities, shape (rows, labels).

    ``small`` names the labels too small to learn; ``baseline`` is a name and its probabilities on the same
    rows. Scores are shares of 1, each with its 95 % interval over groups.
    """
    gold, predicted = examples.labels, probabilities.argmax(axis=1)
    frame = examples.frame.assign(_gold=gold, _predicted=predicted)
    counts = scoring.confusion(gold, predicted, len(examples.names))

    def score(rows: pd.DataFrame) -> Stratum:
        return stratum_scores(rows, examples.names)

    overall = score(frame)
    heading = TOO_SMALL if small or overall["n_groups"] < FEWEST_GROUPS else None
    unanimous = frame["unanimous"]
    strata = {
        name: {key: score(rows) for key, rows in parts} for name, parts in _strata(frame, by_person)
    }
    return Report(
        signature=signature,
        question=examples.question,
        origin=examples.origin,
        heading=heading,
        small=list(small),
        findings=list(examples.findings),
        n=overall["n"],
        n_groups=overall["n_groups"],
        macro_f1=overall["macro_f1"],
        f_avg=overall["f_avg"],
        accuracy=overall["accuracy"],
        labels=list(examples.names),
        absent_from_gold=[n for i, n in enumerate(examples.names) if not (gold == i).any()],
        left_out=dict(examples.left_out),
        per_label=per_label(frame, examples.names),
        per_target=strata["target"],
        per_speaker=strata["speaker"],
        per_speaker_name=strata["speaker_name"],
        per_outlet=strata["outlet"],
        per_month=strata["month"],
        unanimous=score(frame[unanimous.eq(True)]) if unanimous.eq(True).any() else None,
        contested=score(frame[unanimous.eq(False)]) if unanimous.eq(False).any() else None,
        confusion={"labels": list(examples.names), "counts": counts.tolist()},
        calibration=scoring.calibration(probabilities, gold, examples.soft),
        baseline=baseline and compared(examples, probabilities, baseline[1], baseline[0]),
        confident_errors=confident_errors(examples, probabilities),
        intervals={"unit": "group", "method": "jackknife, Student's t", "level": 0.95},
    )


def stratum_scores(frame: pd.DataFrame, names: Sequence[str]) -> Stratum:
    """Return n, n_groups and the scores of the rows of a frame with ``_gold`` and ``_predicted``."""
    gold = frame["_gold"].to_numpy()
    per_group = scoring.group_confusions(
        gold, frame["_predicted"].to_numpy(), list(frame["group"]), len(names)
    )
    measured = scoring.measures(names, gold)
    found = scoring.intervals(per_group, measured)
    return Stratum(
        n=len(frame), n_groups=len(per_group),
        macro_f1=found["macro_f1"], f_avg=found["f_avg"], accuracy=found["accuracy"],
    )  # fmt: skip


def per_label(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return precision, recall and F1 (with interval) of each label, with its n in gold and predicted."""
    gold, predicted = frame["_gold"].to_numpy(), frame["_predicted"].to_numpy()
    per_group = scoring.group_confusions(gold, predicted, list(frame["group"]), len(names))
    measured = {name: scoring.MeanF1([i]) for i, name in enumerate(names)}
    found = scoring.intervals(per_group, measured)
    return {
        name: {
            "n": int((gold == i).sum()),
            "n_groups": int(frame.loc[gold == i, "group"].nunique()),
            "predicted": int((predicted == i).sum()),
            "precision": _share(((gold == i) & (predicted == i)).sum(), (predicted == i).sum()),
            "recall": _share(((gold == i) & (predicted == i)).sum(), (gold == i).sum()),
            "f1": found[name],
        }
        for i, name in enumerate(names)
    }


def compared(examples: Examples, first: Floats, second: Floats, name: str) -> Comparison:
    """Return the paired comparison of two models' probabilities on the same rows; ``name`` is the second model's.

    A t test over groups gives the verdict; the exact McNemar test, blind to groups, is beside it.
    """
    gold, labels = examples.labels, len(examples.names)
    a, b = first.argmax(axis=1), second.argmax(axis=1)
    groups = list(examples.groups)
    one = scoring.group_confusions(gold, a, groups, labels)
    other = scoring.group_confusions(gold, b, groups, labels)
    measured = scoring.measures(examples.names, gold)
    return Comparison(
        name=name,
        scores=scoring.intervals(other, measured),
        difference={
            key: scoring.paired_difference(one, other, measure)
            for key, measure in measured.items()
            if measure is not None
        },
        mcnemar=scoring.mcnemar(a == gold, b == gold),
    )


def confident_errors(examples: Examples, probabilities: Floats) -> list[dict[str, Any]]:
    """Return the wrong predictions with the highest probabilities, highest first, by id."""
    gold, predicted = examples.labels, probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(gold != predicted)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][:CONFIDENT_ERRORS]
    return [
        {
            "id": examples.frame["id"].iloc[i], "gold": examples.names[gold[i]],
            "predicted": examples.names[predicted[i]], "probability": float(confidence[i]),
        }
        for i in order
    ]  # fmt: skip


def _strata(
    frame: pd.DataFrame, by_person: bool
) -> Iterator[tuple[str, list[tuple[str, pd.DataFrame]]]]:
    speaker = frame["gold_speaker"].where(frame["gold_speaker"].notna(), frame["speaker"])
    held = frame["gold_speaker"].isin(OFFICE)
    names = frame["gold_name"] if by_person else frame["gold_name"].where(held)
    keys = {
        "target": frame["target"],
        "speaker": speaker,
        "speaker_name": names,
        "outlet": frame["outlet"],
        "month": frame["published"].astype("string").str.slice(0, 7),
    }
    for name, key in keys.items():
        known = key[key.notna() & (key != "")]
        yield name, [(str(k), frame.loc[part.index]) for k, part in known.groupby(known)]


def _share(part: Any, whole: Any) -> float | None:
    return float(part / whole) if whole else None


def model_card(run: Run, cv: CrossValidation) -> str:
    """Return the card in Markdown, from a run's description and its cross-validation; it holds no text."""
    absent = sorted({label for fold in cv["folds"] for label in fold["absent_from_training"]})
    return str(render("model_card.md", run=run, cv=cv, absent=absent, origins=ORIGINS))
