"""A 48-job sweep with frozen vectors, with the cache of vectors and without it.

    python benchmarks/sweep.py ../shared/benchmarks/semeval2016.jsonl.gz ENCODER_FOLDER [JOBS_WITHOUT]

Every job trains and cross-validates `minilm_per_target` with another C. With the cache all 48 jobs are run,
the first of which fills it. Without it JOBS_WITHOUT jobs (48 by default) are run, each with an empty cache, and
the time of 48 is their mean times 48.
"""

import shutil
import sys
import time
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from onrecord.cli import main as onrecord

JOBS = 48


def run(*words: str) -> None:
    with redirect_stdout(StringIO()):
        assert onrecord(words) == 0, words


def main(rows: str, encoder: str, without: int = JOBS) -> None:
    values = [f"{c:.4f}" for c in np.geomspace(0.05, 20, JOBS)]
    rows, encoder = str(Path(rows).resolve()), str(Path(encoder).resolve())
    train = (
        "train",
        "workspace=ws",
        "model=minilm_per_target",
        f"encoder={encoder}",
        "cache=cache",
    )
    with TemporaryDirectory() as folder, chdir(folder):
        run("build", "source=rows", f"rows={rows}", "workspace=ws", "split=fixed")
        run("train", "workspace=ws", "model=majority")  # imports are not what is measured
        start = time.perf_counter()
        run(train[0], "-m", *train[1:], f"classifier.C={','.join(values)}")
        cached = time.perf_counter() - start
        shutil.rmtree("experiments")
        took = []
        for value in values[:without]:
            shutil.rmtree("cache", ignore_errors=True)
            start = time.perf_counter()
            run(*train, f"classifier.C={value}")
            took.append(time.perf_counter() - start)
            print(f"one job without: {took[-1]:.1f} s", flush=True)
        bare = sum(took) / len(took) * JOBS
    print(
        f"{JOBS} jobs with the cache: {cached:.0f} s; without ({without} run): {bare:.0f} s; {bare / cached:.1f} times as long"
    )


if __name__ == "__main__":
    main(*sys.argv[1:3], *map(int, sys.argv[3:]))
