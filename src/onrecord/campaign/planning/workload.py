"""The workload of a plan, and the precision with which it will measure agreement."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from onrecord.core.intervals import interval_around, too_few_groups
from onrecord.core.records import PlanRow

LABELS = 4  # of the question that the width is predicted for, equally frequent
CORRELATION = 0.05  # of two tasks' disagreement within a group of articles
TRIALS = 20_000


def predict_interval(
    sizes: Sequence[int], overlap: int, *, alpha: float = 0.7, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval to expect around nominal alpha over groups of these ``sizes``, without a pilot.

    Annotators are assumed to be equally good and to err at random, at the rate that gives this alpha;
    alpha = 1 - D/E, with D the mean share of disagreeing pairs in a task. Tasks of one group are assumed to be
    correlated by CORRELATION, which widens the interval by the design effect of Kish (1965).
    """
    by_chance = 1 - 1 / LABELS
    right = 1 / LABELS + np.sqrt(alpha) * by_chance  # so that two agree with probability 1 - D
    rng = np.random.default_rng(seed)
    wrong = rng.random((TRIALS, overlap)) > right
    answers = np.where(wrong, rng.integers(1, LABELS, (TRIALS, overlap)), 0)
    pairs = [(a, b) for a in range(overlap) for b in range(a)]
    disagreement = np.mean([answers[:, a] != answers[:, b] for a, b in pairs], axis=0)
    per_group = sum(n * n for n in sizes) / sum(sizes)
    effect = 1 + (per_group - 1) * CORRELATION
    error = float(disagreement.std() / by_chance * np.sqrt(effect / sum(sizes)))
    return interval_around(alpha, error, sum(sizes) / per_group, "coefficient")


def measured_groups(
    rows: Sequence[PlanRow], group_of: Mapping[str, str | None]
) -> tuple[list[int], int]:
    """Return the sizes of the groups counted in sentences with several annotators, and the fewest annotators of one."""
    times = Counter(row["sentence_id"] for row in _of(rows, purpose="main"))
    several = {s: n for s, n in times.items() if n > 1}
    return list(Counter(group_of[s] for s in several).values()), min(several.values(), default=0)


def plan_page(
    rows: Sequence[PlanRow],
    *,
    title: str,
    seconds_per_task: float,
    group_of: Mapping[str, str | None],
    alpha: float,
    predicted: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """Return ``plan.md``: tasks and expected hours by annotator, and the expected width of agreement's interval.

    ``predicted`` is what a pilot predicts; without one the interval rests on assumptions, which are named.
    """
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
        *_overlaps(rows, group_of, alpha, predicted),
    ]
    lines += [f"- {note}" for note in notes]
    return "\n".join(lines) + "\n"


def _overlaps(
    rows: Sequence[PlanRow],
    group_of: Mapping[str, str | None],
    alpha: float,
    predicted: Sequence[str],
) -> list[str]:
    times = Counter(row["sentence_id"] for row in _of(rows, purpose="main"))
    lines = ["## What agreement to expect", ""]
    for overlap, count in sorted(Counter(times.values()).items()):
        lines.append(f"- {count} sentences by {overlap} annotator{'s' * (overlap > 1)} each")
    sizes, fewest = measured_groups(rows, group_of)
    if not sizes:
        return [*lines, "- no sentence is annotated twice: agreement cannot be measured"]
    lines.append(f"- {sum(sizes)} sentences in {len(sizes)} groups measure agreement")
    if reason := too_few_groups(len(sizes)):
        return [*lines, f"- {reason}: no interval will be given"]
    if predicted:
        return [*lines, *(f"- {line}" for line in predicted)]
    low, high = predict_interval(sizes, fewest, alpha=alpha)
    lines.append(
        f"- an alpha of {alpha:.2f} will have a 95 % interval of about [{low:.2f}, {high:.2f}], assumed that annotators "
        f"are equally good, {LABELS} labels equally frequent, and sentences of a group correlated by {CORRELATION:g}: "
        "a pilot's labels (pilot=FILE) put its own figures in the place of these"
    )
    return lines


def _of(rows: Sequence[PlanRow], *, purpose: str) -> list[PlanRow]:
    return [row for row in rows if row["purpose"] == purpose]
