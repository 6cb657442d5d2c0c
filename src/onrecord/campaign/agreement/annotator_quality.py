"""How far each annotator can be relied on: agreement with the rest, known answers, repeats, pace, bias.

Annotator models (Dawid-Skene, MACE) come from crowd-kit, the extra ``reliability``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from onrecord.campaign.agreement.bootstrap import CELLS, MIN_GROUPS, interval, weights
from onrecord.campaign.agreement.coefficients import Counts
from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import counts_of
from onrecord.core.errors import BadInput

OUTLYING = 3.5  # robust z-scores of the logarithm of seconds: Iglewicz & Hoaglin (1993)
REPLICATES = 2000  # of each person's intervals, which are many


def shares_with_intervals(
    hits: NDArray[np.float64], of: NDArray[np.float64], groups: NDArray[np.int64], *, seed: int
) -> list[dict[str, Any]]:
    """Return ``value`` = sum of a column of hits / sum of ``of``, with intervals over groups where there are enough.

    ``hits`` has shape (n, columns), ``of`` and ``groups`` (n,). Null where ``of`` sums to nothing.
    """  # fmt: skip
    whole, kept = float(of.sum()), of != 0
    found: list[dict[str, Any]] = [
        {"value": None, "low": None, "high": None, "n": int(kept.sum())}
        for _ in range(hits.shape[1])
    ]
    if whole <= 0:
        return found
    for row, total in zip(found, hits.sum(axis=0), strict=True):
        row["value"] = float(total / whole)
    codes, at = np.unique(groups[kept], return_inverse=True)
    if len(codes) < MIN_GROUPS:
        return found
    above = np.stack([np.bincount(at, column) for column in hits[kept].T], axis=1)
    below = np.bincount(at, of[kept])
    generator = np.random.default_rng(seed)
    drawn = []
    batch = max(1, CELLS // len(codes))
    for start in range(0, REPLICATES, batch):
        w = weights(np.ones(len(codes), dtype=np.int64), min(batch, REPLICATES - start), generator)
        n = w @ below
        drawn.append((w @ above) / np.where(n > 0, n, np.nan)[:, None])
    for row, column in zip(found, np.concatenate(drawn).T, strict=True):
        ends = interval(column)
        row |= {"low": ends["low"], "high": ends["high"]}
    return found


def agreement_with_rest(answers: Answers, *, seed: int) -> dict[str, dict[str, Any]]:
    """Return per annotator the mean share of a task's other annotators who gave the same label."""
    same, others = with_the_rest(answers)
    share = np.where(others > 0, same / np.maximum(others, 1), 0.0)
    return {
        name: shares_with_intervals(
            share[mine][:, None], (others[mine] > 0).astype(float), answers.group[answers.task[mine]], seed=seed
        )[0]
        for code, name in enumerate(answers.annotators)
        if len(mine := np.flatnonzero(answers.annotator == code))
    }  # fmt: skip


def with_the_rest(answers: Answers) -> tuple[Counts, Counts]:
    """Return, per annotation, how many others gave its task the same label, and how many others there are."""
    counts = counts_of(answers)
    return counts[answers.task, answers.label] - 1, counts[answers.task].sum(axis=1) - 1


def label_bias(answers: Answers, *, seed: int) -> dict[str, dict[str, Any]]:
    """Return per annotator and label: own share of it less the share that the rest give it on the same tasks.

    Above 0 the annotator uses the label more than the others do. Labels that neither used are left out.
    """  # fmt: skip
    counts = counts_of(answers)
    found: dict[str, dict[str, Any]] = {}
    for code, name in enumerate(answers.annotators):
        mine = np.flatnonzero(answers.annotator == code)
        rest = counts[answers.task[mine]].copy()
        rest[np.arange(len(mine)), answers.label[mine]] -= 1
        n = rest.sum(axis=1)
        mine, rest, n = mine[n > 0], rest[n > 0], n[n > 0]
        if not len(mine):
            continue
        own = np.eye(len(answers.labels))[answers.label[mine]]
        lean = own - rest / n[:, None]
        groups = answers.group[answers.task[mine]]
        intervals = shares_with_intervals(lean, np.ones(len(mine)), groups, seed=seed)
        found[name] = {
            label: intervals[k]
            for k, label in enumerate(answers.labels)
            if own[:, k].any() or rest[:, k].any()
        }
    return found


