"""Change of agreement: between guidelines versions, over time, and by showing suggestions."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Literal

import numpy as np

from onrecord.campaign.agreement.annotator_quality import REPLICATES, matches_with_rest
from onrecord.campaign.agreement.coefficients import Level, why_undefined
from onrecord.campaign.agreement.group_sums import coefficients, total
from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import counts_of, sums_of
from onrecord.core.agreement_report import Anchoring, Difference, VersionChange
from onrecord.core.intervals import (
    Floats,
    Ints,
    Score,
    group_weights,
    percentile_interval,
    too_few_groups,
)
from onrecord.core.records import Annotation, SpeakerRow


def difference(first: tuple[Floats, Ints], second: tuple[Floats, Ints], *, seed: int) -> Difference:
    """Return the mean of the second values less that of the first, with an interval over groups.

    Each is ``(values, groups)``, parallel. A replicate draws groups once for both, since they may share them.
    """
    (a, of_a), (b, of_b) = first, second
    found: Difference = {"value": None, "low": None, "high": None, "n": [len(a), len(b)]}
    if not len(a) or not len(b):
        return found
    found["value"] = float(b.mean() - a.mean())
    codes = np.unique(np.concatenate([of_a, of_b]))
    if reason := too_few_groups(len(codes)):
        found["reason"] = reason
        return found
    drawn = _draw(len(codes), REPLICATES, seed)

    def means(values: Floats, groups: Ints) -> Floats:
        at = np.searchsorted(codes, groups)
        n = drawn @ np.bincount(at, minlength=len(codes))
        return np.asarray(drawn @ np.bincount(at, values, len(codes)) / np.where(n > 0, n, np.nan))

    low, high, dropped = percentile_interval(means(b, of_b) - means(a, of_a))
    found |= {"low": low, "high": high, "undefined_replicates": dropped}
    return found


def _draw(n_groups: int, replicates: int, seed: int) -> Floats:
    each = np.ones(n_groups, dtype=np.int64)
    return group_weights(each, replicates, np.random.default_rng(seed))


def over_time(answers: Answers, moments: Sequence[str], *, seed: int) -> dict[str, Difference]:
    """Return per annotator: agreement with the rest in the later half of their work less that in the earlier.

    ``moments`` are parallel to the annotations and sort by time. Below 0 the annotator drifts from the rest.
    """
    same, others = matches_with_rest(answers)
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


def alpha_change(
    earlier: Answers, later: Answers, *, level: Level, replicates: int, seed: int
) -> Score:
    """Return alpha of the later annotations less that of the earlier; a replicate draws their groups together."""
    parts = [(part, counts_of(part)) for part in (earlier, later)]
    found: Score = {"value": None, "low": None, "high": None}
    for part, counts in parts:
        if reason := why_undefined(counts, part.labels):
            found["reason"] = reason
            return found
    sums = [sums_of(part, counts, level) for part, counts in parts]
    before, after = (float(coefficients(total(s), distance)["alpha"]) for s, distance in sums)
    found["value"] = after - before
    groups = [np.unique(part.group[counts.sum(axis=1) >= 2]) for part, counts in parts]
    if reason := too_few_groups(min(len(own) for own in groups)):
        found["reason"] = reason
        return found
    codes = np.unique(np.concatenate(groups))
    drawn = _draw(len(codes), replicates, seed)
    alphas = []
    for (s, distance), own in zip(sums, groups, strict=True):
        weights = drawn[:, np.searchsorted(codes, own)]
        alphas.append(coefficients(s.map(partial(np.matmul, weights)), distance)["alpha"])
    low, high, dropped = percentile_interval(alphas[1] - alphas[0])
    found |= {"low": low, "high": high, "undefined_replicates": dropped}
    return found


def between_versions(
    answers: Answers, *, level: Level, replicates: int, seed: int
) -> list[VersionChange]:
    """Return the change of alpha from each guidelines version to the next, in their order."""
    values = np.array(answers.facts["guidelines"])
    parts = {
        name: answers.only(values == name)
        for name in sorted(set(answers.facts["guidelines"]), key=_version)
    }
    return [
        {
            "from": a, "to": b,
            **alpha_change(parts[a], parts[b], level=level, replicates=replicates, seed=seed),
        }
        for a, b in pairwise(parts)
    ]  # fmt: skip


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in name.split("."))


def anchoring(
    rows: Sequence[Annotation],
    suggestions: Mapping[str, SpeakerRow],
    groups: Mapping[str, str | None],
    *,
    seed: int,
) -> Anchoring:
    """Return what a shown suggestion does: agreement with it, and seconds, shown less not shown.

    ``suggestions`` maps sentence_id to the suggested answers. The control arm is the annotations whose suggestion
    was not shown; without one, or without a shown one, there is a reason.
    """
    arms = [[row for row in rows if row["suggestion_shown"] is shown] for shown in (False, True)]
    if not arms[0]:
        return {"reason": "no control arm: set control_share in the plan"}
    if not arms[1]:
        return {"reason": "no suggestion was shown"}
    codes = {name: i for i, name in enumerate(sorted(set(groups.values()), key=str))}

    def compare(values: Sequence[Sequence[tuple[float, str]]]) -> Difference:
        control, shown = (
            (np.array([v for v, _ in arm]), np.array([codes[groups[s]] for _, s in arm], np.int64))
            for arm in values
        )
        return difference(control, shown, seed=seed)

    def followed(
        arm: Sequence[Annotation], question: Literal["speaker", "speaker_name"]
    ) -> list[tuple[float, str]]:
        return [
            (float(row["labels"].get(question) == suggested), row["sentence_id"])
            for row in arm
            if row["sentence_id"] in suggestions
            and (suggested := suggestions[row["sentence_id"]][question]) is not None
        ]

    timed = [[(float(r["seconds"]), r["sentence_id"]) for r in arm if r["seconds"]] for arm in arms]
    return {
        "agreement": {
            "speaker": compare([followed(arm, "speaker") for arm in arms]),
            "speaker_name": compare([followed(arm, "speaker_name") for arm in arms]),
        },
        "seconds": compare(timed),
    }
