"""Sentences a second of one core (CPU seconds, one thread) of the TF-IDF model; its file's size and load time.

python benchmarks/predict.py ../shared/benchmarks/gwsd-train.jsonl.gz
"""

import gzip
import json
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import skops.io
from hydra import compose, initialize_config_dir
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from onrecord import ROOT
from onrecord.cli.runner import plain
from onrecord.experiment.models.registry import (
    label_probabilities,
    load_model,
    make_model,
    save_model,
)
from onrecord.experiment.models.text_features import Ngrams

CHARS = {"analyzer": "char_wb", "ngram_range": (2, 5), "min_df": 2, "sublinear_tf": True}


def timed(function, *arguments, times=5):
    """Return the median of some runs, in seconds."""
    took = []
    for _ in range(times):
        start = time.process_time()
        function(*arguments)
        took.append(time.process_time() - start)
    return statistics.median(took)


def main(path: str) -> None:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts = [row["text"] for row in rows]
    labels = np.unique([row["label"] for row in rows], return_inverse=True)[1]
    many = texts * 10
    frame = pd.DataFrame({"text": texts, "target": "t"})
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        spec = plain(compose("train", overrides=["model=tfidf_logreg"]).model)
    model = make_model(spec)
    with threadpool_limits(1), TemporaryDirectory() as folder:
        model.fit(frame, labels)
        whole = timed(label_probabilities, model, pd.DataFrame({"text": many, "target": "t"}), 3)
        print(
            f"{len(many):,} sentences of {np.mean([len(t) for t in texts]):.0f} characters, one core"
        )
        print(f"the TF-IDF model: {len(many) / whole:,.0f} sentences/s")
        file = Path(folder) / "model.skops"
        save_model(model, file)
        print(
            f"its file: {file.stat().st_size / 1e6:.1f} MB, {timed(load_model, file):.2f} s to load"
        )
        for name, vectorizer in (
            ("Ngrams", Ngrams(**CHARS)),
            ("TfidfVectorizer", TfidfVectorizer(**CHARS)),
        ):
            vectorizer.fit(texts)
            skops.io.dump(vectorizer, file)
            types = skops.io.get_untrusted_types(file=file)
            loading = timed(lambda trusted: skops.io.load(file, trusted=trusted), types)
            size = f"{file.stat().st_size / 1e6:.1f} MB, {loading:.2f} s to load"
            print(f"{len(vectorizer.vocabulary_):,} n-grams of characters, {name}: {size}")


if __name__ == "__main__":
    main(sys.argv[1])
