"""What a split leaks, and what a reader of its scores must know.

A *leak* is something that training rows share with held-out rows: a group, an article, or a sentence that
reads the same or nearly so. A *finding* is no fault of the split but limits what a score can mean: a label
missing from train, a class too small, an outlet or a speaker that predicts the label.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from onrecord.core.leakage_units import NearSame
from onrecord.dataset.dataset_info import AuditSummary, Finding, SplitConfig
from onrecord.dataset.features import Columns
from onrecord.dataset.splitting.assign import Assigned, MergedGroup
from onrecord.dataset.splitting.strategies import HELD_OUT

SMALL_ROWS, SMALL_GROUPS = 30, 3  # a class with fewer training rows or groups is too small to learn


class Leak(TypedDict):
    """A sentence of one split that reads like one of another: ``gone`` is the copy that goes under drop.

    ``similarity`` is 1 for the same words, else as in `core.leakage_units.NearSame`.
    """

    kind: str
    gone: str
    stays: str
    splits: list[str]
    similarity: float


class Audit(AuditSummary):
    """``audit.json``. ``groups`` and ``articles`` that are in two parts, with the parts; ``dropped`` sentences.

    ``units`` counts the leakage units and the groups that they join. ``boilerplate`` are sentences that recur over
    so many groups that these are not joined: one row of each counts, and they are proposed as furniture.
    ``left_out`` are the sentences that are not in the dataset for another reason: reason → sentence ids.
    """

    split: SplitConfig
    near_same: float
    min_words: int
    groups: dict[str, list[str]]
    articles: dict[str, list[str]]
    sentences: list[Leak]
    dropped: list[str]
    joined: list[MergedGroup]
    units: dict[str, int]
    boilerplate: list[list[str]]
    left_out: dict[str, list[str]]


def audit_splits(
    assigned: Assigned,
    split: SplitConfig,
    question: str,
    names: Sequence[str],
    left_out: dict[str, list[str]],
    *,
    near: float,
    min_words: int,
    on_leak: str,
    minimum_gain: float,
) -> Audit:
    """Return the audit of the assigned rows; ``names`` are the labels of ``question``.

    It fails where a group or an article is in two parts, and under ``on_leak="fail"`` where a sentence is.
    """
    columns = assigned.columns
    parts = [str(part) for part in columns.get("fold", columns["split"])]
    held_out = HELD_OUT if "fold" not in columns else dict.fromkeys(parts, 0)
    groups = straddling(columns["group_id"], parts)
    articles = straddling(columns["article_id"], parts) if "article_id" in columns else {}
    leaks = sentence_leaks(columns["sentence_id"], assigned.near_same, parts, held_out)
    dropped = [leak["gone"] for leak in leaks] if on_leak == "drop" else []
    kinds = Counter(leak["kind"] for leak in leaks)
    found = findings(columns, set(dropped), question, names, minimum_gain=minimum_gain)
    units = {"groups": len(set(columns["group_id"])), "units": len(set(columns["unit_id"])), "joined": assigned.joined}  # fmt: skip
    return Audit(
        split=split, on_leak=on_leak, near_same=near, min_words=min_words,
        passed=not groups and not articles and not (leaks and on_leak == "fail"),
        summary=f"{len(groups)} groups and {len(articles)} articles in two parts, "
        f"{kinds['same']} same and {kinds['near']} near-same sentences in two; {units['joined']} groups joined by "
        f"sentences, {units['units']} units in all",
        units=units, boilerplate=[[columns["sentence_id"][row] for row in rows] for rows in assigned.boilerplate],
        groups=groups, articles=articles, sentences=leaks, dropped=dropped, joined=assigned.merged_groups,
        findings=found + strategy_findings(columns, split["name"]), left_out=left_out,
    )  # fmt: skip


def audit_summary(audit: Audit) -> AuditSummary:
    """Return the part of the audit that goes with the dataset."""
    return AuditSummary(
        summary=audit["summary"], on_leak=audit["on_leak"], findings=audit["findings"], passed=audit["passed"]
    )  # fmt: skip


def sentence_leaks(
    ids: Sequence[str], found: NearSame, splits: Sequence[str], held_out: Mapping[str, int]
) -> list[Leak]:
    """Return the sentences that read (nearly) the same as one of another split.

    The one in the less held-out split (``held_out``: split → rank; at equal ranks the later row) is the one
    to go. One leak is given for each row that would have to go, with its nearest counterpart, in the
    order of the rows.
    """
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row in sorted(np.flatnonzero(found.text_of >= 0).tolist(), key=lambda row: (-held_out[splits[row]], row)):  # fmt: skip
        rows_of[int(found.text_of[row])].append(row)
    best: dict[int, tuple[float, bool, int]] = {}
    for rows in rows_of.values():
        for row in rows[1:]:
            if splits[row] != splits[rows[0]]:
                best[row] = (1.0, True, rows[0])
    for pair in found.pairs:
        first, second = sorted((rows_of[text] for text in pair[:2]), key=lambda rows: (-held_out[splits[rows[0]]], rows[0]))  # fmt: skip
        for row in second:
            if splits[row] != splits[first[0]]:
                best[row] = max(best.get(row, (0.0, False, -1)), (pair[2], False, first[0]), key=lambda b: b[:2])  # fmt: skip
    return [
        Leak(
            kind="same" if same else "near", gone=ids[row], stays=ids[stays],
            splits=[splits[row], splits[stays]], similarity=round(similarity, 3),
        )
        for row, (similarity, same, stays) in sorted(best.items())
    ]  # fmt: skip


def findings(
    columns: Columns,
    dropped: set[str],
    question: str,
    names: Sequence[str],
    *,
    minimum_gain: float = 0.1,
) -> list[Finding]:
    """Return what limits the meaning of scores on the rows that stay, labels first. Copies count once."""
    counted = zip(columns["sentence_id"], columns["is_copy"], strict=True)
    rows = [
        i for i, (sentence, is_copy) in enumerate(counted) if sentence not in dropped and not is_copy
    ]  # fmt: skip
    labels = [columns[question][i] for i in rows]
    groups = [columns["group_id"][i] for i in rows]
    found = label_findings(labels, names, groups, [columns["split"][i] for i in rows])
    for cue, name in (("outlet", "outlet"), ("speaker", "suggested_speaker")):
        if name in columns:
            values = [columns[name][i] for i in rows]
            found += cue_findings(cue, values, labels, groups, minimum_gain)
    return found


def strategy_findings(columns: Columns, strategy: str) -> list[Finding]:
    """Return where copies, or assignments kept from before, break what a split by outlet or date promises.

    >>> columns = {"outlet": ["X", "X"], "split": ["train", "test"]}
    >>> strategy_findings(columns, "by_outlet")[0]["message"]
    "outlet X is in test and train, through copies of others' stories or splits kept from before"
    """
    found = []
    if strategy == "by_outlet":
        for outlet, where in straddling(columns["outlet"], columns["split"]).items():
            found.append(Finding(
                kind="outlet", message=f"outlet {outlet} is in {' and '.join(where)}, through copies of "
                "others' stories or splits kept from before", figures={"outlet": outlet, "splits": where},
            ))  # fmt: skip
    if strategy == "by_date":
        newest: dict[tuple[str, str], str] = {}
        rows = zip(columns["group_id"], columns["split"], columns["published"], strict=True)
        for group, split, date in rows:
            newest[split, group] = max(newest.get((split, group), ""), date[:10])
        first = {
            s: min((d for (t, _), d in newest.items() if t == s), default="x") for s in HELD_OUT
        }
        for (split, group), date in sorted(newest.items()):
            later = [s for s in HELD_OUT if HELD_OUT[s] > HELD_OUT[split] and first[s] <= date]
            if later:
                found.append(Finding(
                    kind="date", message=f"group {group} of {date} is in {split}, though {' and '.join(later)} "
                    f"begins on {first[later[0]]}", figures={"group": group, "date": date, "split": split},
                ))  # fmt: skip
    return found


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


def cue_findings(
    cue: str,
    values: Sequence[str | None],
    labels: Sequence[str],
    groups: Sequence[str],
    minimum_gain: float,
) -> list[Finding]:
    """Return the finding that ``cue`` (outlet, speaker) predicts the label, or none.

    It does if its accuracy is higher than the commonest label's by ``minimum_gain`` (a share of the rows) or
    more, each group's rows being predicted from the other groups alone.
    """
    gain, accuracy, baseline = cue_gain(labels, values, groups)
    if gain is None or gain < minimum_gain:
        return []
    return [Finding(
        kind="cue", message=f"{cue} alone predicts the label in {accuracy:.0%} of rows "
        f"({baseline:.0%} without it): a model may learn the {cue}, not the stance",
        figures={"column": cue, "accuracy": accuracy, "baseline": baseline},
    )]  # fmt: skip


def label_findings(
    labels: Sequence[str], names: Sequence[str], groups: Sequence[str], splits: Sequence[str]
) -> list[Finding]:
    """Return which labels are missing from train, or too small there to be learnt."""
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
