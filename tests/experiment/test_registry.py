"""Models: what they take, what they refuse, and that they come back from a file as they were."""

import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io

from onrecord.core.errors import BadInput
from onrecord.experiment.data import Examples
from onrecord.experiment.models import estimators, registry
from onrecord.experiment.models.text_features import Interactions, make_features, mark_targets
from onrecord.experiment.models.top_features import top_features

from .conftest import LOGREG, NB, VECTORS, WORDS, ngrams

TARGET_AWARE = {
    **WORDS,
    "chars": {**ngrams(2, 4, analyzer="char_wb", min_df=2), "weight": 0.5},
    "interactions": ngrams(1, 1, "Interactions", column=["text", "target"]),
    "marked": ngrams(1, 2, "MarkedNgrams", column=["text", "target"]),
    "speaker": {"_target_": "sklearn.preprocessing.OneHotEncoder", "column": ["speaker"], "handle_unknown": "ignore"},
}  # fmt: skip
MAJORITY = {"_target_": "sklearn.dummy.DummyClassifier", "strategy": "prior"}
SVM = {"_target_": "sklearn.svm.LinearSVC", "C": 0.5}
STACK = {"_target_": "onrecord.experiment.models.estimators.Stacked"}
MEMBERS = {"words": {"features": WORDS, "classifier": LOGREG}, "vectors": {"features": VECTORS, "classifier": LOGREG}}  # fmt: skip
SPECS = {
    "majority": {"classifier": MAJORITY},
    "majority per target": {"classifier": MAJORITY, "per_target": True},
    "logreg": {"features": TARGET_AWARE, "classifier": LOGREG},
    "svm": {"features": WORDS, "classifier": SVM},
    "nb": {"features": WORDS, "classifier": NB},
    "per target": {"features": WORDS, "classifier": LOGREG, "per_target": True},
    "vectors": {"features": VECTORS, "classifier": LOGREG},
    "stack": {"classifier": STACK, "members": MEMBERS},
    "stack per target": {"classifier": STACK, "members": MEMBERS, "per_target": True},
    "forest": {"features": WORDS, "classifier": {"_target_": "sklearn.ensemble.RandomForestClassifier", "n_estimators": 30}},
    "neighbours": {"features": WORDS, "classifier": {"_target_": "sklearn.neighbors.KNeighborsClassifier"}},
    "boosted": {"features": VECTORS, "classifier": {"_target_": "sklearn.ensemble.HistGradientBoostingClassifier", "max_iter": 20}},
    "calibrated": {"features": WORDS, "classifier": {"_target_": "sklearn.calibration.CalibratedClassifierCV", "estimator": SVM}},
    "counted": {"features": {"words": {"_target_": "sklearn.feature_extraction.text.CountVectorizer"}}, "classifier": NB},
}  # fmt: skip


def fitted(spec, examples, seed=0, **options):
    return registry.fit_model(registry.make_model(spec, seed), examples, **options)


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


@pytest.mark.parametrize("kind", SPECS)
def test_a_model_learns_and_comes_back_from_its_file(kind, learnt, tmp_path):
    model = fitted(SPECS[kind], learnt, seed=1)
    probabilities = registry.label_probabilities(model, learnt.frame, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    if not kind.startswith("majority"):
        assert (probabilities.argmax(axis=1) == learnt.labels).mean() > 0.6
    registry.save_model(model, tmp_path / "model.skops")
    again = registry.label_probabilities(
        registry.load_model(tmp_path / "model.skops"), learnt.frame, 3
    )
    assert again.tobytes() == probabilities.tobytes()


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
        ("forest", []),
        ("counted", [""]),
    ],
)
def test_the_top_features_of_each_label_are_named(kind, parts, learnt):
    top = top_features(fitted(SPECS[kind], learnt), learnt.names, count=5)
    assert list(top) == parts
    for weights in top.values():
        assert list(weights) == list(learnt.names)
        assert all(len(rows) == 5 for rows in weights.values())
        if kind != "logreg":  # whose targets and marks count too
            words = {word for word, _ in weights["favor"]}
            assert {"welcome", "cheaper", "fairer", "support", "good", "cleaner"} >= words


def test_vectors_beside_words_are_left_out(learnt):
    spec = {"features": {**VECTORS, **WORDS}, "classifier": LOGREG}
    top = top_features(fitted(spec, learnt), learnt.names)[""]
    assert not any(word.startswith("vector") for rows in top.values() for word, _ in rows)


@pytest.mark.parametrize("kind", ["logreg", "nb", "svm", "per target"])
def test_soft_labels_are_learnt_from_shares_of_votes(kind, learnt):
    hard, soft = fitted(SPECS[kind], learnt), fitted(SPECS[kind], learnt, soft=True)
    cross = [
        -(learnt.soft * np.log(np.clip(registry.label_probabilities(m, learnt.frame, 3), 1e-9, 1))).sum(axis=1).mean()
        for m in (soft, hard)
    ]  # fmt: skip
    assert cross[0] < cross[1] or kind in {"nb", "svm"}


def test_the_temperature_leaves_the_decisions_of_the_svm(learnt):
    svm = fitted(SPECS["svm"], learnt)
    matrix = svm[0].transform(learnt.frame)
    assert (svm[-1].estimator_.predict(matrix) == svm[-1].predict(matrix)).all()
    assert svm[-1].temperature_ != 1


