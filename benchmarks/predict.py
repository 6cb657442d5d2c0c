"""Sentences a second of one core (CPU seconds, one thread): the TF-IDF model, and its vectoriser beside scikit-learn's.

python benchmarks/predict.py ../shared/benchmarks/gwsd-train.jsonl.gz
"""

import gzip
import json
import statistics
import sys
import time

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

from onrecord.experiment.models.registry import label_probabilities, make_model
from onrecord.experiment.ngrams import NgramTfidf

WORDS = {"kind": "ngrams", "unit": "word", "low": 1, "high": 2, "min_df": 1}
CHARS = {"kind": "ngrams", "unit": "char", "low": 2, "high": 5, "min_df": 2}


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
    model = make_model({"words": WORDS, "chars": CHARS}, {"kind": "logreg", "solver": "newton-cg"})
    with threadpool_limits(1):
        model.fit(frame, labels)
        whole = timed(label_probabilities, model, pd.DataFrame({"text": many, "target": "t"}), 3)
        print(
            f"{len(many):,} sentences of {np.mean([len(t) for t in texts]):.0f} characters, one core"
        )
        print(f"the TF-IDF model whole: {len(many) / whole:,.0f} sentences/s")
        for name, ours, peer in [
            ("words 1-2", NgramTfidf("word", 1, 2, 1), TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
            ("characters 2-5", NgramTfidf("char", 2, 5, 2),
             TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True)),
        ]:  # fmt: skip
            ours.fit(texts)
            peer.fit(texts)
            one, other = timed(ours.transform, many), timed(peer.transform, many)
            share = one / whole
            print(
                f"{name}: {len(many) / one:,.0f} sentences/s, scikit-learn {len(many) / other:,.0f} "
                f"({other / one:.1f} times as long); {share:.0%} of the model's time"
            )


if __name__ == "__main__":
    main(sys.argv[1])
