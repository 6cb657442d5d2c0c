"""Gold: decided by a declared policy, ties left to a person, and every answer says how it was decided."""

import json
from collections import Counter
from pathlib import Path

import pytest

from onrecord.campaign import adjudication_round
from onrecord.campaign.adjudicate import aggregate_gold, flips, policies, reopened, vote, with_spans
from onrecord.campaign.labelstudio import client
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, write_jsonl
from onrecord.core.records import SENTENCES, text_sha256
from onrecord.core.tables import read_parquet
from onrecord.scheme.scheme import load_scheme

SCHEME = load_scheme()
MAJORITY = policies("majority", SCHEME)


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
    assert vote(Counter(votes), policy) == decided


def test_gold_says_how_each_answer_was_decided_and_keeps_the_shares():
    gold, unresolved = aggregate_gold(
        [row("a"), row("b"), row("c", stance="favor")], {}, SCHEME, MAJORITY
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
    gold, unresolved = aggregate_gold(rows, {}, SCHEME, MAJORITY)
    assert not gold
    assert unresolved[0]["open"] == {"stance": {"favor": 1, "against": 1}}
    settled = {"a:0-5": {"labels": {"stance": "against"}}}
    gold, unresolved = aggregate_gold(rows, settled, SCHEME, MAJORITY)
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
    gold, _ = aggregate_gold(rows, {}, SCHEME, MAJORITY)
    assert gold[0]["labels"]["speaker_name"] == "Al Green"


def test_what_flipped_is_said():
    before, _ = aggregate_gold([row("a")], {}, SCHEME, MAJORITY)
    after, _ = aggregate_gold([row("a", stance="favor")], {}, SCHEME, MAJORITY)
    assert flips(before, after) == ["a:0-5: stance neutral → favor"]
    assert flips(after, after) == []


def test_new_annotations_change_only_what_they_touch_and_it_is_said():
    def of(sentence, annotator, stance):
        return row(annotator, stance=stance) | {"sentence_id": sentence}

    first = [of(s, a, "none") for s in ("a:0-5", "a:6-9", "a:10-15") for a in ("ann", "bob")]
    before, _ = aggregate_gold(first, {}, SCHEME, MAJORITY)
    new = [of("a:0-5", name, "favor") for name in ("cy", "dee", "eve")]
    after, unresolved = aggregate_gold([*first, *new, of("a:6-9", "cy", "favor"), of("a:6-9", "dee", "favor")],
                                {}, SCHEME, MAJORITY)  # fmt: skip
    assert flips(before, after) == ["a:0-5: stance none → favor"]
    assert reopened(before, unresolved) == ["a:6-9: stance"]
    assert after[1] == before[2]  # the third, which nobody touched


def test_a_long_name_is_left_to_its_span_in_a_stand_off_campaign():
    name = "several residents of the old mill quarter"
    rows = [
        row("a", speaker="other", speaker_name=name) | {"speaker_span": {"start": 3, "end": 44}}
    ]
    gold, _ = aggregate_gold(rows, {}, SCHEME, MAJORITY)
    kept = with_spans(gold, rows, standoff=False)[0]
    assert kept["labels"]["speaker_name"] == name
    left = with_spans(gold, rows, standoff=True)[0]
    assert left["labels"]["speaker_name"] is None
    assert "speaker_name" not in left["soft"]
    assert left["speaker_span"] == {"start": 3, "end": 44}
    assert kept["speaker_span"] == left["speaker_span"]


def test_each_question_has_its_policy_and_bad_ones_are_refused():
    assert policies({"stance": "model"}, SCHEME)["stance"] == "model"
    assert set(policies("unanimous", SCHEME).values()) == {"unanimous"}
    for bad in ("most", {"stance": "most"}, {"tone": "majority"}):
        with pytest.raises(BadInput, match="policy"):
            policies(bad, SCHEME)


def test_a_model_decides_above_its_threshold_and_is_not_unsettled_by_other_sentences():
    rows = [row("a", stance="favor"), row("b", stance="against")]
    chosen = policies({"stance": "model"}, SCHEME)

    def with_chance(p, before=()):
        probabilities = {"stance": {"a:0-5": {"favor": p, "against": 1 - p}}}
        return aggregate_gold(
            rows, {}, SCHEME, chosen, probabilities=probabilities, threshold=0.9, before=before
        )

    gold, _ = with_chance(0.95)
    assert (gold[0]["labels"]["stance"], gold[0]["decided_by"]["stance"]) == ("favor", "model")
    assert gold[0]["soft"]["stance"] == {"favor": 0.5, "against": 0.5}
    assert with_chance(0.8)[0] == []
    assert with_chance(0.8, before=gold)[0] == gold


def test_an_adjudicator_is_somebody_who_did_not_annotate():
    seen = {"s1": {"a", "b"}, "s2": {"b", "c"}, "s3": {"a", "b", "c"}, "s4": {"a", "b"}}
    assert adjudication_round.adjudicators_of(list(seen), seen, ["a", "b", "c"]) == {
        "s1": "c", "s2": "a", "s3": "adjudicator", "s4": "c",
    }  # fmt: skip


def test_answers_are_shown_escaped_nameless_and_in_an_order_that_tells_nothing():
    given = [row(n, stance=s) | {"flags": ["needs_context"], "comment": f"<b>{s}</b>"} for n, s in
             (("ann", "favor"), ("bob", "against"), ("cy", "none"))]  # fmt: skip
    shown = [adjudication_round.answers_shown(given, SCHEME, seed=str(i)) for i in range(40)]
    assert all("ann" not in s and "bob" not in s and "<b>" not in s for s in shown)
    assert "&lt;b&gt;favor" in shown[0]
    assert {s.index("stance: favor") < s.index("stance: against") for s in shown} == {True, False}
    backwards = adjudication_round.answers_shown(given[::-1], SCHEME, seed="0")
    assert backwards == shown[0]


def test_a_round_goes_through_label_studio_and_comes_back_as_gold(
    team_server, campaign_workspace, onrecord
):
    words = [*campaign_workspace("adjudicated"), team_server]
    workspace = Path(words[2].partition("=")[2])
    assert onrecord("launch", *words).returncode == 0
    sentences = read_parquet(workspace / "sentences.parquet", SENTENCES).to_pylist()
    two = [s for s in sentences if not s["furniture"]][:2]
    rows = []
    for sentence, stances in zip(two, (("favor", "against"), ("none", "none")), strict=True):
        for annotator, stance in zip(("annotator-1", "annotator-2"), stances, strict=True):
            rows.append(
                row(annotator, stance=stance)
                | {"annotation_id": f"{annotator} {sentence['sentence_id']}", "round": "main", "flags": [],
                   "sentence_id": sentence["sentence_id"], "text_sha256": text_sha256(sentence["text"]),
                   "speaker_span": None, "comment": "", "seconds": None, "created_at": "2026-01-05T10:00:00Z",
                   "updated_at": "2026-01-05T10:00:00Z", "suggestion_shown": True, "scheme_version": 1,
                   "guidelines_version": "1.1.0", "purpose": "main", "status": "submitted", "origin": "people"}
            )  # fmt: skip
    write_jsonl(workspace / "annotations.jsonl", rows)
    too_early = onrecord("adjudicate", *words, "round=close")
    assert too_early.returncode == 2
    assert "run `onrecord adjudicate round=open` first" in too_early.stderr
    opened = onrecord("adjudicate", *words, "round=open")
    assert opened.returncode == 0, opened.stderr
    assert "1 sentences to adjudicate in 1 project (adjudicator)" in opened.stdout
    launched = [r for r in read_jsonl(workspace / "launched.jsonl") if r["round"] == "adjudication"]
    assert len(launched) == 1
    assert onrecord("launch", *words).returncode == 0  # keeps the round that is not the plan's
    assert launched[0] in read_jsonl(workspace / "launched.jsonl")
    accounts = json.loads((workspace / "labelstudio/accounts.json").read_text())
    token = next(a["token"] for a in _flat(accounts) if a.get("annotator") == "adjudicator")
    with client.LabelStudio(team_server.partition("=")[2], token) as own:
        task = own.get(f"/api/tasks/{launched[0]['ls_task_id']}/")
        assert "stance: favor" in task["data"]["answers"]
        assert "annotator-1" not in str(task["data"])
        result = to_result({"speaker": "author", "claim_type": "fact", "stance": "against"}, SCHEME)
        own.send(
            "POST", f"/api/tasks/{task['id']}/annotations/", {"result": result, "lead_time": 9.0}
        )
    closed = onrecord("adjudicate", *words, "round=close")
    assert closed.returncode == 0, closed.stderr
    gold = {r["sentence_id"]: r for r in read_jsonl(workspace / "gold.jsonl")}
    settled = gold[two[0]["sentence_id"]]
    assert (settled["labels"]["stance"], settled["decided_by"]["stance"]) == (
        "against",
        "adjudicator",
    )
    assert settled["soft"]["stance"] == {"favor": 0.5, "against": 0.5}
    assert gold[two[1]["sentence_id"]]["decided_by"]["stance"] == "unanimous"
    kept = read_jsonl(workspace / "annotations.jsonl")
    assert kept[:4] == rows  # raw labels are never overwritten


def _flat(value):
    found = [value] if isinstance(value, dict) and "token" in value else []
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found + [a for part in parts for a in _flat(part)]
