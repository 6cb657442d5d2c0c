"""Change: over guidelines versions and time, and what showing suggestions does to answers and to pace."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onrecord.campaign.agreement.annotator_quality import REPLICATES, with_the_rest
from onrecord.campaign.agreement.bootstrap import MIN_GROUPS, figures, interval, total, weights
from onrecord.campaign.agreement.coefficients import Level, why_undefined
from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import counts_of, sums_of


def difference(
    first: tuple[NDArray[np.float64], NDArray[np.int64]],
    second: tuple[NDArray[np.float64], NDArray[np.int64]],
    *,
    seed: int,
) -> dict[str, Any]:
    """Return the mean of the second values less that of the first, with an interval over groups.

    Each is ``(values, groups)``, parallel. A replicate draws groups once for both, since they may share them.
    """  # fmt: skip
    (a, of_a), (b, of_b) = first, second
    found: dict[str, Any] = {
        "value": None,
        "low": None,
        "high": None,
        "n": [len(a), len(b)],
    }
    if not len(a) or not len(b):
        return found
    found["value"] = float(b.mean() - a.mean())
    codes = np.unique(np.concatenate([of_a, of_b]))
    if len(codes) < MIN_GROUPS:
        return found | {"reason": f"{len(codes)} groups, fewer than {MIN_GROUPS}"}
    drawn = weights(np.ones(len(codes), dtype=np.int64), REPLICATES, np.random.default_rng(seed))

    def means(values: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
        at = np.searchsorted(codes, groups)
        n = drawn @ np.bincount(at, minlength=len(codes))
        return np.asarray(drawn @ np.bincount(at, values, len(codes)) / np.where(n > 0, n, np.nan))

    return found | interval(means(b, of_b) - means(a, of_a))


def over_time(answers: Answers, moments: Sequence[str], *, seed: int) -> dict[str, dict[str, Any]]:
    """Return per annotator: agreement with the rest in the later half of their work less that in the earlier.

    ``moments`` are parallel to the annotations and sort by time. Below 0 the annotator drifts from the rest.
    """  # fmt: skip
    same, others = with_the_rest(answers)
    share = same / np.maximum(others, 1)
    when = np.array(moments)
    found = {}
    for code, name in enumerate(answers.annotators):
        mine = np.flatnonzero((answers.annotator == code) & (others > 0))
        mine = mine[np.argsort(when[mine], kind="stable")]
        halves = mine[: len(mine) // 2], mine[len(mine) // 2 :]
        early, late = ((share[h], answers.group[answers.task[h]]) for h in halves)
        found[name] = difference(early, late, seed=seed)
    return found


def between(
    answers: Answers,
    earlier: NDArray[np.bool_],
    later: NDArray[np.bool_],
    *,
    level: Level,
    replicates: int,
    seed: int,
) -> dict[str, Any]:
    """Return alpha of the later annotations less that of the earlier (masks), drawn over their groups together."""  # fmt: skip
    parts = [answers.only(earlier), answers.only(later)]
    counts = [counts_of(part) for part in parts]
    found: dict[str, Any] = {"value": None, "low": None, "high": None}
    for part, of in zip(parts, counts, strict=True):
        if reason := why_undefined(of, part.labels):
            return found | {"reason": reason}
    sums, distance = zip(
        *(sums_of(part, of, level) for part, of in zip(parts, counts, strict=True)), strict=True
    )
    values = [float(figures(total(s), d)["alpha"]) for s, d in zip(sums, distance, strict=True)]
    found["value"] = values[1] - values[0]
    groups = [np.unique(p.group[c.sum(axis=1) >= 2]) for p, c in zip(parts, counts, strict=True)]
    codes = np.unique(np.concatenate(groups))
    if min(len(g) for g in groups) < MIN_GROUPS:
        least = min(len(g) for g in groups)
        return found | {"reason": f"{least} groups, fewer than {MIN_GROUPS}"}
    drawn = weights(np.ones(len(codes), dtype=np.int64), replicates, np.random.default_rng(seed))
    alphas = []
    for s, d, g in zip(sums, distance, groups, strict=True):
        own = drawn[:, np.searchsorted(codes, g)]
        weighted = type(s)(**{name: own @ part for name, part in vars(s).items()})
        alphas.append(figures(weighted, d)["alpha"])
    return found | interval(alphas[1] - alphas[0])


def versions(answers: Answers, *, level: Level, replicates: int, seed: int) -> list[dict[str, Any]]:
    """Return the change of alpha from each guidelines version to the next, in their order."""
    values = np.array(answers.facts["guidelines"])
    names = sorted(set(answers.facts["guidelines"]), key=_version)
    return [
        {
            "from": a, "to": b,
            **between(
                answers, values == a, values == b, level=level, replicates=replicates, seed=seed
            ),
        }
        for a, b in pairwise(names)
    ]  # fmt: skip


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in name.split("."))


def anchoring(
    rows: Sequence[Mapping[str, Any]],
    suggestions: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, str],
    *,
    seed: int,
) -> dict[str, Any]:
    """Return what a shown suggestion does: agreement with it, and seconds, shown less not shown.

    ``suggestions`` maps sentence_id to the suggested answers (rows of speakers.parquet). The control arm is
    the annotations whose suggestion was not shown; without one, or without a shown one, there is a reason.
    """  # fmt: skip
    arms = [[row for row in rows if row["suggestion_shown"] is shown] for shown in (False, True)]
    if not all(arms):
        return {
            "reason": "no control arm: set control_share in the plan" if not arms[0]
            else "no suggestion was shown"
        }  # fmt: skip
    codes = {name: i for i, name in enumerate(sorted(set(groups.values())))}
    found: dict[str, Any] = {"agreement": {}}
    for question in ("speaker", "speaker_name"):
        arrays = []
        for arm in arms:
            own = [
                r for r in arm if (suggestions.get(r["sentence_id"]) or {}).get(question) is not None
            ]  # fmt: skip
            follow = [
                float(r["labels"].get(question) == suggestions[r["sentence_id"]][question])
                for r in own
            ]
            arrays.append((np.array(follow), _codes(own, groups, codes)))
        found["agreement"][question] = difference(arrays[0], arrays[1], seed=seed)
    timed = [[r for r in arm if r["seconds"]] for arm in arms]
    seconds = [
        (np.array([float(r["seconds"]) for r in arm]), _codes(arm, groups, codes)) for arm in timed
    ]
    found["seconds"] = difference(seconds[0], seconds[1], seed=seed)
    return found


def _codes(
    rows: Sequence[Mapping[str, Any]], groups: Mapping[str, str], codes: Mapping[str, int]
) -> NDArray[np.int64]:
    return np.array([codes[groups[r["sentence_id"]]] for r in rows], dtype=np.int64)
