"""Change of agreement: between guidelines versions, over time, and by showing suggestions."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from onrecord.campaign.agreement.annotator_quality import matches_with_rest
from onrecord.campaign.agreement.coefficients import Level, why_undefined
from onrecord.campaign.agreement.group_sums import coefficients, total, without_each
from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import counts_of, metric_of, sums_of
from onrecord.core.agreement_report import Anchoring, Difference, VersionChange
from onrecord.core.intervals import Floats, Ints, Scale, Score, interval, too_few_groups
from onrecord.core.records import Annotation, SpeakerRow


def difference(
    first: tuple[Floats, Ints], second: tuple[Floats, Ints], scale: Scale = "difference"
) -> Difference:
    """Return the mean of the second values less that of the first, with an interval over groups.

    Each is ``(values, groups)``, parallel. The parts may share groups: a group is left out of both at once.
    """
    (a, of_a), (b, of_b) = first, second
    n = [len(a), len(b)]
    if not len(a) or not len(b):
        return {"value": None, "low": None, "high": None, "n": n}
    codes = np.unique(np.concatenate([of_a, of_b]))

    def without(values: Floats, groups: Ints) -> Floats:
        at = np.searchsorted(codes, groups)
        left = len(values) - np.bincount(at, minlength=len(codes))
        total = values.sum() - np.bincount(at, values, len(codes))
        return np.asarray(total / np.where(left > 0, left, np.nan))

    found = interval(float(b.mean() - a.mean()), without(b, of_b) - without(a, of_a), scale)
    return {**found, "n": n}


def over_time(answers: Answers, moments: Sequence[str]) -> dict[str, Difference]:
    """Return per annotator: agreement with the rest in the later half of their work less that in the earlier.

    ``moments`` are parallel to the annotations and sort by time. Below 0 the annotator drifts from the rest.
    """
    same, others = matches_with_rest(answers)
    share = same / np.maximum(others, 1)
    when = np.array(moments)
    found = {}
    for name, all_rows in answers.by_annotator.items():
        mine = all_rows[others[all_rows] > 0]
        mine = mine[np.argsort(when[mine], kind="stable")]
        halves = mine[: len(mine) // 2], mine[len(mine) // 2 :]
        early, late = ((share[h], answers.group[answers.task[h]]) for h in halves)
        found[name] = difference(early, late)
    return found


def alpha_change(earlier: Answers, later: Answers, *, level: Level) -> Score:
    """Return alpha of the later annotations less that of the earlier; a group is left out of both at once."""
    found, codes = [], np.unique(earlier.group)
    for part in (earlier, later):
        counts = counts_of(part)
        if reason := why_undefined(counts, part.labels):
            return {"value": None, "low": None, "high": None, "reason": reason}
        of = metric_of(part, counts, level)
        sums = sums_of(part, counts, of)
        own = np.unique(part.group[counts.sum(axis=1) >= 2])
        value = float(coefficients(total(sums), of)["alpha"])
        without = np.full(len(codes), value)
        without[np.searchsorted(codes, own)] = coefficients(without_each(sums), of)["alpha"]
        found.append((value, without, own))
    (before, without_before, first), (after, without_after, second) = found
    drawn = np.isin(codes, np.concatenate([first, second]))
    change = interval(after - before, (without_after - without_before)[drawn], "amount")
    if reason := too_few_groups(min(len(first), len(second))):
        return {"value": change["value"], "low": None, "high": None, "reason": reason}
    return change


def between_versions(answers: Answers, *, level: Level) -> list[VersionChange]:
    """Return the change of alpha from each guidelines version to the next, in their order."""
    values = np.array(answers.facts["guidelines"])
    parts = {
        name: answers.only(values == name)
        for name in sorted(set(answers.facts["guidelines"]), key=_version)
    }
    return [
        {"from": a, "to": b, **alpha_change(parts[a], parts[b], level=level)}
        for a, b in pairwise(parts)
    ]


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in name.split("."))


def anchoring(
    rows: Sequence[Annotation],
    suggestions: Mapping[str, SpeakerRow],
    groups: Mapping[str, str | None],
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

    def compare(
        values: Sequence[Sequence[tuple[float, str]]], scale: Scale = "difference"
    ) -> Difference:
        control, shown = (
            (np.array([v for v, _ in arm]), np.array([codes[groups[s]] for _, s in arm], np.int64))
            for arm in values
        )
        return difference(control, shown, scale)

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
        "seconds": compare(timed, "amount"),
    }
