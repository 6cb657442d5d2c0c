"""What a split lets through, and what a reader of its scores must know.

A *leak* is something that training rows share with held-out rows: a group, an article, or a sentence that
reads the same or nearly so. A *finding* is no fault of the split but bounds what a score can mean: a label
missing from train, a class too small, an outlet or a speaker that gives the label away.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from onrecord.dataset.splitting.near_duplicates import sentence_leaks
from onrecord.dataset.splitting.strategies import HELD_OUT

SMALL_ROWS, SMALL_GROUPS = 30, 3  # a class with fewer training rows or groups is too small to learn


class Finding(TypedDict):
    """Something that bounds what scores mean, in one sentence, with its figures."""

    kind: str
    message: str
    figures: dict[str, Any]


def audited(
    columns: Mapping[str, Sequence[Any]],
    question: str,
    names: Sequence[str],
    split: Mapping[str, Any],
    placed: Mapping[str, Any],
    *,
    near: float,
    min_words: int,
    on_leak: str,
    cue_gain: float,
) -> dict[str, Any]:
    """Return the audit: leaks, what was dropped for them, findings, whether it passed, and a line on it."""
    parts = [str(part) for part in columns.get("fold", columns["split"])]
    held_out = HELD_OUT if "fold" not in columns else dict.fromkeys(parts, 0)
    groups = straddling(columns["group_id"], parts)
    articles = straddling(columns.get("article_id", []), parts) if "article_id" in columns else {}
    leaks = sentence_leaks(
        columns["sentence_id"], columns["text"], parts, held_out,
        near=near, min_words=min_words,
    )  # fmt: skip
    dropped = [leak["gone"] for leak in leaks] if on_leak == "drop" else []
    gone = set(dropped)
    counted = zip(columns["sentence_id"], columns["is_copy"], strict=True)  # copies count once
    rows = [
        i for i, (sentence, is_copy) in enumerate(counted) if sentence not in gone and not is_copy
    ]
    cues = {
        cue: [columns[name][i] for i in rows]
        for cue, name in (("outlet", "outlet"), ("speaker", "suggested_speaker"))
        if name in columns
    }
    found = findings(
        [columns[question][i] for i in rows], names, [columns["group_id"][i] for i in rows],
        [columns["split"][i] for i in rows], cues, too_well=cue_gain,
    )  # fmt: skip
    found += promise_findings(columns, str(split["name"]))
    kinds = Counter(leak["kind"] for leak in leaks)
    summary = (
        f"{len(groups)} groups and {len(articles)} articles in two parts, "
        f"{kinds['same']} same and {kinds['near']} near-same sentences in two"
    )
    return {
        "split": dict(split), "on_leak": on_leak, "near_same": near, "min_words": min_words,
        "passed": not groups and not articles and not (leaks and on_leak == "fail"),
        "summary": summary, "groups": groups, "articles": articles, "sentences": leaks,
        "dropped": dropped, "joined": placed["joined"], "findings": found,
    }  # fmt: skip


def promise_findings(columns: Mapping[str, Sequence[Any]], strategy: str) -> list[Finding]:
    """Return where a split by outlet or by date cannot keep its word: through copies, or kept assignments.

    >>> columns = {"outlet": ["X", "X"], "split": ["train", "test"]}
    >>> promise_findings(columns, "by_outlet")[0]["message"]
    "outlet X stands in test and train, through copies of others' stories or splits kept from before"
    """
    found = []
    if strategy == "by_outlet":
        for outlet, where in straddling(columns["outlet"], columns["split"]).items():
            found.append(Finding(
                kind="outlet", message=f"outlet {outlet} stands in {' and '.join(where)}, through copies of "
                "others' stories or splits kept from before", figures={"outlet": outlet, "splits": where},
            ))  # fmt: skip
    if strategy == "by_date":
        newest: dict[tuple[str, str], str] = {}
        for group, split, date in zip(
            columns["group_id"], columns["split"], columns["published"], strict=True
        ):
            newest[split, group] = max(newest.get((split, group), ""), date[:10])
        first = {
            s: min((d for (t, _), d in newest.items() if t == s), default=None) for s in HELD_OUT
        }
        for (split, group), date in sorted(newest.items()):
            later = [
                s
                for s in HELD_OUT
                if HELD_OUT[s] > HELD_OUT[split] and (first[s] or date + "x") <= date
            ]
            if later:
                found.append(
                    Finding(
                        kind="date",
                        message=f"group {group} of {date} is in {split}, though {' and '.join(later)} "
                        f"begins on {first[later[0]]}",
                        figures={"group": group, "date": date, "split": split},
                    )
                )
    return found  # fmt: skip


def straddling(units: Sequence[str | None], splits: Sequence[str]) -> dict[str, list[str]]:
    """Return the units (groups or articles) with rows in more than one split, and the splits.

    >>> straddling(["g1", "g1", "g2", None], ["train", "test", "test", "train"])
    {'g1': ['test', 'train']}
    """
    seen: dict[str, set[str]] = defaultdict(set)
    for unit, split in zip(units, splits, strict=True):
        if unit is not None:
            seen[unit].add(split)
    return {unit: sorted(found) for unit, found in sorted(seen.items()) if len(found) > 1}


def findings(
    labels: Sequence[str],
    names: Sequence[str],
    groups: Sequence[str],
    splits: Sequence[str],
    cues: Mapping[str, Sequence[str | None]],
    *,
    too_well: float = 0.1,
) -> list[Finding]:
    """Return what bounds the meaning of scores on this split, labels first.

    ``cues`` maps a column's name (outlet, speaker) to its values: one that predicts the label better
    than the commonest label does, by ``too_well`` (a share of the rows) or more, each group's rows being
    predicted from the other groups alone, is a finding.
    """
    found = _label_findings(labels, names, groups, splits)
    for column, values in cues.items():
        gain, accuracy, baseline = cue_gain(labels, values, groups)
        if gain is not None and gain >= too_well:
            found.append(Finding(
                kind="cue", message=f"{column} alone predicts the label in {accuracy:.0%} of rows "
                f"({baseline:.0%} without it): a model may learn the {column}, not the stance",
                figures={"column": column, "accuracy": accuracy, "baseline": baseline},
            ))  # fmt: skip
    return found


def _label_findings(
    labels: Sequence[str], names: Sequence[str], groups: Sequence[str], splits: Sequence[str]
) -> list[Finding]:
    rows: Counter[str] = Counter()
    in_groups: dict[str, set[str]] = defaultdict(set)
    for label, group, split in zip(labels, groups, splits, strict=True):
        if split == "train":
            rows[label] += 1
            in_groups[label].add(group)
    found = []
    for name in names:
        n, g = rows[name], len(in_groups[name])
        figures = {"label": name, "rows": n, "groups": g}
        if n == 0:
            found.append(Finding(kind="missing", message=f"label {name} is missing from train", figures=figures))  # fmt: skip
        elif n < SMALL_ROWS or g < SMALL_GROUPS:
            found.append(Finding(
                kind="small", message=f"label {name} is too small to learn: {n} training rows in {g} "
                f"groups (at least {SMALL_ROWS} in {SMALL_GROUPS} wanted)", figures=figures,
            ))  # fmt: skip
    return found


def cue_gain(
    labels: Sequence[str], values: Sequence[str | None], groups: Sequence[str]
) -> tuple[float | None, float, float]:
    """Return how much better a column predicts the label than the commonest label does, and both accuracies.

    Each group's rows are predicted from the rows of other groups: by the commonest label among those with
    the same value, else the commonest of all. The gain is null where fewer than two values are known or
    there is one group.
    """
    known = [row for row, value in enumerate(values) if value is not None]
    if len({values[row] for row in known}) < 2 or len({groups[row] for row in known}) < 2:
        return None, math.nan, math.nan
    answers, answer_of = np.unique([labels[row] for row in known], return_inverse=True)
    group_of = np.unique([groups[row] for row in known], return_inverse=True)[1]
    value_of = np.unique([str(values[row]) for row in known], return_inverse=True)[1]
    everywhere = np.zeros_like(value_of)
    with_cue = _left_out_accuracy(answer_of, value_of, group_of, len(answers))
    without = _left_out_accuracy(answer_of, everywhere, group_of, len(answers))
    return round(with_cue - without, 6), round(with_cue, 6), round(without, 6)


def _left_out_accuracy(
    answer_of: npt.NDArray[np.intp],
    value_of: npt.NDArray[np.intp],
    group_of: npt.NDArray[np.intp],
    n_answers: int,
) -> float:
    overall = np.bincount(answer_of, minlength=n_answers)
    by_value = np.zeros((value_of.max() + 1, n_answers))
    np.add.at(by_value, (value_of, answer_of), 1)
    cells, cell_of = np.unique(np.stack([group_of, value_of]), axis=1, return_inverse=True)
    inside = np.zeros((cells.shape[1], n_answers))
    np.add.at(inside, (cell_of.ravel(), answer_of), 1)
    in_group = np.zeros((group_of.max() + 1, n_answers))
    np.add.at(in_group, (group_of, answer_of), 1)
    others = by_value[cells[1]] - inside
    fallback = overall - in_group[cells[0]]
    predicted = np.where(others.any(axis=1), others.argmax(axis=1), fallback.argmax(axis=1))
    return float(inside[np.arange(len(predicted)), predicted].sum() / len(answer_of))
