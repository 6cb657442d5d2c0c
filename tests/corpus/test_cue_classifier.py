"""The classifier of indirect cues: what it reads, that it loads without trust, and its order."""

from importlib.resources import files

import pytest
from skops.io import get_untrusted_types, loads

from onrecord.corpus.attribution.cue_classifier import features, weights
from onrecord.corpus.attribution.cues import attributions
from onrecord.corpus.attribution.tokens import tokens


def probability(sentence: str) -> float:
    return weights().probability(features_of(sentence))


def features_of(sentence: str) -> dict[str, float]:
    row = tokens(sentence, 0, len(sentence), [])
    cues = attributions(row)
    return features(row, cues[0], cues=len(cues), first_paragraph=False)


def test_the_shipped_model_needs_no_trust_and_has_a_weight_a_feature():
    data = files("onrecord.corpus.attribution").joinpath("cue_classifier.skops").read_bytes()
    assert get_untrusted_types(data=data) == []
    assert len(weights().weights) == len(features_of("Fares must fall, Ann Lee said."))


@pytest.mark.parametrize(
    ("likely", "unlikely"),
    [
        ("Dempsey said that six routes are full.", "The map shows the routes that are full by noon."),
        ("Six routes are full, according to Dempsey.", "Riders who said they were late told the driver to go on."),
    ],
)  # fmt: skip
def test_plain_reports_are_likelier_than_asides(likely, unlikely):
    assert probability(likely) > probability(unlikely)


def test_the_weights_are_those_that_skops_reads():
    data = files("onrecord.corpus.attribution").joinpath("cue_classifier.skops").read_bytes()
    scaler, regression = (step for _, step in loads(data, trusted=[]).steps)
    scaled = regression.coef_[0] / scaler.scale_
    assert list(weights().weights) == scaled.tolist()
    assert weights().intercept == regression.intercept_[0] - (scaled * scaler.mean_).sum()
