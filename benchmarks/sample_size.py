"""Does a pilot predict the width that is observed? On gwsd-train: 8 annotators a sentence.

Pilots of 200 and of 300 sentences predict the width of alpha's interval for 400, 800 and 1,500 sentences and for
3, 5 and 8 annotators a sentence; subsamples of that size, drawn from the others, then show it (jackknife). gwsd-train has no article groups, so sentences are drawn one by one.
"""

import gzip
import json
import sys

import numpy as np

from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import coefficient
from onrecord.campaign.planning.sample_size import read_pilot

LABELS = ["against", "favor", "neutral"]
REPEATS = 100
PILOTS = (200, 300)


def answers_of_votes(votes: np.ndarray) -> Answers:
    tasks, people = votes.shape
    what, who = np.divmod(np.arange(votes.size), people)
    return Answers(
        what, who, votes.ravel(), [str(t) for t in range(tasks)], [str(p) for p in range(people)], LABELS,
        np.arange(tasks)
    )  # fmt: skip


def main(path: str) -> None:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        votes = np.array([[LABELS.index(v) for v in json.loads(line)["votes"]] for line in file])
    generator = np.random.default_rng(1)
    print(
        "| sentences | annotators | shown |",
        " | ".join(f"pilots of {n}, mean | single ones" for n in PILOTS),
        "|",
    )
    print("|---|---|---|" + "---|---|" * len(PILOTS))
    off = {size: [] for size in PILOTS}
    for people in (3, 5, 8):
        for tasks in (400, 800, 1500):
            predicted, shown = {size: [] for size in PILOTS}, []
            for repeat in range(REPEATS):
                order = generator.permutation(len(votes))
                for size in PILOTS:
                    pilot = answers_of_votes(votes[order[:size]])
                    width = read_pilot(pilot, annotators=people, seed=repeat).alpha.width(tasks, 1)
                    predicted[size].append(width)
                drawn = generator.permuted(votes[order[max(PILOTS) :][:tasks]], axis=1)[:, :people]
                found = coefficient(
                    answers_of_votes(drawn),
                    level="nominal",
                )
                shown.append(found["high"] - found["low"])
            really = np.mean(shown)
            cells = []
            for size, widths in predicted.items():
                off[size] += list(np.abs(np.array(widths) / really - 1))
                low, high = np.min(widths) / really - 1, np.max(widths) / really - 1
                cells.append(f"{np.mean(widths) / really - 1:+.1%} | {low:+.0%} to {high:+.0%}")
            print(f"| {tasks:,} | {people} | {really:.4f} | {' | '.join(cells)} |", flush=True)
    for size, errors in off.items():
        within = np.mean(np.array(errors) <= 0.15)
        print(
            f"pilots of {size}: {within:.1%} of {len(errors)} within 15 %, half within "
            f"{np.median(errors):.1%}, worst {max(errors):.1%}"
        )


if __name__ == "__main__":
    main(sys.argv[1])
