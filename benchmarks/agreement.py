"""Alpha with an interval from 10,000 replicates on 100,000 annotations, beside loops over two peers.

Ours is timed from the arrays of task, annotator and label to the interval. The peers recompute alpha from
the resampled annotations, as one would; they are timed on a few replicates, and the whole is that many
times longer (said in the output; one of them needs `pip install crowd-kit`). Then 5 million rows through the command line. All times are processor time.
"""

import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from crowdkit.metrics.data import alpha_krippendorff
from krippendorff import alpha as package_alpha

from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import coefficient, counts_of

REPLICATES, PEER_REPLICATES = 10_000, 5


def made(tasks: int, annotators: int = 3, per_group: int = 20) -> Answers:
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 4, tasks)
    votes = np.where(
        generator.random((annotators, tasks)) < 0.7,
        truth,
        generator.integers(0, 4, (annotators, tasks)),
    )
    who, what = np.divmod(np.arange(votes.size), tasks)
    return Answers(
        what, who, votes.ravel(), [str(t) for t in range(tasks)], [f"a{i}" for i in range(annotators)],
        list("abcd"), np.arange(tasks) // per_group,
    )  # fmt: skip


def resampled(answers: Answers, seed: int) -> np.ndarray:
    """The tasks of groups drawn with replacement."""
    generator = np.random.default_rng(seed)
    members = np.split(np.arange(len(answers.tasks)), np.flatnonzero(np.diff(answers.group)) + 1)
    return np.concatenate([members[g] for g in generator.integers(0, len(members), len(members))])


def of_package(answers: Answers, tasks: np.ndarray) -> float:
    return package_alpha(value_counts=counts_of(answers)[tasks], level_of_measurement="nominal")


def of_crowd(answers: Answers, tasks: np.ndarray) -> float:
    votes = answers.label.reshape(len(answers.annotators), -1)[:, tasks]
    who, what = np.divmod(np.arange(votes.size), len(tasks))
    return alpha_krippendorff(pd.DataFrame({"task": what, "worker": who, "label": votes.ravel()}))


def main() -> None:
    answers = made(33_334)
    coefficient(made(300), level="nominal")
    started = time.process_time()
    found = coefficient(answers, level="nominal")
    ours = time.process_time() - started
    print(
        f"{found['n_annotations']:,} annotations, {found['n_groups']:,} groups, {REPLICATES:,} replicates; "
        "seconds of processor"
    )
    print(
        f"ours: {ours:.2f} s; alpha {found['alpha']:.6f} [{found['low']:.4f}, {found['high']:.4f}]"
    )
    for name, function in (("krippendorff", of_package), ("crowd-kit", of_crowd)):
        whole = function(answers, np.arange(len(answers.tasks)))
        started = time.process_time()
        for seed in range(PEER_REPLICATES):
            function(answers, resampled(answers, seed))
        each = (time.process_time() - started) / PEER_REPLICATES
        print(
            f"{name}: alpha {whole:.6f}; {each:.3f} s a replicate, so {each * REPLICATES:,.0f} s for {REPLICATES:,}: "
            f"{each * REPLICATES / ours:,.0f} times ours"
        )
    million_rows()


def million_rows(rows: int = 5_000_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.csv"
        answers = made(rows // 5, 5)
        with path.open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(["task", "annotator", "label", "group"])
            out.writerows(
                (int(t), f"a{a}", answers.labels[k], int(t) // 20)
                for t, a, k in zip(answers.task, answers.annotator, answers.label, strict=True)
            )
        size = path.stat().st_size / 1e6
        command = [
            sys.executable,
            "-m",
            "onrecord",
            "agree",
            f"annotations={path}",
            f"workspace={folder}/ws",
        ]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6
    print(f"{rows:,} rows ({size:.0f} MB of csv), 50,000 groups, everything `agree` does: {seconds:.0f} s, {peak:.1f} GB at the peak")  # fmt: skip


if __name__ == "__main__":
    main()
