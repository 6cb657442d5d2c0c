"""n-grams are scikit-learn's, computed once a sweep, and nothing depends on whether they were cached."""

import os
import pickle

import joblib
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from onrecord.experiment.models import text_features
from onrecord.experiment.models.text_features import NO_CACHE, Ngrams, cached_features

from .conftest import FEATURES, done

TEXTS = st.lists(st.text(st.characters(), min_size=1, max_size=9), max_size=5).map(
    lambda texts: ["aa bb", *texts]
)
CHARS = {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True}
TRAIN = ["a bus", "a bus stop"]


def weights(vectorizer, train, new):
    """The weights of both, and the n-grams, as bytes."""
    matrices = [vectorizer.fit_transform(train), vectorizer.transform(new)]
    parts = [a.tobytes() for m in matrices for a in (m.data, m.indices, m.indptr)]
    return [*parts, list(vectorizer.get_feature_names_out())]


@given(calls=st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from([CHARS, {}])), max_size=4))
@settings(deadline=None, max_examples=40)
def test_cached_or_not_the_weights_are_those_of_scikit_learn(calls, tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    for train, new, options in calls:
        plain = weights(TfidfVectorizer(**options), train, new)
        for _ in range(2):  # computed, or taken from an earlier call; then taken
            with cached_features(str(folder)):
                assert weights(Ngrams(**options), train, new) == plain


@given(TEXTS, st.sampled_from([CHARS, {}, {"analyzer": "char", "ngram_range": (1, 2)}]))
@settings(deadline=None, max_examples=40)
def test_a_saved_vectorizer_is_the_same_and_small(texts, options):
    fitted = Ngrams(**options).fit(texts)
    again = skops.io.loads(skops.io.dumps(fitted), trusted=[f"{FEATURES}.Ngrams"])
    assert again.vocabulary_ == fitted.vocabulary_
    assert (again.transform(texts) != fitted.transform(texts)).nnz == 0
    assert isinstance(fitted.__getstate__()["vocabulary_"], str)


def items(folder):
    return sorted(folder.rglob("output.pkl"))


def test_cached_weights_are_told_apart_by_texts_options_and_what_was_learnt(tmp_path):
    with cached_features(str(tmp_path)):
        for train, options in (
            (TRAIN, CHARS),
            (TRAIN, {**CHARS, "ngram_range": (2, 3)}),
            (TRAIN, {**CHARS, "min_df": 2}),
            (["a bus a", " bus stop"], CHARS),
        ):
            for _ in range(2):
                weights(Ngrams(**options), train, ["the bus"])
    assert len(items(tmp_path)) == 8


@pytest.mark.parametrize("content", [b"", b"\x80\x04no pickle", b"not an archive"])
def test_a_spoilt_item_is_computed_again(content, tmp_path):
    plain = weights(Ngrams(**CHARS), TRAIN, ["bus"])
    with cached_features(str(tmp_path)):
        weights(Ngrams(**CHARS), TRAIN, ["bus"])
        for path in items(tmp_path):
            path.write_bytes(content)
        assert weights(Ngrams(**CHARS), TRAIN, ["bus"]) == plain


def test_the_cache_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(text_features, "MAX_CACHE_BYTES", 1)
    with cached_features(str(tmp_path)):
        weights(Ngrams(**CHARS), TRAIN, ["bus"])
        assert items(tmp_path)
    assert not items(tmp_path)


def test_a_pickle_in_a_workspace_is_never_read(built, cli, tmp_path, monkeypatch):
    """joblib's items are pickles, and a workspace may be a stranger's: the cache is the user's."""

    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "made"),))

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    train = ("train", "model=tfidf_nb", f"workspace={built / 'ws'}")
    done(cli(*train, "run=one", cwd=tmp_path))
    found = items(tmp_path / "home" / "onrecord" / "features")
    assert found
    assert not items(built)
    for path in found:
        planted = built / "ws" / ".features" / path.relative_to(tmp_path / "home/onrecord/features")
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_bytes(pickle.dumps(Evil()))
        path.unlink()
    done(cli(*train, "run=two", cwd=tmp_path))
    assert not (tmp_path / "made").exists()


def test_predictions_are_the_same_bytes_with_the_cache_and_without(built, cli, tmp_path):
    train = ("train", "model=tfidf_nb", f"workspace={built / 'ws'}")
    made = []
    for name, cached in (("none", "false"), ("filling", "true"), ("filled", "true")):
        done(cli(*train, f"run={name}", f"cached={cached}", "cache=kept", cwd=tmp_path))
        assert (tmp_path / "kept").exists() == (name != "none")
        made.append((tmp_path / name / "out_of_fold.parquet").read_bytes())
    assert made[0] == made[1] == made[2]
    assert items(tmp_path / "kept" / "features")


def test_nothing_is_cached_outside_the_context(tmp_path):
    with cached_features(NO_CACHE):
        weights(Ngrams(**CHARS), TRAIN, ["bus"])
    assert text_features._memory.get() is text_features.NO_MEMORY
    assert isinstance(text_features.NO_MEMORY, joblib.Memory)
    assert text_features.NO_MEMORY.location is None
