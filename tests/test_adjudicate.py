"""Gold: decided by a declared policy, ties left to a person, and every answer says how it was decided."""

from collections import Counter

import pytest

from onrecord.campaign.adjudicate import decide, flips, resolve, with_spans
from onrecord.scheme import load_scheme

SCHEME = load_scheme()


def row(annotator, **labels):
    given = {
        "speaker": "author",
        "speaker_name": None,
        "claim_type": "fact",
        "stance": "neutral",
    } | labels
    return {"sentence_id": "a:0-5", "target_id": "t", "annotator": annotator, "labels": given}


@pytest.mark.parametrize(
    ("votes", "policy", "decided"),
    [
        ({"x": 3}, "majority", ("x", "unanimous")),
        ({"x": 2, "y": 1}, "majority", ("x", "majority")),
        ({"x": 2, "y": 1}, "unanimous", None),
        ({"x": 1, "y": 1}, "majority", None),
        ({"x": 2, "y": 1, "z": 1}, "majority", None),
        ({"x": 1}, "majority", ("x", "unanimous")),
    ],
)
def test_policy(votes, policy, decided):
    assert decide(Counter(votes), policy) == decided


def test_gold_says_how_each_answer_was_decided_and_keeps_the_shares():
    gold, unresolved = resolve(
        [row("a"), row("b"), row("c", stance="favor")], {}, SCHEME, "majority"
    )
    assert not unresolved
    assert gold[0]["labels"] == {
        "speaker": "author",
        "speaker_name": None,
        "claim_type": "fact",
        "stance": "neutral",
    }
    assert gold[0]["decided_by"] == {
        "speaker": "unanimous",
        "claim_type": "unanimous",
        "stance": "majority",
    }
    assert gold[0]["soft"]["stance"] == {"neutral": 2 / 3, "favor": 1 / 3}
    assert gold[0]["n_annotators"] == 3


def test_a_tie_is_left_open_with_its_votes_and_an_adjudicator_settles_it():
    rows = [row("a", stance="favor"), row("b", stance="against")]
    gold, unresolved = resolve(rows, {}, SCHEME, "majority")
    assert not gold
    assert unresolved[0]["open"] == {"stance": {"favor": 1, "against": 1}}
    settled = {"a:0-5": {"labels": {"stance": "against"}}}
    gold, unresolved = resolve(rows, settled, SCHEME, "majority")
    assert not unresolved
    assert gold[0]["labels"]["stance"] == "against"
    assert gold[0]["decided_by"]["stance"] == "adjudicator"


def test_the_name_follows_the_speaker_that_was_decided():
    """Two say a politician, one the author: only the two have a name to vote on, and ∅ does not win."""
    rows = [
        row("a", speaker="politician", speaker_name="Al Green"),
        row("b", speaker="politician", speaker_name="Al Green"),
        row("c"),
    ]
    gold, _ = resolve(rows, {}, SCHEME, "majority")
    assert gold[0]["labels"]["speaker_name"] == "Al Green"


def test_what_flipped_is_said():
    before, _ = resolve([row("a")], {}, SCHEME, "majority")
    after, _ = resolve([row("a", stance="favor")], {}, SCHEME, "majority")
    assert flips(before, after) == ["a:0-5: stance neutral → favor"]
    assert flips(after, after) == []


def test_a_long_name_is_left_to_its_span_in_a_stand_off_campaign():
    name = "several residents of the old mill quarter"
    rows = [
        row("a", speaker="other", speaker_name=name) | {"speaker_span": {"start": 3, "end": 44}}
    ]
    gold, _ = resolve(rows, {}, SCHEME, "majority")
    kept = with_spans(gold, rows, standoff=False)[0]
    assert kept["labels"]["speaker_name"] == name
    left = with_spans(gold, rows, standoff=True)[0]
    assert left["labels"]["speaker_name"] is None
    assert "speaker_name" not in left["soft"]
    assert left["speaker_span"] == {"start": 3, "end": 44}
    assert kept["speaker_span"] == left["speaker_span"]
