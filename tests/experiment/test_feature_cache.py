"""What features cost is kept by content: nothing that comes out depends on whether it was kept."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.experiment.feature_cache import features_kept, prune
from onrecord.experiment.ngrams import NgramTfidf

from .conftest import done

TEXTS = st.lists(st.text(st.characters(), min_size=1, max_size=9), max_size=5).map(
    lambda texts: ["aa bb", *texts]
)


def weights(train, new, **settings):
    """The weights of both, and what was learnt, as bytes."""
    block = NgramTfidf(**settings)
    matrices = [block.fit_transform(train), block.transform(new)]
    parts = [a.tobytes() for m in matrices for a in (m.data, m.indices, m.indptr)]
    return [*parts, block.alphabet_, block.keys_.tobytes(), block.idf_.tobytes()]


@given(calls=st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["word", "char"])), max_size=4))
@settings(deadline=None)
def test_kept_or_not_the_weights_are_the_same_bytes(calls, tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    for train, new, unit in calls:
        plain = weights(train, new, unit=unit)
        with features_kept(folder):
            assert (
                weights(train, new, unit=unit) == plain
            )  # computed, or taken from an earlier call
            assert weights(train, new, unit=unit) == plain  # taken


def test_what_is_kept_is_told_apart_by_texts_settings_and_what_was_learnt(tmp_path):
    with features_kept(tmp_path):
        for train, options in (
            (["a bus", "a bus stop"], {"unit": "char"}),
            (["a bus", "a bus stop"], {"unit": "char", "high": 3}),
            (["a bus", "a bus stop"], {"unit": "char", "min_df": 2}),
            (["a bus a", " bus stop"], {"unit": "char"}),
        ):
            weights(train, ["the bus"], **options)
            weights(train, ["the bus"], **options)
    assert len(list(tmp_path.glob("*.npz"))) == 8


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not an archive"])
def test_a_spoilt_file_is_made_again(content, tmp_path):
    plain = weights(["a bus"], ["bus"], unit="char")
    with features_kept(tmp_path):
        weights(["a bus"], ["bus"], unit="char")
        for path in tmp_path.glob("*.npz"):
            path.write_bytes(content)
        assert weights(["a bus"], ["bus"], unit="char") == plain


def test_a_pickle_is_never_read(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "made"),))

    plain = weights(["a bus"], ["bus"], unit="char")
    with features_kept(tmp_path):
        weights(["a bus"], ["bus"], unit="char")
        for path in tmp_path.glob("*.npz"):
            np.savez(path, data=np.array([Evil()], dtype=object))
        assert weights(["a bus"], ["bus"], unit="char") == plain
    assert not (tmp_path / "made").exists()


def test_the_folder_is_bounded_and_what_was_used_last_stays(tmp_path):
    for age, name in enumerate("abc"):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    prune(tmp_path, 250)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_predictions_are_the_same_bytes_with_the_cache_and_without(built, cli, tmp_path):
    told = ("train", "model=tfidf_nb", f"workspace={built / 'ws'}")
    made = []
    for name, cache in (
        ("none", "cached=false"),
        ("filling", "cached=true"),
        ("filled", "cached=true"),
    ):
        done(cli(*told, f"run={name}", cache, "cache=kept", cwd=tmp_path))
        assert (tmp_path / "kept").exists() == (name != "none")
        made.append((tmp_path / name / "out_of_fold.parquet").read_bytes())
    assert made[0] == made[1] == made[2]
    assert list((tmp_path / "kept" / "features").glob("*.npz"))
