"""Planted label errors, found again: precision at 50.

    python benchmarks/label_errors.py DATASET_FOLDER ENCODER_FOLDER

DATASET_FOLDER is what `onrecord build source=rows rows=gwsd-train.jsonl.gz split=kfold split.k=5 on_leak=report`
makes. A twentieth and a tenth of the labels, chosen at random, are given another label at random.
"""

import sys
from dataclasses import replace

import numpy as np
from hydra import compose, initialize_config_dir

from onrecord import ROOT
from onrecord.cli.runner import plain
from onrecord.experiment.cross_validation import grouped_folds, out_of_fold
from onrecord.experiment.data import read_examples
from onrecord.experiment.label_errors import error_margins, rank_label_errors
from onrecord.experiment.models.embeddings import attach_vectors
from onrecord.experiment.models.registry import fit_model, make_model


def main(dataset: str, encoder: str) -> None:
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        spec = plain(compose("train", overrides=["model=tfidf_minilm_target"]).model)
    spec["per_target"] = False
    examples = attach_vectors(read_examples(dataset), encoder, None)
    folds = grouped_folds(examples, 5, 1)
    print("| planted | seed | in doubt | precision at 50 | by margin instead | chance |")
    print("|---|---|---|---|---|---|")
    for share in (0.05, 0.1):
        for seed in (1, 2, 3):
            generator = np.random.default_rng(seed)
            count = round(share * len(examples.frame))
            planted = generator.choice(len(examples.frame), count, replace=False)
            labels = examples.labels.copy()
            labels[planted] = (
                labels[planted] + generator.integers(1, len(examples.names), count)
            ) % len(examples.names)
            spoilt = replace(examples, frame=examples.frame.assign(label=labels))
            held_out = out_of_fold(spoilt, folds, lambda part: fit_model(make_model(spec), part))
            rows = rank_label_errors(spoilt, held_out.probabilities)
            ids = set(examples.frame["id"].iloc[planted])
            found = np.mean([row["id"] in ids for row in rows[:50]])
            margin, _ = error_margins(held_out.probabilities, labels)
            by_margin = np.isin(np.argsort(-margin)[:50], planted).mean()
            print(
                f"| {share:.0%} ({count}) | {seed} | {len(rows)} | {found:.2f} | {by_margin:.2f} | {share:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
