"""The learning curve's promise, checked: fit on half of the sentences, predict the whole, and look.

    python benchmarks/curve.py DATASET_FOLDER

DATASET_FOLDER is what `onrecord build source=rows rows=gwsd-train.jsonl.gz split=kfold split.k=5 on_leak=report`
makes. The half is drawn by group; what the whole gives is measured in the same way.
"""

import sys
from functools import partial

import numpy as np

from onrecord.experiment.curve import make_curve
from onrecord.experiment.data import read_examples
from onrecord.experiment.models.registry import fit_model, make_model

FEATURES = {
    "words": {"kind": "ngrams", "unit": "word", "low": 1, "high": 2, "min_df": 1},
    "chars": {"kind": "ngrams", "unit": "char", "low": 2, "high": 5, "min_df": 2},
}
LOGREG = {
    "kind": "logreg",
    "C": 1.0,
    "class_weight": "balanced",
    "solver": "newton-cg",
    "max_iter": 200,
}


def main(dataset: str) -> None:
    examples = read_examples(dataset)
    examples = examples.where(np.ones(len(examples.frame), dtype=bool))
    examples.frame["fold"] = None  # folds anew in each repeat
    measure = partial(
        make_curve, fit=lambda part: fit_model(make_model(FEATURES, LOGREG), part), measure="macro_f1",
        folds=5, repeats=3, replicates=2000,
    )  # fmt: skip
    whole = measure(examples, shares=[0.5, 0.75, 1.0], more=[0], seed=9)["points"][-1]
    print(
        "| half drawn with seed | of the half | promised for the whole | the whole gave | off by |"
    )
    print("|---|---|---|---|---|")
    for seed in (1, 2, 3):
        groups = np.unique(examples.groups.astype(str))
        kept = np.random.default_rng(seed).choice(groups, len(groups) // 2, replace=False)
        half = examples.where(np.isin(examples.groups.astype(str), kept))
        sizes = [0.1, 0.2, 0.4, 0.6, 0.8, 1.0]
        more = whole["size"] - round(len(half.frame) * 0.8)
        found = measure(half, shares=sizes, more=[more], seed=seed)
        now, told = found["points"][-1], found["extrapolation"][0]
        print(
            f"| {seed} | {now['value']:.3f} at {now['size']} | {told['value']:.3f} [{told['low']:.3f}, "
            f"{told['high']:.3f}] at {told['size']} | {whole['value']:.3f} | {told['value'] - whole['value']:+.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1])
