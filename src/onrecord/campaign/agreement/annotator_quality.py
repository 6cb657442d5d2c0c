"""The quality of each annotator: agreement with the rest, known answers, repeats, pace, label bias.

Annotator models (Dawid-Skene, MACE) come from crowd-kit, the extra ``reliability``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import counts_of
from onrecord.core.agreement_report import CountedShare, Pace
from onrecord.core.errors import BadInput
from onrecord.core.intervals import Floats, Ints, Scale, Score, effective_groups, interval
from onrecord.core.records import Annotation

OUTLYING = 3.5  # robust z-scores of the logarithm of seconds: Iglewicz & Hoaglin (1993)


def shares_with_intervals(hits: Floats, of: Floats, groups: Ints, scale: Scale) -> list[Score]:
    """Return ``value`` = sum of a column of hits / sum of ``of``, with intervals over groups if there are enough.

    ``hits`` has shape (n, columns), ``of`` and ``groups`` (n,). Null where ``of`` sums to nothing.
    """
    kept = of != 0
    _, at = np.unique(groups[kept], return_inverse=True)
    above = np.stack([np.bincount(at, column) for column in hits[kept].T], axis=1)
    below = np.bincount(at, of[kept]).astype(np.float64)
    values = above.sum(axis=0) / below.sum() if len(below) else np.full(hits.shape[1], np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        without = (above.sum(axis=0) - above) / (below.sum() - below)[:, None]
    n, groups_worth = int(kept.sum()), float(effective_groups(below))
    return [
        {**interval(float(value), column, scale, groups=groups_worth), "n": n}
        for value, column in zip(values, without.T, strict=True)
    ]


def agreement_with_rest(answers: Answers) -> dict[str, Score]:
    """Return per annotator the mean share of a task's other annotators who gave the same label."""
    same, others = matches_with_rest(answers)
    share = np.where(others > 0, same / np.maximum(others, 1), 0.0)
    return {
        name: shares_with_intervals(
            share[mine][:, None], (others[mine] > 0).astype(float), answers.group[answers.task[mine]], "share"
        )[0]
        for name, mine in answers.by_annotator.items()
    }  # fmt: skip


def matches_with_rest(answers: Answers) -> tuple[Floats, Floats]:
    """Return, per annotation, how many others gave its task the same label, and how many others there are."""
    counts = counts_of(answers)
    return counts[answers.task, answers.label] - 1, counts[answers.task].sum(axis=1) - 1


def label_bias(answers: Answers) -> dict[str, dict[str, Score]]:
    """Return per annotator and label: their share of it less the share of the rest on the same tasks.

    Above 0 the annotator uses the label more than the others. Labels that neither used are left out.
    """
    counts = counts_of(answers)
    found: dict[str, dict[str, Score]] = {}
    for name, given in answers.by_annotator.items():
        mine = given[counts[answers.task[given]].sum(axis=1) > 1]
        rest = counts[answers.task[mine]].copy()
        rest[np.arange(len(mine)), answers.label[mine]] -= 1
        n = rest.sum(axis=1)
        if not len(mine):
            continue
        own = np.eye(len(answers.labels))[answers.label[mine]]
        lean = own - rest / n[:, None]
        groups = answers.group[answers.task[mine]]
        intervals = shares_with_intervals(lean, np.ones(len(mine)), groups, "difference")
        found[name] = {
            label: intervals[k]
            for k, label in enumerate(answers.labels)
            if own[:, k].any() or rest[:, k].any()
        }
    return found


def check_scores(
    rows: Iterable[Annotation], known: Mapping[str, Mapping[str, str | None]]
) -> dict[str, dict[str, CountedShare]]:
    """Return per annotator and question the share of right answers to tasks whose answers are ``known``."""
    return _shares(
        (row["annotator"], question, row["labels"][question] == answer)
        for row in rows
        for question, answer in known.get(row["sentence_id"], {}).items()
        if question in row["labels"]
    )


def consistency(
    repeats: Iterable[Annotation], main: Iterable[Annotation]
) -> dict[str, dict[str, CountedShare]]:
    """Return per annotator and question how often a repeated task was answered as it was first."""
    first = {(row["annotator"], row["sentence_id"]): row["labels"] for row in main}
    return _shares(
        (row["annotator"], question, row["labels"].get(question) == answer)
        for row in repeats
        for question, answer in first.get((row["annotator"], row["sentence_id"]), {}).items()
    )


