"""``agree``: agreement between annotators per question, with intervals over groups of articles.

Figures are given without furniture first, with it second: by-lines and captions are easy, and inflate
agreement.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from onrecord import __version__
from onrecord.campaign import agree_page
from onrecord.campaign.coefficients import (
    MIN_GROUPS, WIDE_GROUPS, Level, alpha, bootstrap_alpha, cohen_kappa, distances, gwet_ac1, interval,
    label_counts, percent_agreement, specific_agreement, sums_by_group, why_undefined,
)  # fmt: skip
from onrecord.campaign.long_table import Answers, answers_of, answers_of_annotations, read_long
from onrecord.records import (
    ARTICLES, SENTENCES, Annotation, BadInput, CheckFailed, counted_annotations, file_sha256, read_jsonl,
    read_parquet, require, text_sha256, write_json, write_text,
)  # fmt: skip
from onrecord.scheme import load_scheme


def coefficient(answers: Answers, *, level: Level, replicates: int, seed: int) -> dict[str, Any]:
    """Return alpha with its interval, or null with the reason, and what it rests on.

    Below MIN_GROUPS groups there is no interval; below WIDE_GROUPS it is flagged as narrow.
    """
    counts = label_counts(answers.task, answers.label, len(answers.tasks), len(answers.labels))
    n = counts.sum(axis=1)
    pairable = n >= 2
    found: dict[str, Any] = {
        "alpha": None, "low": None, "high": None,
        "n_tasks": int((n > 0).sum()), "n_pairable": int(pairable.sum()),
        "n_annotations": int(n.sum()), "n_groups": len(np.unique(answers.group[pairable])),
        "unanimous": int((counts[pairable].max(axis=1) == n[pairable]).sum()) if pairable.any() else 0,
    }  # fmt: skip
    if reason := why_undefined(counts, answers.labels):
        return found | {"reason": reason}
    distance = distances(counts[pairable].sum(axis=0), level)
    _, groups = np.unique(answers.group, return_inverse=True)
    sums = sums_by_group(counts, groups, distance)
    present = sums.marginals.sum(axis=1) > 0
    sums = type(sums)(sums.marginals[present], sums.disagreement[present])
    found["alpha"] = float(alpha(sums.marginals.sum(axis=0), sums.disagreement.sum(), distance))
    if found["n_groups"] < MIN_GROUPS:
        return found | {"reason": f"{found['n_groups']} groups of articles, fewer than {MIN_GROUPS}"}
    drawn = bootstrap_alpha(sums, distance, replicates=replicates, seed=seed)
    found["low"], found["high"], found["undefined_replicates"] = interval(drawn)
    found["narrow"] = found["n_groups"] < WIDE_GROUPS
    return found


def measure(answers: Answers, *, level: Level, replicates: int, seed: int) -> dict[str, Any]:
    """Return everything said of one question: coefficients, per label, per pair, confusion."""
    found = coefficient(answers, level=level, replicates=replicates, seed=seed)
    counts = label_counts(answers.task, answers.label, len(answers.tasks), len(answers.labels))
    if not found["n_pairable"]:
        return found
    found["percent"] = percent_agreement(counts)
    found["ac1"] = gwet_ac1(counts) if len(answers.labels) > 1 else None
    specific = specific_agreement(counts)
    found["labels"] = {
        name: {"n": int(n), "specific": s}
        for name, n, s in zip(answers.labels, counts.sum(axis=0), specific, strict=True)
        if n
    }
    found["pairs"] = pair_kappas(answers)
    pairable = counts[counts.sum(axis=1) >= 2]
    both = pairable.T @ (pairable / (pairable.sum(axis=1, keepdims=True) - 1))
    np.fill_diagonal(both, 0)
    found["confused"] = sorted(
        (
            {"labels": [answers.labels[i], answers.labels[j]], "pairs": round(float(both[i, j]), 3)}
            for i, j in combinations(range(len(answers.labels)), 2)
            if both[i, j] > 0
        ),
        key=lambda row: -float(str(row["pairs"])),
    )
    return found


def pair_kappas(answers: Answers) -> list[dict[str, Any]]:
    """Return Cohen's kappa and the number of shared tasks for each pair of annotators."""
    by_annotator: list[dict[int, int]] = [{} for _ in answers.annotators]
    if len(answers.annotators) > 50:  # a crowd: thousands of pairs say nothing
        return []
    for t, a, label in zip(answers.task, answers.annotator, answers.label, strict=True):
        by_annotator[a][int(t)] = int(label)
    found = []
    for i, j in combinations(range(len(answers.annotators)), 2):
        shared = sorted(by_annotator[i].keys() & by_annotator[j].keys())
        if shared:
            first = np.array([by_annotator[i][t] for t in shared])
            second = np.array([by_annotator[j][t] for t in shared])
            kappa = cohen_kappa(first, second, len(answers.labels))
            pair = [answers.annotators[i], answers.annotators[j]]
            found.append({"pair": pair, "kappa": kappa, "n_tasks": len(shared)})
    return found


