"""A 48-job sweep on SemEval-2016, with features cached by content, and without.

    python benchmarks/sweep.py ../shared/benchmarks/semeval2016.jsonl.gz words
    python benchmarks/sweep.py ../shared/benchmarks/semeval2016.jsonl.gz vectors ENCODER_FOLDER
    python benchmarks/sweep.py ../shared/benchmarks/semeval2016.jsonl.gz mixed ENCODER_FOLDER

Two to four models by C and class weights: one command line with `-m`, all jobs in one process. With the cache all 48
jobs are run, from an empty cache on. Without it (`cached=false`) two jobs of each model are run (with `words` four),
spread over the grid, and a model's jobs are taken to cost their mean. Times are processor time.
"""

import sys
import time
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from onrecord.cli.app import main as onrecord

MODELS = {
    "words": ["tfidf_logreg", "tfidf_per_target", "tfidf_target"],
    "vectors": ["minilm_logreg", "minilm_per_target"],
    "mixed": ["tfidf_logreg", "tfidf_per_target", "minilm_per_target", "tfidf_minilm_target"],
}
WEIGHTS = ["balanced", "null"]
JOBS = 48


def run(*words: str) -> float:
    """Run a command line and return its processor time in seconds."""
    start = time.process_time()
    with redirect_stdout(StringIO()):
        assert onrecord(words) == 0, words
    return time.process_time() - start


def predictions() -> dict[str, bytes]:
    """Return what each run predicted out of fold, by the run's name."""
    return {p.parent.name: p.read_bytes() for p in Path("experiments/runs").glob("*/out_of_fold.parquet")}  # fmt: skip


def main(rows: str, kind: str, *encoder: str) -> None:
    models = MODELS[kind]
    each = JOBS // len(models)
    values = [f"{c:.4f}" for c in np.geomspace(0.1, 10, each // len(WEIGHTS))]
    grid = [(c, w) for w in WEIGHTS for c in values]
    sample = 4 if kind == "words" else 2
    rows = str(Path(rows).resolve())
    told = ["train", "workspace=ws", *(f"encoder={Path(e).resolve()}" for e in encoder)]
    with TemporaryDirectory() as folder, chdir(folder):
        run("build", "source=rows", f"rows={rows}", "workspace=ws", "split=fixed")
        run("train", "workspace=ws", "model=majority")  # imports are not what is measured
        sweep = [f"model={','.join(models)}", f"classifier.C={','.join(values)}", f"classifier.class_weight={','.join(WEIGHTS)}"]  # fmt: skip
        cached = run(told[0], "-m", *told[1:], *sweep, "cache=cache")
        kept = predictions()
        assert len(kept) == JOBS + 1
        size = sum(p.stat().st_size for p in Path("cache").rglob("*") if p.is_file())
        print(
            f"{JOBS} jobs with the cache: {cached:.0f} s ({size / 1e6:.0f} MB cached)", flush=True
        )
        Path("experiments/runs").rename("kept")
        bare = 0.0
        for model in models:
            took = [
                run(*told, f"model={model}", f"classifier.C={c}", f"classifier.class_weight={w}", "cached=false")
                for c, w in grid[:: len(grid) // sample]
            ]  # fmt: skip
            print(f"  {model}, a job without: {', '.join(f'{t:.1f}' for t in took)} s", flush=True)
            bare += each * sum(took) / len(took)
        same = all(kept[name] == made for name, made in predictions().items())
    print(
        f"{JOBS} jobs without: {bare:.0f} s ({sample * len(models)} run); {bare / cached:.1f} times as long"
    )
    print(f"predictions of those {sample * len(models)} are the same bytes: {same}")


if __name__ == "__main__":
    main(*sys.argv[1:])