def test_a_new_target_gets_the_average_of_all_models(learnt):
    model = fitted(SPECS["per target"], learnt)
    probabilities = registry.label_probabilities(model, learnt.frame.assign(target="trams"), 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    with pytest.raises(BadInput, match="at most 1 targets, found 2"):
        estimators.PerTarget(model.estimator, most=1).fit(learnt.frame, learnt.labels)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"clasifier": {}}, "found 'clasifier'", id="unknown key"),
        pytest.param({"features": {}}, "at least one block", id="no features"),
        pytest.param({"features": {"x": {"_target_": "torch.nn.Linear"}}}, "features.x._target_: expected a class of sklearn", id="unknown block"),
        pytest.param({"features": {"x": ngrams(1, 1, lenght=2)}}, "features.x: Ngrams takes no 'lenght'", id="unknown option"),
        pytest.param({"features": {"x": {"column": "text"}}}, "features.x: expected a transformer", id="no class"),
        pytest.param({"features": {"x": ngrams(1, 1, column=["gold_speaker"])}}, "may not see the column 'gold_speaker'", id="gold as a feature"),
        pytest.param({"features": {"x": ngrams(1, 1, min_df=10_000)}}, "cannot be fitted: max_df corresponds", id="nothing left to see"),
        pytest.param({"classifier": SPECS["boosted"]["classifier"]}, "HistGradientBoostingClassifier cannot be fitted: Sparse data", id="sparse rows"),
        pytest.param({"classifier": STACK}, "two models or more", id="nothing to stack"),
        pytest.param({"members": MEMBERS}, "LogisticRegression stacks no models", id="members of no stack"),
        pytest.param({"classifier": {**LOGREG, "max_iter": 1}}, "did not converge in 1 steps", id="no convergence"),
        pytest.param({"classifier": {**LOGREG, "solver": "lbfgs", "tol": 1e6}}, "did not move", id="no step taken"),
        pytest.param({"classifier": {**LOGREG, "C": -1.0}}, "LogisticRegression cannot be fitted", id="bad option"),
        pytest.param({"classifier": {"_target_": "sklearn.neighbors.KNeighborsClassifier", "class_weight": "balanced"}}, "takes no 'class_weight'", id="class weights"),
        pytest.param({"classifier": {"_target_": "sklearn.linear_model.Ridge"}}, "expected a classifier with predict_proba", id="no classifier"),
        pytest.param({"classifier": {"_target_": "sklearn.datasets.fetch_openml"}}, "_target_: expected a class", id="a function"),
        pytest.param({"classifier": {"_target_": "sklearn.feature_extraction.text.defaultdict"}}, "_target_: expected a class", id="another module's class"),
        pytest.param({"classifier": {"_target_": "subprocess.Popen", "args": "true"}}, "_target_: expected a class", id="another package"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused(change, complaint, learnt):
    with pytest.raises(BadInput, match=complaint) as refused:
        fitted({"features": WORDS, "classifier": LOGREG, **change}, learnt)
    assert "\n" not in str(refused.value)


def test_shares_are_not_given_to_what_takes_no_weights(learnt):
    with pytest.raises(BadInput, match="KNeighborsClassifier takes no sample weights"):
        fitted(SPECS["neighbours"], learnt, soft=True)


def test_what_was_fitted_is_read_off_the_model(learnt):
    (part,) = registry.describe_fitted(fitted(SPECS["forest"], learnt, seed=3))
    assert (part["part"], part["classifier"]) == ("", "RandomForestClassifier")
    assert (part["parameters"]["n_estimators"], part["parameters"]["random_state"]) == (30, 3)
    stack = registry.describe_fitted(fitted(SPECS["stack per target"], learnt))
    assert [p["part"] for p in stack] == [
        "free buses, member 1", "free buses, member 2", "night buses, member 1", "night buses, member 2",
    ]  # fmt: skip


def test_a_chinese_corpus_can_be_trained(learnt):
    """More distinct characters than fit 12 bits, which an earlier vectoriser refused."""
    texts = ["".join(chr(0x4E00 + (37 * i + j) % 6000) for j in range(40)) for i in range(len(learnt.frame))]  # fmt: skip
    part = Examples(**{**learnt.__dict__, "frame": learnt.frame.assign(text=texts)})
    chars = {"chars": ngrams(2, 5, analyzer="char_wb")}
    model = fitted({"features": chars, "classifier": NB}, part)
    assert len({*"".join(texts)}) > 4096
    assert registry.label_probabilities(model, part.frame, 3).sum(axis=1) == pytest.approx(1)


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


def test_a_model_of_another_version_is_told_from_a_foreign_file(learnt, tmp_path):
    path = tmp_path / "model.skops"
    registry.save_model(fitted(SPECS["nb"], learnt), path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["schema.json"] = parts["schema.json"].replace(b'"Ngrams"', b'"NgramTfidf"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(
        BadInput, match=r"another version of onrecord .*: run `onrecord train` again"
    ):
        registry.load_model(path)


def test_interactions_keep_targets_apart():
    frame = pd.DataFrame({"text": ["good bus", "good tram"], "target": ["bus", "tram"]})
    block = Interactions().fit(frame)
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
    found = mark_targets(pd.DataFrame({"text": [text], "target": [target]}))[0]
    assert " ".join(found.split()) == marked


def test_blocks_are_weighted(learnt):
    plain = make_features(WORDS).fit_transform(learnt.frame)
    half = make_features({"words": {**WORDS["words"], "weight": 0.5}}).fit_transform(learnt.frame)
    assert abs(half - plain * 0.5).max() < 1e-12
