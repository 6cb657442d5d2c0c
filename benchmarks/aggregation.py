"""Which aggregation by default, and how sure it may be: public crowd sets with gold, whole and thinned.

python benchmarks/aggregation.py ../shared/benchmarks/crowd [--draws 5]

A line of FOLDER/NAME.jsonl.gz has item, annotator, label and gold (null: not known). Models and their correlation are
chosen on CHOSEN_ON and reported on the other sets. Where the top labels tie, each is right by its share. The former
default, one-coin Dawid-Skene, runs where crowd-kit is installed (`pip install crowd-kit`).
"""

import argparse
import gzip
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from onrecord.campaign.agreement.aggregation import (
    CORRELATIONS,
    DEFAULT,
    MODELS,
    calibrated,
    tempered,
    vote_shares,
)
from onrecord.campaign.agreement.long_table import Answers

try:
    from crowdkit.aggregation import OneCoinDawidSkene
except ImportError:
    OneCoinDawidSkene = None

CHOSEN_ON = ("bluebird", "cf_amt", "dog", "rte")  # the first four of the alphabet
SIZES = (0, 5, 3)  # labels an item at most; 0: all


def read(path):
    """The answers, and the code of each item's gold, -1 where it is not known."""
    with gzip.open(path, "rt") as lines:
        frame = pd.DataFrame(map(json.loads, lines))
    task, tasks = pd.factorize(frame["item"], sort=True)
    annotator, annotators = pd.factorize(frame["annotator"], sort=True)
    label, labels = pd.factorize(frame["label"], sort=True)
    gold = np.full(len(tasks), -1)
    gold[task] = pd.Index(labels).get_indexer(frame["gold"])
    names = ([str(n) for n in own] for own in (tasks, annotators, labels))
    return Answers(task, annotator, label, *names, np.arange(len(tasks))), gold


def thinned(answers, size, seed):
    """The answers with at most ``size`` an item, drawn at random; 0 leaves all."""
    if not size:
        return answers
    order = np.random.default_rng(seed).permutation(len(answers.task))
    rank = np.empty(len(order), dtype=int)
    rank[order] = pd.Series(answers.task[order]).groupby(answers.task[order]).cumcount()
    return answers.only(rank < size)


def one_coin(answers):
    """crowd-kit's posterior; its codes must count up by appearance."""
    worker, label = pd.factorize(answers.annotator)[0], pd.factorize(answers.label)
    frame = pd.DataFrame({"task": answers.task, "worker": worker, "label": label[0]})
    found = OneCoinDawidSkene(n_iter=100).fit_predict_proba(frame)
    posterior = np.zeros((len(answers.tasks), len(answers.labels)))
    posterior[np.ix_(found.index, label[1][found.columns])] = found.fillna(0)
    return posterior


def posteriors(answers):
    found = {"vote": vote_shares(answers)}
    found |= {name: model(answers).posterior for name, model in MODELS.items()}
    if OneCoinDawidSkene:
        found["one-coin (crowd-kit)"] = one_coin(answers)
    return found


def score(posterior, gold, left_out=()):
    """Per item with gold: right, claimed, and cross-entropy (of at least 1e-6)."""
    kept = gold >= 0
    kept[list(left_out)] = False
    p, own = posterior[kept], gold[kept]
    tie = np.isclose(p, p.max(axis=1, keepdims=True), atol=1e-9)
    at = np.arange(len(own))
    return np.stack(
        [tie[at, own] / tie.sum(axis=1), p.max(axis=1), -np.log(np.maximum(p[at, own], 1e-6))]
    )


def summary(scores):
    """Accuracy, mean claimed, calibration error over ten bins, cross-entropy."""
    right, claimed, loss = scores
    place = np.minimum((claimed * 10).astype(int), 9)
    gap = np.bincount(place, claimed - right, 10)
    return np.array([right.mean(), claimed.mean(), np.abs(gap).sum() / len(right), loss.mean()])


def table(columns, rows):
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        cells = (f"{v:.3f}" if isinstance(v, float) else str(v) for v in row)
        print(f"| {' | '.join(cells)} |", flush=True)


