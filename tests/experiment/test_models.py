"""Models: what they take, what they refuse, and that they come back from a file as they were."""

import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io

from onrecord.core.errors import BadInput
from onrecord.experiment.data import Examples
from onrecord.experiment.models import estimators, registry
from onrecord.experiment.models.text_features import (
    Interactions,
    MarkTarget,
    make_features,
)
from onrecord.experiment.models.top_features import top_features

WORDS = {"words": {"kind": "ngrams", "unit": "word", "low": 1, "high": 1, "min_df": 1}}
TARGET_AWARE = {
    **WORDS,
    "chars": {"kind": "ngrams", "unit": "char", "low": 2, "high": 4, "min_df": 2, "weight": 0.5},
    "interactions": {"kind": "interactions", "unit": "word", "low": 1, "high": 1, "min_df": 1},
    "marked": {"kind": "marked", "letters": 5, "unit": "word", "low": 1, "high": 2, "min_df": 1},
    "speaker": {"kind": "category", "column": "speaker"},
}
LOGREG = {"kind": "logreg", "C": 10.0, "solver": "newton-cg", "max_iter": 200}
VECTORS = {"vectors": {"kind": "vectors", "pair": True}}
KINDS = {
    "majority": ({}, {"kind": "majority"}, {}),
    "majority per target": ({}, {"kind": "majority"}, {"per_target": True}),
    "logreg": (TARGET_AWARE, LOGREG, {}),
    "svm": (WORDS, {"kind": "svm", "C": 0.5}, {}),
    "nb": (WORDS, {"kind": "nb"}, {}),
    "per target": (WORDS, LOGREG, {"per_target": True}),
    "vectors": (VECTORS, LOGREG, {}),
    "stack": ({}, {"kind": "stack"}, {"members": [{"features": WORDS, "classifier": LOGREG}, {"features": VECTORS, "classifier": LOGREG}]}),
}  # fmt: skip


@pytest.fixture(scope="module")
def learnt(examples: Examples) -> Examples:
    """The examples with vectors of a sort: how often each letter occurs."""

    def vector(text: str) -> np.ndarray:
        return np.array([text.count(letter) for letter in "abcdefghij"], dtype=np.float32)

    frame = examples.frame.assign(
        vector=[vector(t) for t in examples.frame["text"]],
        target_vector=[vector(t) for t in examples.frame["target"]],
    )
    return Examples(**{**examples.__dict__, "frame": frame})


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_learns_and_comes_back_from_its_file(kind, learnt, tmp_path):
    features, classifier, options = KINDS[kind]
    model = registry.fit_model(registry.make_model(features, classifier, seed=1, **options), learnt)
    chances = registry.label_probabilities(model, learnt.frame, 3)
    assert chances.sum(axis=1) == pytest.approx(1)
    if not kind.startswith("majority"):
        assert (chances.argmax(axis=1) == learnt.labels).mean() > 0.6
    registry.save_model(model, tmp_path / "model.skops")
    again = registry.label_probabilities(
        registry.load_model(tmp_path / "model.skops"), learnt.frame, 3
    )
    assert again.tobytes() == chances.tobytes()


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("logreg", [""]),
        ("svm", [""]),
        ("nb", [""]),
        ("per target", ["free buses", "night buses"]),
        ("stack", ["member 1"]),  # the second is of vectors alone: they have no words
        ("stack per target", ["free buses, member 1", "night buses, member 1"]),
        ("vectors", []),
        ("majority", []),
    ],
)
def test_what_speaks_for_a_label_is_named(kind, parts, learnt):
    features, classifier, options = KINDS[kind.removesuffix(" per target") if kind != "per target" else kind]  # fmt: skip
    options = {**options, "per_target": True} if kind.endswith("per target") else options
    model = registry.fit_model(registry.make_model(features, classifier, **options), learnt)
    top = top_features(model, learnt.names, count=5)
    assert list(top) == parts
    for weighed in top.values():
        assert list(weighed) == list(learnt.names)
        assert all(len(rows) == 5 for rows in weighed.values())
        if kind != "logreg":  # whose targets and marks count too
            told = {word for word, _ in weighed["favor"]}
            assert {"welcome", "cheaper", "fairer", "support", "good", "cleaner"} >= told


def test_vectors_beside_words_are_left_out(learnt):
    model = registry.fit_model(registry.make_model({**VECTORS, **WORDS}, LOGREG), learnt)
    top = top_features(model, learnt.names)[""]
    assert not any(word.startswith("vector") for rows in top.values() for word, _ in rows)


