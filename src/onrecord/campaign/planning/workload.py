"""The workload of a plan, and the precision with which it will measure agreement."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from onrecord.core.intervals import too_few_groups
from onrecord.core.records import PlanRow

LABELS = 4  # of the question that the width is predicted for, equally frequent
CORRELATION = 0.05  # of two tasks' disagreement within a group of articles
TRIALS = 20_000


def predict_half_width(
    n_tasks: int, n_groups: int, overlap: int, *, alpha: float = 0.7, seed: int = 0
) -> float:
    """Return half the width of the 95 % interval to expect around nominal alpha; infinite without an overlap.

    Annotators are assumed to be equally good and to err at random, at the rate that gives this alpha;
    alpha = 1 - D/E, with D the mean share of disagreeing pairs in a task. Tasks of one group are assumed to be
    correlated by CORRELATION, which widens the interval by the design effect of Kish (1965).
    """
    if overlap < 2 or n_tasks < 2:
        return float("inf")
    by_chance = 1 - 1 / LABELS
    right = 1 / LABELS + np.sqrt(alpha) * by_chance  # so that two agree with probability 1 - D
    rng = np.random.default_rng(seed)
    wrong = rng.random((TRIALS, overlap)) > right
    answers = np.where(wrong, rng.integers(1, LABELS, (TRIALS, overlap)), 0)
    pairs = [(a, b) for a in range(overlap) for b in range(a)]
    disagreement = np.mean([answers[:, a] != answers[:, b] for a, b in pairs], axis=0)
    effect = 1 + (n_tasks / max(1, n_groups) - 1) * CORRELATION
    return float(1.96 * disagreement.std() / by_chance * np.sqrt(max(1.0, effect) / n_tasks))


def plan_page(
    rows: Sequence[PlanRow],
    *,
    title: str,
    seconds_per_task: float,
    group_of: Mapping[str, str | None],
    alpha: float,
    notes: Sequence[str] = (),
) -> str:
    """Return ``plan.md``: tasks and expected hours by annotator, and the expected width of agreement's interval."""
    annotators = list(dict.fromkeys(row["annotator"] for row in rows))
    purposes = [p for p in ("main", "check", "repeat", "qualification") if _of(rows, purpose=p)]
    lines = [
        f"# Plan of the campaign “{title}”",
        "",
        "| annotator | " + " | ".join(purposes) + " | without suggestion | tasks | hours |",
        "|---|" + "---:|" * (len(purposes) + 3),
    ]
    for annotator in [*annotators, None]:
        mine = [r for r in rows if annotator in (None, r["annotator"])]
        bare = sum(not r["suggestion_shown"] for r in mine)
        cells = [len(_of(mine, purpose=p)) for p in purposes] + [bare, len(mine)]
        hours = f"{len(mine) * seconds_per_task / 3600:.1f}"
        lines.append(f"| {annotator or 'all'} | {' | '.join(map(str, cells))} | {hours} |")
    lines += [
        "",
        f"Hours at {seconds_per_task:g} seconds a task.",
        "",
        *_overlaps(rows, group_of, alpha),
    ]
    lines += [f"- {note}" for note in notes]
    return "\n".join(lines) + "\n"


def _overlaps(
    rows: Sequence[PlanRow], group_of: Mapping[str, str | None], alpha: float
) -> list[str]:
    times = Counter(row["sentence_id"] for row in _of(rows, purpose="main"))
    lines = ["## What agreement to expect", ""]
    for overlap, count in sorted(Counter(times.values()).items()):
        lines.append(f"- {count} sentences by {overlap} annotator{'s' * (overlap > 1)} each")
    several = {s: k for s, k in times.items() if k > 1}
    if not several:
        return [*lines, "- no sentence is annotated twice: agreement cannot be measured"]
    groups = {group_of[s] for s in several}
    least = min(several.values())
    width = predict_half_width(len(several), len(groups), least, alpha=alpha)
    lines.append(
        f"- {len(several)} sentences in {len(groups)} groups measure agreement: an alpha of {alpha:.2f} will "
        f"have a 95 % interval of about ±{width:.2f} (equally good annotators, {LABELS} labels, correlation "
        f"{CORRELATION:g} within a group)"
    )
    if reason := too_few_groups(len(groups)):
        lines.append(f"- {reason}: no interval will be given")
    return lines


def _of(rows: Sequence[PlanRow], *, purpose: str) -> list[PlanRow]:
    return [row for row in rows if row["purpose"] == purpose]