def _shares(hits: Iterable[tuple[str, str, bool]]) -> dict[str, dict[str, CountedShare]]:
    """Return annotator → question → the share of hits, from ``(annotator, question, hit)``."""
    found: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for annotator, question, hit in hits:
        found[annotator][question].append(hit)
    return {
        annotator: {q: {"value": float(np.mean(own)), "n": len(own)} for q, own in of.items()}
        for annotator, of in found.items()
    }


def pace(rows: Sequence[Annotation]) -> dict[str, Pace]:
    """Return per annotator the median seconds a task, and how many tasks were far too fast or too slow.

    Far: the logarithm of the seconds lies OUTLYING robust z-scores (median, MAD) from that of all annotators.
    """
    timed = [row for row in rows if row["seconds"]]
    if not timed:
        return {}
    logs = np.log([row["seconds"] or 0.0 for row in timed])
    middle = np.median(logs)
    spread = 1.4826 * np.median(np.abs(logs - middle)) or np.inf
    z = (logs - middle) / spread
    found: dict[str, Pace] = {}
    for name in sorted({row["annotator"] for row in timed}):
        mine = np.array([row["annotator"] == name for row in timed])
        found[name] = {
            "seconds": float(np.exp(np.median(logs[mine]))), "n": int(mine.sum()),
            "too_fast": int((z[mine] < -OUTLYING).sum()), "too_slow": int((z[mine] > OUTLYING).sum()),
        }  # fmt: skip
    return found


def annotator_models(answers: Answers, *, seed: int) -> dict[str, dict[str, float]]:
    """Return per annotator the skill that Dawid-Skene and MACE estimate, as probabilities.

    ``dawid_skene``: that their answer is the true label, labels as frequent as the model estimates. ``mace``:
    that they answer by the task rather than by habit.
    """
    frame, annotators, labels = _frame(answers)
    dawid_skene = _crowd_kit().DawidSkene(n_iter=100).fit(frame)
    mace = _crowd_kit().MACE(n_restarts=5, n_iter=50, random_state=seed).fit(frame)
    errors, priors = dawid_skene.errors_, dawid_skene.priors_
    knows = mace.spamming_[:, 1] / mace.spamming_.sum(axis=1)
    found = {}
    for code, annotator in enumerate(annotators):
        right = sum(
            priors.get(k, 0.0) * errors.at[(code, k), k] for k in range(len(labels)) if (code, k) in errors.index
        )  # fmt: skip
        found[annotator] = {"dawid_skene": float(right), "mace": float(knows[code])}
    return found


def label_probabilities(answers: Answers) -> dict[str, dict[str, float]]:
    """Return ``task → label → probability`` by one-coin Dawid-Skene, the best model in benchmarks/aggregation.md."""
    frame, _, labels = _frame(answers)
    chances = _crowd_kit().OneCoinDawidSkene(n_iter=100).fit_predict_proba(frame)
    return {
        answers.tasks[task]: {labels[k]: float(p) for k, p in row.dropna().items()}
        for task, row in chances.iterrows()
    }


def _frame(answers: Answers) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return crowd-kit's table, and the names of its codes for annotators and for labels.

    Codes count up in order of appearance: MACE in crowd-kit 1.4.2 numbers annotators and labels by appearance
    in one place and sorted in another, and confuses them where the two orders differ.
    """
    annotators, of_annotator = pd.factorize(answers.annotator)
    labels, of_label = pd.factorize(answers.label)
    frame = pd.DataFrame({"task": answers.task, "worker": annotators, "label": labels})
    return (
        frame,
        [answers.annotators[code] for code in of_annotator],
        [answers.labels[code] for code in of_label],
    )


def _crowd_kit() -> Any:
    try:
        from crowdkit import aggregation  # noqa: PLC0415 (an extra, and 4 s to import)
    except ImportError as error:
        raise BadInput(
            "annotator models need crowd-kit: install `onrecord[reliability]`"
        ) from error
    return aggregation