def skewed(seed, skills, overlap, shares=(0.8, 0.1, 0.06, 0.04), tasks=400):
    """A simulated campaign of unequal labels: answers and truth."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(len(shares), tasks, p=shares)
    who = np.array([generator.permutation(len(skills))[:overlap] for _ in truth]).ravel()
    task = np.repeat(np.arange(tasks), overlap)
    right = generator.random(len(who)) < np.array(skills)[who]
    label = np.where(right, truth[task], generator.integers(len(shares), size=len(who)))
    names = ([str(i) for i in range(n)] for n in (tasks, len(skills), len(shares)))
    return Answers(task, who, label, *names, np.arange(tasks)), truth


def main(folder, draws):
    sets = {path.name.split(".")[0]: read(path) for path in sorted(folder.glob("*.jsonl.gz"))}
    reported = [name for name in sets if name not in CHOSEN_ON]
    cells = {}  # set, size, draw → answers, gold, posteriors
    for name, (whole, gold) in sets.items():
        for size in SIZES:
            for draw in range(draws if size else 1):
                answers = thinned(whole, size, draw)
                cells[name, size, draw] = answers, gold, posteriors(answers)
    models = list(next(iter(cells.values()))[2])

    def mean_over(names, size, function):
        own = [function(*cell) for (n, s, _), cell in cells.items() if n in names and s == size]
        return np.mean(own, axis=0)

    def of(model, correlation=None):
        def function(answers, gold, found):
            posterior = found[model]
            if correlation is not None:
                posterior = tempered(answers, posterior, correlation)
            return summary(score(posterior, gold))

        return function

    print("\n## Right, by set")
    accuracy = {
        (name, size): [float(mean_over([name], size, of(model))[0]) for model in models]
        for name in (*CHOSEN_ON, *reported)
        for size in SIZES
    }
    table(
        ["set", "labels an item", *models],
        [[name, size or "all", *row] for (name, size), row in accuracy.items()],
    )
    for what, names in (("chosen on", CHOSEN_ON), ("reported", reported)):
        own = np.array([row for (name, _), row in accuracy.items() if name in names])
        print(f"\n{what}: {', '.join(names)}")
        lines = []
        for at, model in enumerate(models):
            correlations = (0.0,) if model == "vote" else CORRELATIONS
            losses = [
                np.mean([mean_over([n], s, of(model, c))[3] for n in names for s in SIZES])
                for c in correlations
            ]
            below = int((own[:, at] < own[:, 0] - 1e-9).sum())
            best = int(np.argmin(losses))
            lines.append(
                [model, float(own[:, at].mean()), f"{below} of {len(own)}", float(losses[0]),
                 float(losses[best]), correlations[best]]
            )  # fmt: skip
        table(
            ["model", "right", "cells below the vote", "cross-entropy", "tempered", "at correlation"],
            lines,
        )  # fmt: skip

    print(
        f"\n## The default, {DEFAULT.model} at correlation {DEFAULT.correlation}, on the reported sets"
    )
    shown = {
        "vote": of("vote"), f"{DEFAULT.model} as fitted": of(DEFAULT.model),
        f"{DEFAULT.model} tempered": of(DEFAULT.model, DEFAULT.correlation),
    }  # fmt: skip
    if OneCoinDawidSkene:
        shown["one-coin (crowd-kit)"] = of("one-coin (crowd-kit)")
    table(
        ["set", "labels an item", "model", "right", "claimed", "calibration error", "cross-entropy"],
        [
            [name, size or "all", model, *map(float, mean_over([name], size, function))]
            for name in reported
            for size in SIZES
            for model, function in shown.items()
        ],
    )  # fmt: skip

    print("\n## Claimed against observed, reported sets, 3 to all labels an item")
    edges = np.array([0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0000001])
    bins = {}
    for model, correlation in (
        ("vote", None),
        (DEFAULT.model, None),
        (DEFAULT.model, DEFAULT.correlation),
    ):
        parts = []
        for (name, size, _), (answers, gold, found) in cells.items():
            if name in reported:
                p = (
                    found[model]
                    if correlation is None
                    else tempered(answers, found[model], correlation)
                )
                right, claimed, _ = score(p, gold)
                parts.append((right, claimed, np.full(len(right), 1 / draws if size else 1.0)))
        right, claimed, weight = np.concatenate(parts, axis=1)
        place = np.digitize(claimed, edges) - 1
        n = np.bincount(place, weight, len(edges) - 1)
        sums = (np.bincount(place, v * weight, len(edges) - 1) for v in (claimed, right))
        bins[model if correlation is None else f"{model} tempered"] = [
            f"{c / k:.3f} → {r / k:.3f} ({k:,.0f})" if k else "–" for k, c, r in zip(n, *sums, strict=True)
        ]  # fmt: skip
    table(
        ["claimed", *bins],
        [
            [f"{low:g} to {min(high, 1):g}", *(own[i] for own in bins.values())]
            for i, (low, high) in enumerate(pairwise(edges))
        ],
    )

    print("\n## Chosen and calibrated on known answers, scored on the other tasks; all seven sets")
    lines = []
    for names, what in ((CHOSEN_ON, "chosen on"), (reported, "reported")):
        for known in (0, 20, 50, 100):
            rows = {"default": [], "by known answers": []}
            for (name, _, draw), (answers, gold, _) in cells.items():
                if name not in names:
                    continue
                usable = np.flatnonzero(gold >= 0)
                asked = np.random.default_rng(draw).permutation(usable)[
                    : min(known, len(usable) // 2)
                ]
                for label, given in (("default", []), ("by known answers", asked)):
                    right = {answers.tasks[t]: answers.labels[gold[t]] for t in given}
                    rows[label].append(summary(score(calibrated(answers, right)[0], gold, asked)))
            for label, own in rows.items():
                if known or label == "default":
                    lines.append([what, known, label, *map(float, np.mean(own, axis=0))])
    table(
        ["sets", "known", "choice", "right", "claimed", "calibration error", "cross-entropy"], lines
    )

    print("\n## Simulated: one label has .8 of the tasks; right, and cross-entropy tempered")
    lines = []
    for what, skills, overlap in (
        ("three of skill .8", (0.8,) * 3, 3),
        ("ten unequal, three a task", tuple(np.linspace(0.5, 0.95, 10)), 3),
        ("ten unequal, two a task", tuple(np.linspace(0.5, 0.95, 10)), 2),
    ):
        own = []
        for seed in range(draws):
            answers, truth = skewed(seed, skills, overlap)
            found = {"vote": vote_shares(answers)} | {
                name: tempered(answers, model(answers).posterior, DEFAULT.correlation)
                for name, model in MODELS.items()
            }
            own.append([summary(score(p, truth))[[0, 3]] for p in found.values()])
        lines.append([what, *(f"{r:.3f}, {loss:.2f}" for r, loss in np.mean(own, axis=0))])
    table(["campaign", "vote", *MODELS], lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--draws", type=int, default=5)
    given = parser.parse_args()
    main(given.folder, given.draws)
