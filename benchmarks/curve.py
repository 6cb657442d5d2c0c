"""The learning curve's promise, checked: fit on half of the sentences, predict the whole, and look.

    python benchmarks/curve.py DATASET_FOLDER

DATASET_FOLDER is what `onrecord build source=rows rows=gwsd-train.jsonl.gz split=kfold split.k=5 on_leak=report`
makes. The half is drawn by group; what the whole gives is measured in the same way.
"""

import sys
from functools import partial

import numpy as np
from hydra import compose, initialize_config_dir

from onrecord import ROOT
from onrecord.cli.runner import plain
from onrecord.experiment.curve import make_curve
from onrecord.experiment.data import read_examples
from onrecord.experiment.models.registry import fit_model, make_model


def main(dataset: str) -> None:
    examples = read_examples(dataset)
    examples = examples.where(np.ones(len(examples.frame), dtype=bool))
    examples.frame["fold"] = None  # folds anew in each repeat
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        spec = plain(compose("train", overrides=["model=tfidf_logreg"]).model)
    measure = partial(
        make_curve, fit=lambda part: fit_model(make_model(spec), part), measure="macro_f1",
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