@pytest.mark.parametrize("kind", ["logreg", "nb", "svm", "per target"])
def test_soft_labels_are_learnt_from_shares_of_votes(kind, learnt):
    features, classifier, options = KINDS[kind]
    hard = registry.fit_model(registry.make_model(features, classifier, **options), learnt)
    soft = registry.fit_model(
        registry.make_model(features, classifier, **options), learnt, soft=True
    )
    cross = [
        -(learnt.soft * np.log(np.clip(registry.label_probabilities(m, learnt.frame, 3), 1e-9, 1))).sum(axis=1).mean()
        for m in (soft, hard)
    ]  # fmt: skip
    assert cross[0] < cross[1] or kind in {"nb", "svm"}


def test_the_temperature_leaves_the_decisions_of_the_svm(learnt):
    svm = registry.fit_model(registry.make_model(WORDS, {"kind": "svm"}), learnt)
    matrix = svm[0].transform(learnt.frame)
    assert (svm[-1].svm_.predict(matrix) == svm[-1].predict(matrix)).all()
    assert svm[-1].temperature_ != 1


def test_a_new_target_gets_the_mean_of_what_all_models_say(learnt):
    model = registry.fit_model(registry.make_model(WORDS, LOGREG, per_target=True), learnt)
    chances = registry.label_probabilities(model, learnt.frame.assign(target="trams"), 3)
    assert chances.sum(axis=1) == pytest.approx(1)
    with pytest.raises(BadInput, match="at most 1 targets, found 2"):
        estimators.PerTarget(model.estimator, most=1).fit(learnt.frame, learnt.labels)


@pytest.mark.parametrize(
    ("features", "classifier", "options", "complaint"),
    [
        pytest.param(WORDS, {"kind": "forest"}, {}, "expected kind majority, logreg", id="unknown classifier"),
        pytest.param({}, LOGREG, {}, "at least one block", id="no features"),
        pytest.param({"x": {"kind": "bert"}}, LOGREG, {}, "features.x: expected kind", id="unknown block"),
        pytest.param({"x": {"kind": "ngrams", "length": 2}}, LOGREG, {}, "features.x:.*length", id="unknown option"),
        pytest.param({"x": {"kind": "category", "column": "gold_speaker"}}, LOGREG, {}, "no column 'gold_speaker'", id="gold as a feature"),
        pytest.param(VECTORS, {"kind": "nb"}, {}, "cannot take vectors", id="naive Bayes over vectors"),
        pytest.param({}, {"kind": "stack"}, {}, "at least two", id="nothing to stack"),
        pytest.param({"x": {"kind": "ngrams", "min_df": 10_000}}, LOGREG, {}, "no word n-gram", id="nothing left to see"),
        pytest.param(WORDS, {**LOGREG, "max_iter": 1}, {}, "did not converge in 1 steps", id="no convergence"),
        pytest.param(WORDS, {**LOGREG, "solver": "lbfgs", "tol": 1e6}, {}, "did not move", id="no step taken"),
        pytest.param(WORDS, {**LOGREG, "C": -1.0}, {}, "LogisticRegression cannot be fitted", id="bad option"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused(features, classifier, options, complaint, learnt):
    with pytest.raises(BadInput, match=complaint):
        registry.fit_model(registry.make_model(features, classifier, **options), learnt)


@pytest.mark.parametrize("content", ["pickle", "text", "unknown type", "no model"])
def test_a_file_that_is_no_model_of_ours_is_refused(content, tmp_path):
    path = tmp_path / "model.skops"
    if content == "pickle":
        path.write_bytes(pickle.dumps({"a": 1}))
    elif content == "text":
        path.write_text("a model")
    else:
        skops.io.dump(pytest.Item if content == "unknown type" else {"a": 1}, path)
    with pytest.raises(BadInput, match=r"unknown type|saved with skops|found dict"):
        registry.load_model(path)


def test_interactions_keep_targets_apart():
    frame = pd.DataFrame({"text": ["good bus", "good tram"], "target": ["bus", "tram"]})
    block = Interactions(high=1).fit(frame)
    weights = block.transform(frame).toarray() > 0
    names = block.get_feature_names_out()
    assert [set(names[row]) for row in weights] == [{"bus @ bus", "good @ bus"}, {"good @ tram", "tram @ tram"}]  # fmt: skip
    assert block.transform(frame.assign(target="ferry")).nnz == 0


@pytest.mark.parametrize(
    ("text", "target", "marked"),
    [
        ("Free buses cost.", "free buses", "xtargetx cost."),
        ("These BUSES cost.", "free buses", "These xtargetx cost."),
        ("A (C++) text.", "(C++)", "A (C++) text."),
        ("Anything.", "", "Anything."),
    ],
)
def test_mentions_of_the_target_are_marked(text, target, marked):
    found = MarkTarget().fit_transform(pd.DataFrame({"text": [text], "target": [target]}))[0]
    assert " ".join(found.split()) == marked


def test_blocks_are_weighted(learnt):
    plain = make_features(WORDS).fit_transform(learnt.frame)
    half = make_features({"words": {**WORDS["words"], "weight": 0.5}}).fit_transform(learnt.frame)
    assert abs(half - plain * 0.5).max() < 1e-12
