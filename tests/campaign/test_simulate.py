"""The simulator: seeded, as skilled as told, and marked as simulated after a walk through Label Studio."""

import random
from collections import Counter

import pytest

from onrecord.campaign.simulated_annotators import (
    Simulated,
    answered,
    simulated_annotators,
    simulated_entries,
    truth_of,
)
from onrecord.cli.app import main
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl
from onrecord.scheme.scheme import load_scheme

SCHEME = load_scheme()
TRUTH = {"speaker": "expert", "speaker_name": "Ann Lee", "claim_type": "fact", "stance": "favor"}


def answers(one, n=2000):
    names = ["Ann Lee", "Bo Ray"]
    return [answered(TRUTH, one, names, SCHEME, random.Random(f"{i}")) for i in range(n)]


@pytest.mark.parametrize("skill", [0.0, 0.6, 1.0])
def test_an_annotator_is_right_as_often_as_skilled(skill):
    given = answers(Simulated(skill=skill))
    assert sum(a["stance"] == "favor" for a in given) / len(given) == pytest.approx(skill, abs=0.04)
    for labels in given[:100]:
        SCHEME.check(labels, "simulated")
        assert (labels["speaker_name"] is None) == (labels["speaker"] in ("author", "none"))


def test_wrong_answers_fall_back_on_the_bias():
    wrong = Counter(a["stance"] for a in answers(Simulated(skill=0.5, bias={"stance": "neutral"})))
    assert wrong["neutral"] > 3 * max(wrong["against"], wrong["none"])


def test_the_truth_is_what_is_known_then_what_is_suggested_then_a_seeded_draw():
    known = {"a:0-1": {"labels": {"stance": "against"}}}
    truth = truth_of("a:0-1", {"speaker": "expert", "speaker_name": "Ann Lee"}, known, SCHEME, 1)
    assert (truth["speaker"], truth["speaker_name"], truth["stance"]) == (
        "expert",
        "Ann Lee",
        "against",
    )
    assert truth == truth_of(
        "a:0-1", {"speaker": "expert", "speaker_name": "Ann Lee"}, known, SCHEME, 1
    )


def test_a_retired_task_is_not_answered():
    row = {
        "annotator": "a",
        "task_id": "t",
        "sentence_id": "a:0-1",
        "ls_task_id": 1,
        "project_id": 1,
    }
    rows = [row | {"state": "active"}, row | {"task_id": "u", "state": "retired"}]
    found = simulated_entries(
        rows, offered={}, suggestions={}, known={}, annotators=[Simulated()], scheme=SCHEME, seed=1
    )
    assert len(found["a", 1]) == 1
    assert found["a", 1][0].seconds > 0


@pytest.mark.parametrize(
    ("declared", "complaint"),
    [
        ([], "at least one"),
        ([{"skil": 1}], "expected skill, seconds, bias, found 'skil'"),
        ([{"skill": 2}], "skill from 0 to 1"),
        ([{"bias": {"stance": "undecided"}}], "'undecided' is not in the scheme"),
    ],
)
def test_an_annotator_that_cannot_be_is_refused(declared, complaint):
    with pytest.raises(BadInput, match=complaint):
        simulated_annotators(declared, SCHEME)


def test_a_rehearsal_fills_the_campaign_through_the_api_and_is_marked(
    campaign_workspace, team_server, capsys
):
    words = campaign_workspace("rehearsal")
    workspace = words.workspace
    words = [*words, team_server]
    options = ["campaign.origin=people", "simulate=true"]
    assert main(["plan", *words, "annotators=2", "budget=8", "repeats_share=0.25"]) == 0
    assert main(["launch", *words, *options, "seats=[annotator-7]"]) == 2
    assert "expected some of annotator-1, annotator-2" in capsys.readouterr().err
    for entered, seats in ((10, ["seats=[annotator-2]"]), (10, []), (0, [])):
        assert main(["launch", *words, *options, *seats]) == 0
        assert f"Created {entered} simulated annotations" in capsys.readouterr().out
    assert main(["status", *words]) == 0
    shown = capsys.readouterr().out
    assert "10/10" in shown
    rows = read_jsonl(workspace / "annotations.jsonl")
    assert {row["origin"] for row in rows} == {"simulated"}
    assert Counter(row["purpose"] for row in rows) == {"main": 16, "repeat": 4}
    assert all(row["seconds"] > 0 for row in rows)
    html = (workspace / "status.html").read_text()
    assert "These labels are simulated" in html
