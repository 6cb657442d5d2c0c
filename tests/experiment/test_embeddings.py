"""Vectors are computed once a text, kept by content, and are the encoder's own."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.core.errors import BadInput
from onrecord.experiment.models.embeddings import (
    cached_vectors,
    sentence_vectors,
    weights_hash,
)
from onrecord.experiment.models.text_features import NO_CACHE

from .conftest import done


def letters(texts):
    return np.array([[t.count(c) for c in "abc"] for t in texts], dtype=np.float32).reshape(-1, 3)


@given(calls=st.lists(st.lists(st.text("abc", max_size=4), min_size=1, max_size=8), max_size=4))
def test_a_text_is_computed_once_whatever_it_comes_with(calls, tmp_path_factory):
    path = tmp_path_factory.mktemp("cache") / "vectors.sqlite"
    computed = []

    def compute(texts):
        computed.extend(texts)
        return letters(texts)

    for texts in calls:
        distinct = list(dict.fromkeys(texts))
        assert (cached_vectors(distinct, "w", path, compute) == letters(distinct)).all()
    assert sorted(computed) == sorted({t for texts in calls for t in texts})


def test_other_weights_are_other_vectors(tmp_path):
    path = tmp_path / "vectors.sqlite"
    cached_vectors(["a"], "one", path, letters)
    assert (
        cached_vectors(["a"], "two", path, lambda t: letters(t) + 1) == letters(["a"]) + 1
    ).all()


@pytest.mark.parametrize("content", [None, "empty"])
def test_an_encoder_that_is_not_there_is_refused(content, tmp_path):
    if content:
        (tmp_path / "encoder").mkdir()
    with pytest.raises(BadInput, match="encoder="):
        sentence_vectors(["a"], str(tmp_path / "encoder"), str(tmp_path))


def test_a_real_encoder_puts_like_by_like(encoder, tmp_path):
    texts = ["Riding the bus is free.", "Nobody pays a fare.", "The choir sang in the chapel."]
    vectors = sentence_vectors(texts, str(encoder), str(tmp_path))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    again = sentence_vectors(texts[::-1], str(encoder), str(tmp_path))[::-1]
    assert again.tobytes() == vectors.tobytes()
    assert len(weights_hash(encoder)) == 64
    assert sentence_vectors(texts, str(encoder), NO_CACHE).tobytes() == vectors.tobytes()
    assert [p.name for p in tmp_path.iterdir()] == ["vectors.sqlite"]


def test_models_with_vectors_train_evaluate_and_predict(built, cli, encoder, tmp_path):
    where = [f"workspace={built / 'ws'}", f"cache={tmp_path / 'cache'}"]
    for model in ("minilm_logreg", "tfidf_minilm_target", "stacked"):
        run = f"run={tmp_path / model}"
        done(cli("train", f"model={model}", f"encoder={encoder}", run, *where, cwd=tmp_path))
        done(cli("evaluate", run, *where, cwd=tmp_path))
        report = json.loads((tmp_path / model / "report.json").read_text())
        assert report["baseline"]["difference"]["macro_f1"]["verdict"] == "first"
