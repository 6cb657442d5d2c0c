"""Our TF-IDF is scikit-learn's, to the last digit that floating point keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from onrecord.core.errors import BadInput
from onrecord.experiment.ngrams import NgramTfidf

TEXTS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(["ab ab c", "Été é", "a\u00a0b", "İb"]),
    min_size=1, max_size=6,
)  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param({"unit": "word", "low": 1, "high": 2}, {"ngram_range": (1, 2)}, id="words"),
        pytest.param({"unit": "char", "low": 2, "high": 5}, {"analyzer": "char_wb", "ngram_range": (2, 5)}, id="chars"),
        pytest.param({"unit": "char", "low": 1, "high": 3, "min_df": 2}, {"analyzer": "char_wb", "ngram_range": (1, 3), "min_df": 2}, id="rare ones out"),
    ],
)  # fmt: skip
@given(train=TEXTS, new=TEXTS)
@settings(max_examples=80, deadline=None)
def test_weights_are_those_of_scikit_learn(ours, theirs, train, new):
    train, new = ([" ".join(t.split()) for t in texts] for texts in (train, new))
    peer = TfidfVectorizer(sublinear_tf=True, **theirs)
    try:
        expected = peer.fit_transform(train)
    except ValueError:  # an empty vocabulary
        with pytest.raises(BadInput, match="n-gram"):
            NgramTfidf(**ours).fit(train)
        return
    found = NgramTfidf(**ours)
    weights = found.fit_transform(train)
    names, theirs_names = list(found.get_feature_names_out()), list(peer.get_feature_names_out())
    assert sorted(names) == sorted(theirs_names)
    order = [theirs_names.index(n) for n in names]
    np.testing.assert_allclose(weights.toarray(), expected.toarray()[:, order], atol=1e-12)
    np.testing.assert_allclose(
        found.transform(new).toarray(), peer.transform(new).toarray()[:, order], atol=1e-12
    )


def test_too_many_characters_for_a_key_are_refused():
    every = "".join(chr(c) for c in range(0x4E00, 0x4E00 + 5000))
    with pytest.raises(BadInput, match="fewer than 4096 different chars, found"):
        NgramTfidf("char", 2, 5).fit([every])


def test_an_empty_text_weighs_nothing():
    assert NgramTfidf().fit(["one two"]).transform(["", "two", ""]).nnz == 1
