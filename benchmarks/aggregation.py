"""Which aggregation by default: majority, Dawid-Skene (full and one-coin) or MACE, where the truth is known.

Campaigns are simulated: 300 tasks, four labels of unequal share, annotators of known skill and lean. The
score is the share of all tasks whose aggregated label is the true one; "majority, ties by lot" is the plurality with
ties broken at random. Our policy is no such lot: it leaves what has no majority to a person, so what it
decides is scored apart, beside Dawid-Skene on the same tasks. Ranges are 95 % percentile intervals of the mean over campaigns.

Then on public labels with stable annotator ids, whose truth nobody knows: each annotator is left out in turn, the
others' answers are aggregated, and the score is how often the one left out gave that label.
"""

import sys

import numpy as np
import pandas as pd
from crowdkit.aggregation import MACE, DawidSkene, OneCoinDawidSkene

TASKS, LABELS, SHARES = 300, 4, (0.4, 0.3, 0.2, 0.1)
SCENARIOS = {  # name: skills of the annotators, annotators a task, lean of the last toward label 0
    "three equal, all on every task": ((0.8, 0.8, 0.8), 3, 0.0),
    "three, one of them poor": ((0.85, 0.85, 0.45), 3, 0.0),
    "three, one of them leaning": ((0.85, 0.85, 0.75), 3, 0.4),
    "five unequal, all on every task": ((0.9, 0.85, 0.75, 0.6, 0.45), 5, 0.0),
    "ten unequal, three a task": (tuple(np.linspace(0.5, 0.95, 10)), 3, 0.0),
    "ten unequal, two a task": (tuple(np.linspace(0.5, 0.95, 10)), 2, 0.0),
}

# Dawid & Skene (1979), "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm", Table 1:
# 45 patients, graded 1 to 4 by five anaesthetists (of the first one's three readings, the first).
ANAESTHETISTS = """11111 34334 12122 23121 23222 23322 12111 33433 22223 22223 44444 23343 11111 23212 11111
    12111 11111 11111 22221 21322 22222 22221 23222 22222 11111 11111 22222 11111 11111 11121 11111 33233
    11111 22222 23232 44343 22232 23233 33432 11111 11111 12111 22222 11111 22222"""


def campaign(skills, overlap, lean, seed):
    """The true labels, and a table of task, worker, label whose codes count up by appearance."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(LABELS, TASKS, p=SHARES)
    rows = []
    for task, true in enumerate(truth):
        for who in sorted(generator.choice(len(skills), overlap, replace=False)):
            label = true if generator.random() < skills[who] else generator.integers(LABELS)
            if lean and who == len(skills) - 1 and generator.random() < lean:
                label = 0
            rows.append((task, int(who), int(label)))
    frame = pd.DataFrame(rows, columns=["task", "who", "answer"])
    frame["worker"] = pd.factorize(frame["who"])[0]
    frame["label"], names = pd.factorize(frame["answer"])
    return truth, frame[["task", "worker", "label"]], names


def majority(frame, seed=1):
    counts = frame.groupby(["task", "label"]).size().unstack(fill_value=0)
    lot = np.random.default_rng(seed).random(counts.shape) / 2
    return (counts + lot).idxmax(axis=1), 2 * counts.max(axis=1) > counts.sum(axis=1)


METHODS = {
    "majority, ties by lot": lambda f: majority(f)[0],
    "Dawid-Skene": lambda f: DawidSkene(n_iter=50).fit_predict(f),
    "one-coin": lambda f: OneCoinDawidSkene(n_iter=50).fit_predict(f),
    "MACE": lambda f: MACE(n_restarts=2, n_iter=25, random_state=1).fit_predict(f),
}


def main(campaigns: int) -> None:
    columns = [*METHODS, "our majority, where it decides", "Dawid-Skene there", "left to a person"]
    print(f"{campaigns} campaigns a row\n\n| campaign | {' | '.join(columns)} |")
    print("|---|" + "---|" * len(columns))
    for name, (skills, overlap, lean) in SCENARIOS.items():
        score = {column: [] for column in columns}
        for seed in range(campaigns):
            truth, frame, names = campaign(skills, overlap, lean, seed)
            right = {
                method: names[function(frame).reindex(range(TASKS)).to_numpy().astype(int)] == truth
                for method, function in METHODS.items()
            }
            decided = majority(frame)[1].reindex(range(TASKS)).to_numpy()
            for method, hits in right.items():
                score[method].append(hits.mean())
            score[columns[-3]].append(right["majority, ties by lot"][decided].mean())
            score[columns[-2]].append(right["Dawid-Skene"][decided].mean())
            score[columns[-1]].append(1 - decided.mean())
        print(f"| {name} | " + " | ".join(interval(v) for v in score.values()) + " |", flush=True)


def left_out() -> None:
    """Print, per method, how often the annotator who was left out gave the label that the others' answers give."""
    given = np.array([[int(grade) for grade in patient] for patient in ANAESTHETISTS.split()])
    print("\n| 45 patients, five anaesthetists | agrees with who was left out |\n|---|---|")
    for method, function in METHODS.items():
        hits = np.zeros(given.shape)
        for out in range(given.shape[1]):
            rows = [
                (task, who, grade)
                for task, grades in enumerate(given)
                for who, grade in enumerate(np.delete(grades, out))
            ]
            frame = pd.DataFrame(rows, columns=["task", "worker", "label"])
            codes, names = pd.factorize(frame["label"])
            found = function(frame.assign(label=codes)).reindex(range(len(given)))
            hits[:, out] = names[found.to_numpy().astype(int)] == given[:, out]
        print(f"| {method} | {interval(hits.mean(axis=1))} |", flush=True)


def interval(values) -> str:
    drawn = np.random.default_rng(0).choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{np.mean(values):.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
    left_out()
