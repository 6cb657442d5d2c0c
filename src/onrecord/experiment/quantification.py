"""How common each label is among sentences that nobody labelled.

Counting predictions repeats the model's own leanings. The adjusted share undoes them by the model's
confusion out of fold (adjusted classify and count; Forman 2008), and its interval holds both the chance of
the sentences and that of the confusion.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from onrecord.experiment.scoring import drawn_confusions, group_confusions, too_few_groups

Floats = npt.NDArray[np.float64]
NOTE = "labels describe sentences as published, not people's views"
STRATA = {"outlet": "outlet", "speaker": "speaker"}  # types of suggested speaker, never names


def adjusted_shares(confusions: Floats, predicted: Floats) -> Floats:
    """Return true shares, shape (..., K), given how gold is predicted and the shares predicted.

    ``confusions`` has shape (..., K, K), rows gold, each with rows; ``predicted`` (..., K). A share below 0
    becomes 0, and all are scaled to sum to 1.

    >>> adjusted_shares(np.array([[8., 2.], [4., 6.]]), np.array([0.6, 0.4])).round(3).tolist()
    [0.5, 0.5]
    """
    rates = confusions / confusions.sum(axis=-1, keepdims=True)
    turned = np.linalg.pinv(np.swapaxes(rates, -1, -2))
    shares = np.clip((turned @ predicted[..., None])[..., 0], 0, None)
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


def estimate_prevalence(
    frame: pd.DataFrame, checked: pd.DataFrame, names: Sequence[str], *, replicates: int, seed: int
) -> dict[str, Any]:
    """Return the shares of each label overall, by outlet and by type of suggested speaker.

    ``frame`` has ``predicted``, ``group``, ``outlet`` and ``speaker``, a row a sentence; ``checked`` has
    ``label``, ``predicted`` and ``group_id``, predicted out of fold. Labels without gold in ``checked``
    cannot be adjusted: the shares predicted stand alone then.
    """
    place = {name: i for i, name in enumerate(names)}
    gold = np.array([place[name] for name in checked["label"]], dtype=np.int64)
    told = np.array([place[name] for name in checked["predicted"]], dtype=np.int64)
    known = group_confusions(gold, told, list(checked["group_id"]), len(names))

    def shares(part: pd.DataFrame) -> dict[str, Any]:
        return part_shares(part, place, known, replicates=replicates, seed=seed)

    found: dict[str, Any] = {"note": NOTE, "n": len(frame), "overall": shares(frame)}
    for name, column in STRATA.items():
        stated = frame[frame[column] != ""]
        found[f"per_{name}"] = {str(k): shares(part) for k, part in stated.groupby(column)}
    return found


def part_shares(
    part: pd.DataFrame,
    place: dict[str, int],
    known: npt.NDArray[np.int64],
    *,
    replicates: int,
    seed: int,
) -> dict[str, Any]:
    """Return one part's n, n_groups and, for each label, its shares and interval."""  # fmt: skip
    labels = len(place)
    told = part["predicted"].map(place).to_numpy()
    _, group = np.unique(part["group"].to_numpy(dtype=str), return_inverse=True)
    count = int(group.max()) + 1
    per_group = np.bincount(group * labels + told, minlength=count * labels).reshape(count, labels)
    predicted = per_group.sum(axis=0) / len(part)
    summed = known.sum(axis=0).reshape(labels, labels).astype(float)
    missing = (summed.sum(axis=1) == 0).any()
    adjusted = None if missing else adjusted_shares(summed, predicted)
    reason = "a label has no gold to learn the confusion from" if missing else None
    reason = reason or too_few_groups(count) or too_few_groups(len(known))
    low = high = None
    if reason is None:
        confusions = drawn_confusions(known, replicates, seed).reshape(-1, labels, labels)
        counts = drawn_confusions(per_group, replicates, seed + 1)
        whole = (confusions.sum(axis=-1) > 0).all(axis=-1)
        drawn = adjusted_shares(
            confusions[whole], (counts / counts.sum(axis=1, keepdims=True))[whole]
        )
        low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    shares = {
        name: {
            "predicted": float(predicted[i]),
            "adjusted": None if adjusted is None else float(adjusted[i]),
            "low": None if low is None else float(low[i]),
            "high": None if high is None else float(high[i]),
        }
        for name, i in place.items()
    }
    told_why = {"reason": reason} if reason else {}
    return {"n": len(part), "n_groups": count, **told_why, "labels": shares}
