"""Fit the classifier of indirect cues on the train half of polnear-dev and write it to the package."""

import argparse
from pathlib import Path

import numpy as np
from attribution import documents, spans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skops.io import dump

from onrecord.corpus.attribution.cue_classifier import features
from onrecord.corpus.attribution.sentence_speakers import SentenceSpeakers

TARGET = Path(__file__).parents[1] / "src/onrecord/corpus/attribution/cue_classifier.skops"


class Collecting(SentenceSpeakers):
    """An article that keeps what the rules would ask the classifier."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.asked = {}

    def _likely(self, sentence, row, cue, cues):
        first = sentence.paragraph == 0
        self.asked[sentence] = features(row, cue, cues=cues, first_paragraph=first)
        return 1.0


def examples(part: str):
    """Return the features' names, their values (cues, features), whether each cue's sentence is attributed, and its document."""
    rows, labels, groups = [], [], []
    for number, document in enumerate(documents(part)):
        article = Collecting(document["text"], spans(document))
        article.attribute()
        for sentence, reading in zip(document["sentences"], article.readings, strict=True):
            unclear = (
                sentence.get("resolved") == "pronoun_unresolved" or "attitude_holder" in sentence
            )
            if reading.sentence in article.asked and not unclear:
                rows.append(article.asked[reading.sentence])
                labels.append(sentence["speaker"] is not None)
                groups.append(number)
    values = np.array([[*row.values()] for row in rows], float)
    return [*rows[0]], values, np.array(labels), np.array(groups)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET)
    arguments = parser.parse_args()
    names, x, y, groups = examples("train")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=2000, tol=1e-8))
    folds = GroupKFold(5)
    p = cross_val_predict(model, x, y, groups=groups, cv=folds, method="predict_proba")[:, 1]
    precision, recall, cut = precision_recall_curve(y, p)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = int(f1[:-1].argmax())
    print(
        f"{len(y)} cues, {y.mean():.3f} attributed; out-of-fold F1 {f1[best]:.3f} at {cut[best]:.2f}"
    )
    model.fit(x, y)
    print("iterations", model[-1].n_iter_[0])
    for name, weight in sorted(
        zip(names, model[-1].coef_[0], strict=True), key=lambda w: -abs(w[1])
    ):
        print(f"{name:32}{weight:+.2f}")
    dump(model, arguments.out)
