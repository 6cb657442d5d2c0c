"""Is the width that a pilot foretells the one that is really shown? On gwsd-train: 8 people a sentence.

A pilot of 200 sentences foretells the width of alpha's interval for 400, 800 and 1,600 sentences and for 3, 5
and 8 annotators a sentence; subsamples of that size, drawn anew, then show it (bootstrap, 2,000 replicates).
gwsd-train has no article groups, so sentences are drawn one by one.
"""

import gzip
import json
import sys

import numpy as np

from onrecord.campaign.enough import predicted_widths
from onrecord.campaign.long_table import Answers
from onrecord.campaign.measure import coefficient

LABELS = ["against", "favor", "neutral"]
REPEATS = 20


def answers_of_votes(votes: np.ndarray) -> Answers:
    tasks, people = votes.shape
    what, who = np.divmod(np.arange(votes.size), people)
    return Answers(
        what, who, votes.ravel(), [str(t) for t in range(tasks)], [str(p) for p in range(people)], LABELS,
        np.arange(tasks), tasks,
    )  # fmt: skip


def main(path: str) -> None:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        votes = np.array([[LABELS.index(v) for v in json.loads(line)["votes"]] for line in file])
    generator = np.random.default_rng(1)
    print(
        "| sentences | annotators | foretold by pilots of 200 | shown | ratio |\n|---|---|---|---|---|"
    )
    for people in (3, 5, 8):
        for tasks in (400, 800, 1600):
            foretold, shown = [], []
            for repeat in range(REPEATS):
                order = generator.permutation(len(votes))
                pilot = answers_of_votes(votes[order[:200]])
                foretold.append(
                    predicted_widths(pilot, tasks=tasks, annotators=people, seed=repeat)["alpha"]
                )
                drawn = generator.permuted(votes[order[200 : 200 + tasks]], axis=1)[:, :people]
                found = coefficient(
                    answers_of_votes(drawn), level="nominal", replicates=2000, seed=1
                )
                shown.append(found["high"] - found["low"])
            ratio = np.mean(foretold) / np.mean(shown)
            print(
                f"| {tasks:,} | {people} | {np.mean(foretold):.4f} (single pilots {np.min(foretold):.4f} to "
                f"{np.max(foretold):.4f}) | {np.mean(shown):.4f} | {ratio:.3f} |"
            )


if __name__ == "__main__":
    main(sys.argv[1])
