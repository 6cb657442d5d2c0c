"""The report: scores of one run on one split, as plain values. It holds ids, never text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onrecord.experiment import scoring
from onrecord.experiment.data import Examples

CONFIDENT_ERRORS = 20
OFFICE = ("politician", "agency")  # people whose public statements may be tabled by name
Floats = npt.NDArray[np.float64]
TOO_SMALL = "too small to evaluate"


def make_report(
    examples: Examples,
    chances: Floats,
    signature: Mapping[str, Any],
    *,
    small: Sequence[str] = (),
    baseline: tuple[str, Floats] | None = None,
    replicates: int = scoring.REPLICATES,
    seed: int = 0,
    by_person: bool = False,
) -> dict[str, Any]:
    """Return ``report.json``'s content for the examples scored and their probabilities, shape (rows, labels).

    ``small`` names the labels too small to learn; ``baseline`` is a name and its probabilities on the same
    rows. Scores are shares of 1, each with its 95 % interval by bootstrap over groups.
    """
    gold, predicted = examples.labels, chances.argmax(axis=1)
    frame = examples.frame.assign(_gold=gold, _predicted=predicted)
    counts = scoring.confusion(gold, predicted, len(examples.names))

    def score(rows: pd.DataFrame) -> dict[str, Any]:
        return stratum_scores(rows, examples.names, replicates=replicates, seed=seed)

    overall = score(frame)
    heading = TOO_SMALL if small or overall["n_groups"] < scoring.FEWEST_GROUPS else None
    unanimous = frame["unanimous"]
    return {
        "signature": dict(signature),
        "question": examples.question,
        "origin": examples.origin,
        "heading": heading,
        "small": list(small),
        "findings": list(examples.findings),
        **overall,
        "labels": list(examples.names),
        "absent_from_gold": [n for i, n in enumerate(examples.names) if not (gold == i).any()],
        "left_out": dict(examples.left_out),
        "per_label": per_label(frame, examples.names, replicates=replicates, seed=seed),
        **{
            f"per_{name}": {key: score(rows) for key, rows in strata}
            for name, strata in _strata(frame, by_person)
        },
        "unanimous": score(frame[unanimous.eq(True)]) if unanimous.eq(True).any() else None,
        "contested": score(frame[unanimous.eq(False)]) if unanimous.eq(False).any() else None,
        "confusion": {"labels": list(examples.names), "counts": counts.tolist()},
        "calibration": scoring.calibration(chances, gold, examples.soft),
        "baseline": None
        if baseline is None
        else compared(examples, chances, baseline[1], baseline[0], replicates=replicates, seed=seed),
        "confident_errors": confident_errors(examples, chances),
        "bootstrap": {"unit": "group", "replicates": replicates, "seed": seed, "level": 0.95},
    }  # fmt: skip


def stratum_scores(
    frame: pd.DataFrame, names: Sequence[str], *, replicates: int, seed: int
) -> dict[str, Any]:
    """Return n, n_groups and the scores of the rows of a frame with ``_gold`` and ``_predicted``."""
    gold = frame["_gold"].to_numpy()
    per_group = scoring.group_confusions(
        gold, frame["_predicted"].to_numpy(), list(frame["group"]), len(names)
    )
    measured = scoring.measures(names, gold)
    found = scoring.intervals(per_group, measured, replicates=replicates, seed=seed)
    return {"n": len(frame), "n_groups": len(per_group), **found}


def per_label(
    frame: pd.DataFrame, names: Sequence[str], *, replicates: int, seed: int
) -> dict[str, Any]:
    """Return precision, recall and F1 (with interval) of each label, with its n in gold and predicted."""
    gold, predicted = frame["_gold"].to_numpy(), frame["_predicted"].to_numpy()
    per_group = scoring.group_confusions(gold, predicted, list(frame["group"]), len(names))
    measured = {name: scoring.mean_f1([i]) for i, name in enumerate(names)}
    found = scoring.intervals(per_group, measured, replicates=replicates, seed=seed)
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


def compared(
    examples: Examples, first: Floats, second: Floats, name: str, *, replicates: int, seed: int
) -> dict[str, Any]:
    """Return the paired comparison of two models' probabilities on the same rows.

    The bootstrap over groups comes first and gives the verdict; the exact McNemar test, blind to groups,
    stands beside it. ``name`` is the second model's.
    """
    gold, labels = examples.labels, len(examples.names)
    a, b = first.argmax(axis=1), second.argmax(axis=1)
    groups = list(examples.groups)
    one = scoring.group_confusions(gold, a, groups, labels)
    other = scoring.group_confusions(gold, b, groups, labels)
    measured = scoring.measures(examples.names, gold)
    return {
        "name": name,
        "scores": scoring.intervals(other, measured, replicates=replicates, seed=seed),
        "difference": {
            key: scoring.paired_difference(one, other, measure, replicates=replicates, seed=seed)
            for key, measure in measured.items()
            if measure is not None
        },
        "mcnemar": scoring.mcnemar(a == gold, b == gold),
    }


def confident_errors(examples: Examples, chances: Floats) -> list[dict[str, Any]]:
    """Return the wrong predictions of the highest probability, surest first, by id."""
    gold, predicted = examples.labels, chances.argmax(axis=1)
    sure = chances.max(axis=1)
    wrong = np.flatnonzero(gold != predicted)
    order = wrong[np.argsort(-sure[wrong], kind="stable")][:CONFIDENT_ERRORS]
    return [
        {"id": examples.frame["id"].iloc[i], "gold": examples.names[gold[i]],
         "predicted": examples.names[predicted[i]], "probability": float(sure[i])}
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
