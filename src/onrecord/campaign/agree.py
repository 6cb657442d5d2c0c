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
from omegaconf import DictConfig

from onrecord import __version__
from onrecord.campaign import agree_page
from onrecord.campaign.coefficients import (
    MIN_GROUPS,
    WIDE_GROUPS,
    Level,
    alpha,
    bootstrap_alpha,
    cohen_kappa,
    distances,
    gwet_ac1,
    interval,
    label_counts,
    percent_agreement,
    specific_agreement,
    sums_by_group,
    why_undefined,
)  # fmt: skip
from onrecord.campaign.long_table import Answers, answers_of, answers_of_annotations, read_long
from onrecord.records import (
    ARTICLES,
    SENTENCES,
    Annotation,
    BadInput,
    CheckFailed,
    counted_annotations,
    file_sha256,
    read_jsonl,
    read_parquet,
    require,
    text_sha256,
    write_json,
    write_text,
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
        return found | {
            "reason": f"{found['n_groups']} groups of articles, fewer than {MIN_GROUPS}"
        }
    if not replicates:
        return found
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
    apart = [
        (round(float(both[i, j]), 3), answers.labels[i], answers.labels[j])
        for i, j in combinations(range(len(answers.labels)), 2)
        if both[i, j] > 0
    ]
    found["confused"] = [{"labels": [a, b], "pairs": n} for n, a, b in sorted(apart, reverse=True)]
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
    scored: list[tuple[float, str, dict[str, Any]]] = []
    for task, by_question in votes.items():
        apart = 0.0
        for given in by_question.values():
            n, counts = len(given), Counter(given.values())
            if n > 1:
                apart += 1 - sum(c * (c - 1) for c in counts.values()) / (n * (n - 1))
        if apart:
            scored.append((-apart, task, {q: dict(given) for q, given in by_question.items()}))
    return [
        {"task": task, "disagreement": -apart, "answers": by_question}
        for apart, task, by_question in sorted(scored, key=lambda row: row[:2])[:most]
    ]


def week(moment: str) -> str:
    """Return the ISO week of a moment.

    >>> week("2026-01-05T10:00:00Z")
    '2026-W02'
    """
    year, number, _ = date.fromisoformat(moment[:10]).isocalendar()
    return f"{year}-W{number:02d}"


def per_annotator(
    questions: Mapping[str, Answers], seconds: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
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
    } if set(answers.facts[fact]) else {}  # fmt: skip


def of_annotations(
    rows: Sequence[Mapping[str, Any]],
    sentences: Sequence[Mapping[str, Any]],
    outlets: Mapping[str, str | None],
    **settings: Any,
) -> tuple[dict[str, Any], dict[str, Answers]]:
    """Return the figures of every question of the scheme, without furniture first, and the answers."""
    scheme = load_scheme()
    groups = {s["sentence_id"]: s["group_id"] for s in sentences}
    furniture = {s["sentence_id"] for s in sentences if s["furniture"]}
    facts = {
        "guidelines": lambda row: row["guidelines_version"],
        "week": lambda row: week(row["created_at"]),
        "outlet": lambda row: outlets.get(row["sentence_id"].rpartition(":")[0]) or "unknown",
    }
    prose = [row for row in rows if row["sentence_id"] not in furniture]
    answers = answers_of_annotations(prose, scheme, groups, facts)
    everything = (
        answers_of_annotations(rows, scheme, groups, {}) if len(prose) < len(rows) else None
    )
    questions = {}
    for name, own in answers.items():
        found = measure(own, level="nominal", **settings)
        found["with_furniture"] = (
            coefficient(everything[name], level="nominal", **settings) if everything else None
        )
        for fact in facts:
            found[f"by_{fact}"] = breakdown(own, fact, seed=settings["seed"])
        questions[name] = found
    return questions, answers


def main(cfg: DictConfig) -> None:
    """Measure the workspace's annotations, or any long table, and write agreement.json and .html."""
    workspace = Path(cfg.workspace)
    settings = {"replicates": int(cfg.replicates), "seed": int(cfg.seed)}
    texts: dict[str, str] = {}
    if cfg.annotations:
        source = Path(cfg.annotations)
        tables = read_long(source)
        answers = {
            name: answers_of({c: t[c] for c in t.column_names}) for name, t in tables.items()
        }
        questions = {
            name: measure(own, level=cfg.level, **settings) for name, own in answers.items()
        }
        annotators = (
            per_annotator(answers, {}) if len(next(iter(answers.values())).annotators) <= 50 else {}
        )
        origin = None
    else:
        source = require(workspace / "annotations.jsonl", "collect")
        sentences = read_parquet(
            require(workspace / "sentences.parquet", "segment"), SENTENCES
        ).to_pylist()
        articles = read_parquet(
            require(workspace / "articles.parquet", "ingest"), ARTICLES
        ).to_pylist()
        texts = {s["sentence_id"]: s["text"] for s in sentences}
        rows = counted_annotations(
            read_jsonl(source, Annotation), {k: text_sha256(v) for k, v in texts.items()}
        )
        if not rows:
            raise BadInput(f"{source}: expected annotations that count, found none yet")
        outlets = {a["article_id"]: a["outlet"] for a in articles}
        questions, answers = of_annotations(rows, sentences, outlets, **settings)
        seconds = defaultdict(list)
        for row in rows:
            if row["seconds"] is not None:
                seconds[row["annotator"]].append(row["seconds"])
        annotators = per_annotator(answers, seconds)
        origin = cfg.campaign.origin
    report = {
        "questions": questions,
        "annotators": annotators,
        "origin": origin,
        "signature": {
            "annotations": file_sha256(source), "replicates": settings["replicates"],
            "seed": settings["seed"], "onrecord": __version__,
        },
    }  # fmt: skip
    write_json(workspace / "agreement.json", report)
    write_text(
        workspace / "agreement.html", agree_page.agreement_page(report, disputes(answers), texts)
    )
    print("\n".join(report_lines(questions)))
    print(f"{workspace / 'agreement.json'}, {workspace / 'agreement.html'}")
    if cfg.minimum is not None:
        low = [n for n, q in questions.items() if q["alpha"] is None or q["alpha"] < cfg.minimum]
        if low:
            raise CheckFailed(f"alpha below minimum={cfg.minimum}: {', '.join(low)}")


def report_lines(questions: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Yield a line a question: alpha, its interval or the reason why there is none, what it rests on."""
    for name, q in questions.items():
        shown = "undefined" if q["alpha"] is None else f"{q['alpha']:.3f}"
        if q["low"] is not None:
            shown += f" [{q['low']:.3f}, {q['high']:.3f}]" + (" narrow" if q["narrow"] else "")
        elif "reason" in q:
            shown += (
                f" (no interval: {q['reason']})" if q["alpha"] is not None else f": {q['reason']}"
            )
        furniture = q.get("with_furniture")
        also = (
            f"; with furniture {furniture['alpha']:.3f}"
            if furniture and furniture["alpha"] is not None
            else ""
        )
        yield f"alpha of {name:<13} {shown}; {q['unanimous']} of {q['n_pairable']} unanimous{also}"