def disputes(questions: Mapping[str, Answers], most: int = 20) -> list[dict[str, Any]]:
    """Return the tasks on which most pairs of annotators disagree, with every answer."""
    votes: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for name, answers in questions.items():
        for t, a, label in zip(answers.task, answers.annotator, answers.label, strict=True):
            votes[answers.tasks[t]][name][answers.annotators[a]] = answers.labels[label]
    scored = []
    for task, by_question in votes.items():
        apart = 0.0
        for given in by_question.values():
            n, counts = len(given), Counter(given.values())
            if n > 1:
                apart += 1 - sum(c * (c - 1) for c in counts.values()) / (n * (n - 1))
        if apart:
            scored.append({"task": task, "disagreement": apart, "answers": by_question})
    return sorted(scored, key=lambda row: (-row["disagreement"], row["task"]))[:most]


def week(moment: str) -> str:
    """Return the ISO week of a moment.

    >>> week("2026-01-05T10:00:00Z")
    '2026-W02'
    """
    year, number, _ = date.fromisoformat(moment[:10]).isocalendar()
    return f"{year}-W{number:02d}"


def per_annotator(questions: Mapping[str, Answers], seconds: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return per annotator: how many tasks, agreement with the rest per question, median seconds a task."""
    found: dict[str, Any] = {}
    for name, answers in questions.items():
        counts = label_counts(answers.task, answers.label, len(answers.tasks), len(answers.labels))
        others = counts[answers.task].sum(axis=1) - 1
        same = counts[answers.task, answers.label] - 1
        for code, annotator in enumerate(answers.annotators):
            mine = (answers.annotator == code) & (others > 0)
            row = found.setdefault(annotator, {"agreement_with_rest": {}, "n_tasks": 0})
            row["n_tasks"] = max(row["n_tasks"], int((answers.annotator == code).sum()))
            share = float((same[mine] / others[mine]).mean()) if mine.any() else None
            row["agreement_with_rest"][name] = share
    for annotator, taken in seconds.items():
        found[annotator]["seconds"] = float(np.median(taken)) if len(taken) else None
    return found


def breakdown(answers: Answers, fact: str, *, seed: int) -> dict[str, Any]:
    """Return alpha within each value of a fact (a week, an outlet, a guidelines version), without intervals."""
    values = np.array(answers.facts[fact])
    return {
        str(value): {
            k: v
            for k, v in coefficient(
                answers.only(values == value), level="nominal", replicates=0, seed=seed
            ).items()
            if k in ("alpha", "n_tasks", "n_annotations", "reason") and v is not None
        }
        for value in sorted(set(answers.facts[fact]))
    } if len(set(answers.facts[fact])) else {}  # fmt: skip


def report_lines(questions: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Yield a line a question: alpha, its interval or the reason why there is none, what it rests on."""
    for name, q in questions.items():
        shown = "undefined" if q["alpha"] is None else f"{q['alpha']:.3f}"
        if q["low"] is not None:
            shown += f" [{q['low']:.3f}, {q['high']:.3f}]" + (" narrow" if q["narrow"] else "")
        elif "reason" in q:
            shown += f" (no interval: {q['reason']})" if q["alpha"] is not None else f": {q['reason']}"
        furniture = q.get("with_furniture")
        also = f"; with furniture {furniture['alpha']:.3f}" if furniture and furniture["alpha"] is not None else ""
        yield f"alpha of {name:<13} {shown}; {q['unanimous']} of {q['n_pairable']} unanimous{also}"
