"""How common each label is among sentences that nobody labelled.

Counting predictions repeats the model's own bias. The adjusted share corrects it by the model's confusion out of
fold (adjusted classify and count; Forman 2008); its interval covers the sampling of the sentences and of the
confusion.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import numpy as np
import pandas as pd

from onrecord.core.intervals import Floats, Ints, percentile_interval, too_few_groups
from onrecord.experiment.scoring import drawn_confusions, group_confusions

NOTE = "labels describe sentences as published, not people's views"
STRATA = ("outlet", "speaker")  # types of suggested speaker, never names


class Share(TypedDict):
    """One label's share of the sentences: as predicted, and adjusted with its 95 % interval."""

    predicted: float
    adjusted: float | None
    low: float | None
    high: float | None


class Shares(TypedDict):
    """Every label's share in one part of the sentences; ``reason`` says why there are no intervals."""

    n: int
    n_groups: int
    reason: NotRequired[str]
    labels: dict[str, Share]


class Prevalence(TypedDict):
    """The shares overall, by outlet and by type of suggested speaker."""

    note: str
    n: int
    overall: Shares
    per_outlet: dict[str, Shares]
    per_speaker: dict[str, Shares]


def adjusted_shares(confusions: Floats, predicted: Floats) -> Floats:
    """Return true shares, shape (..., K), given how gold is predicted and the shares predicted.

    ``confusions`` has shape (..., K, K), rows gold, each with rows; ``predicted`` (..., K). A share below 0
    becomes 0, and all are scaled to sum to 1.

    >>> adjusted_shares(np.array([[8., 2.], [4., 6.]]), np.array([0.6, 0.4])).round(3).tolist()
    [0.5, 0.5]
    """
    rates = confusions / confusions.sum(axis=-1, keepdims=True)
    inverse = np.linalg.pinv(np.swapaxes(rates, -1, -2))
    shares = np.clip((inverse @ predicted[..., None])[..., 0], 0, None)
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


def estimate_prevalence(
    frame: pd.DataFrame, checked: pd.DataFrame, names: Sequence[str], *, replicates: int, seed: int
) -> Prevalence:
    """Return the shares of each label overall, by outlet and by type of suggested speaker.

    ``frame`` has ``predicted``, ``group``, ``outlet`` and ``speaker``, a row a sentence; ``checked`` has
    ``label``, ``predicted`` and ``group_id``, predicted out of fold. Where a label has no gold in ``checked``,
    shares cannot be adjusted and are given as predicted only.
    """
    place = {name: i for i, name in enumerate(names)}
    gold = np.array([place[name] for name in checked["label"]], dtype=np.int64)
    predicted = np.array([place[name] for name in checked["predicted"]], dtype=np.int64)
    known = group_confusions(gold, predicted, list(checked["group_id"]), len(names))

    def shares(part: pd.DataFrame) -> Shares:
        return part_shares(part, place, known, replicates=replicates, seed=seed)

    outlets, speakers = (
        {str(k): shares(part) for k, part in frame[frame[column] != ""].groupby(column)}
        for column in STRATA
    )
    return Prevalence(
        note=NOTE, n=len(frame), overall=shares(frame), per_outlet=outlets, per_speaker=speakers
    )


def part_shares(
    part: pd.DataFrame, place: dict[str, int], known: Ints, *, replicates: int, seed: int
) -> Shares:
    """Return the shares in one part; ``known`` are confusions out of fold by group, shape (groups, K * K)."""
    labels = len(place)
    _, group = np.unique(part["group"].to_numpy(dtype=str), return_inverse=True)
    count = int(group.max()) + 1
    cell = group * labels + part["predicted"].map(place).to_numpy()
    per_group = np.bincount(cell, minlength=count * labels).reshape(count, labels)
    predicted = per_group.sum(axis=0) / len(part)
    summed = known.sum(axis=0).reshape(labels, labels).astype(float)
    missing = (summed.sum(axis=1) == 0).any()
    adjusted = None if missing else adjusted_shares(summed, predicted)
    reason = "a label has no gold to learn the confusion from" if missing else None
    reason = reason or too_few_groups(count) or too_few_groups(len(known))
    drawn = None
    if reason is None:
        confusions = drawn_confusions(known, replicates, seed).reshape(-1, labels, labels)
        counts = drawn_confusions(per_group, replicates, seed + 1)
        whole = (confusions.sum(axis=-1) > 0).all(axis=-1)
        counts = counts / counts.sum(axis=1, keepdims=True)
        drawn = adjusted_shares(confusions[whole], counts[whole])
    found = Shares(n=len(part), n_groups=count, labels={})
    if reason:
        found["reason"] = reason
    for name, i in place.items():
        low, high = (None, None) if drawn is None else percentile_interval(drawn[:, i])[:2]
        found["labels"][name] = Share(
            predicted=float(predicted[i]),
            adjusted=None if adjusted is None else float(adjusted[i]),
            low=low,
            high=high,
        )
    return found