def check_scores(
    rows: Iterable[Mapping[str, Any]], known: Mapping[str, Mapping[str, str | None]]
) -> dict[str, dict[str, Any]]:
    """Return per annotator and question the share of right answers to tasks whose answers are ``known``."""
    right: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for question, answer in known.get(row["sentence_id"], {}).items():
            if question in row["labels"]:
                right[row["annotator"]][question].append(row["labels"][question] == answer)
    return {
        annotator: {q: {"value": float(np.mean(hits)), "n": len(hits)} for q, hits in of.items()}
        for annotator, of in right.items()
    }


def consistency(
    repeats: Iterable[Mapping[str, Any]], main: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return per annotator and question how often a task met again was answered as at first."""
    first = {(row["annotator"], row["sentence_id"]): row["labels"] for row in main}
    same: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for row in repeats:
        for question, answer in first.get((row["annotator"], row["sentence_id"]), {}).items():
            same[row["annotator"]][question].append(row["labels"].get(question) == answer)
    return {
        annotator: {q: {"value": float(np.mean(hits)), "n": len(hits)} for q, hits in of.items()}
        for annotator, of in same.items()
    }


def pace(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return per annotator the median seconds a task, and how many tasks were far too fast or too slow.

    Far: the logarithm of the seconds lies OUTLYING robust z-scores (median, MAD) from that of all annotators.
    """  # fmt: skip
    timed = [row for row in rows if row["seconds"]]
    if not timed:
        return {}
    logs = np.log([row["seconds"] for row in timed])
    middle = np.median(logs)
    spread = 1.4826 * np.median(np.abs(logs - middle)) or np.inf
    z = (logs - middle) / spread
    found = {}
    for name in sorted({row["annotator"] for row in timed}):
        mine = np.array([row["annotator"] == name for row in timed])
        found[name] = {
            "seconds": float(np.exp(np.median(logs[mine]))), "n": int(mine.sum()),
            "too_fast": int((z[mine] < -OUTLYING).sum()), "too_slow": int((z[mine] > OUTLYING).sum()),
        }  # fmt: skip
    return found


def models(answers: Answers, *, seed: int) -> dict[str, dict[str, float]]:
    """Return per annotator the skill that Dawid-Skene and MACE give them, as chances between 0 and 1.

    ``dawid_skene``: how likely their answer is the true label, over the labels as common as the model finds
    them. ``mace``: how likely they answer by the task rather than by habit.
    """  # fmt: skip
    frame, annotators, labels = _frame(answers)
    dawid_skene = _crowd().DawidSkene(n_iter=100).fit(frame)
    mace = _crowd().MACE(n_restarts=5, n_iter=50, random_state=seed).fit(frame)
    errors, priors = dawid_skene.errors_, dawid_skene.priors_
    knows = mace.spamming_[:, 1] / mace.spamming_.sum(axis=1)
    found = {}
    for code, annotator in enumerate(annotators):
        right = sum(
            priors.get(k, 0.0) * errors.at[(code, k), k] for k in range(len(labels)) if (code, k) in errors.index
        )  # fmt: skip
        found[annotator] = {"dawid_skene": float(right), "mace": float(knows[code])}
    return found


def probabilities(answers: Answers) -> dict[str, dict[str, float]]:
    """Return ``task → label → probability`` by one-coin Dawid-Skene, the best of those in benchmarks/aggregation.md."""
    frame, _, labels = _frame(answers)
    chances = _crowd().OneCoinDawidSkene(n_iter=100).fit_predict_proba(frame)
    return {
        answers.tasks[task]: {labels[k]: float(p) for k, p in row.dropna().items()}
        for task, row in chances.iterrows()
    }


def _frame(answers: Answers) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return crowd-kit's table with the names that its codes for annotators and labels stand for.

    Codes count up in order of appearance: crowd-kit 1.4.2's MACE numbers annotators and labels by appearance in
    one place and by sorting in another, and mixes them up wherever the two orders differ.
    """
    annotators, of_annotator = pd.factorize(answers.annotator)
    labels, of_label = pd.factorize(answers.label)
    frame = pd.DataFrame({"task": answers.task, "worker": annotators, "label": labels})
    return (
        frame,
        [answers.annotators[code] for code in of_annotator],
        [answers.labels[code] for code in of_label],
    )


def _crowd() -> Any:
    try:
        from crowdkit import aggregation  # noqa: PLC0415 (an extra, and 4 s to import)
    except ImportError as error:
        raise BadInput(
            "annotator models need crowd-kit: install `onrecord[reliability]`"
        ) from error
    return aggregation
