"""Progress, qualification and what is known of them: figures by hand, and the verb on a real Label Studio."""

from datetime import UTC, datetime

import pytest

from onrecord import ROOT
from onrecord.campaign.planning.qualification import (
    Score,
    feedback_page,
    known_answers,
    launchable_rows,
    results,
    score,
)
from onrecord.campaign.progress import (
    consistency,
    outlook,
    progress,
    to_read,
)
from onrecord.campaign.status import agreement_so_far
from onrecord.core.records import text_sha256
from onrecord.scheme.guideline_clauses import rules_for
from onrecord.scheme.scheme import load_scheme

SCHEME = load_scheme(ROOT / "annotation")
GOOD = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}
ANSWERS = {f"a:{i}-{i + 1}": {"labels": GOOD, "why": ""} for i in range(3)}


def annotation(i=0, annotator="annotator-1", **changes):
    row = {
        "annotation_id": f"{annotator}-{i}", "sentence_id": f"a:{i}-{i + 1}", "annotator": annotator, "round": "main",
        "labels": GOOD, "status": "submitted", "purpose": "main", "seconds": 20.0, "flags": [], "comment": "",
        "created_at": f"2026-01-05T09:0{i}:00.000000Z", "updated_at": f"2026-01-05T09:0{i}:00.000000Z",
    }  # fmt: skip
    return row | changes


def qualifying(tries=1):
    names = ["qualification", "qualification-2"][:tries]
    rows = [
        {"annotator": "annotator-1", "round": name, "sentence_id": f"a:{i}-{i + 1}", "purpose": "qualification"}
        for name in names for i in range(2)
    ]  # fmt: skip
    return [
        *rows,
        {"annotator": "annotator-1", "round": "main", "sentence_id": "a:9-10", "purpose": "main"},
    ]


def qualified(wrong=0, **changes):
    rows = [
        annotation(i, purpose="qualification", round="qualification", **changes) for i in range(2)
    ]
    for row in rows[:wrong]:
        row["labels"] = GOOD | {"stance": "favor", "claim_type": "policy"}
    return rows


@pytest.mark.parametrize(
    ("rows", "state", "right"),
    [
        pytest.param([], "open", 0, id="nothing done"),
        pytest.param(qualified()[:1], "open", 3, id="half done"),
        pytest.param(qualified(), "passed", 6, id="all right"),
        pytest.param(qualified(wrong=1), "failed", 4, id="two of six wrong"),
        pytest.param(qualified(status="skipped"), "failed", 0, id="all skipped"),
    ],
)
def test_a_qualification_is_passed_failed_or_open(rows, state, right):
    (row,) = results(qualifying(), rows, ANSWERS, SCHEME, pass_mark=0.7)
    assert (row["state"], row["right"]) == (state, right)


def test_only_who_passed_goes_on_and_who_failed_tries_again():
    plan = qualifying(tries=2)

    def rounds(*states):
        outcome = [
            {"annotator": "annotator-1", "round": r, "state": s}
            for r, s in zip(["qualification", "qualification-2"], states, strict=True)
        ]
        return [*dict.fromkeys(row["round"] for row in launchable_rows(plan, outcome))]

    assert rounds("open", "open") == ["qualification"]
    assert rounds("passed", "open") == ["qualification", "main"]
    assert rounds("failed", "open") == ["qualification", "qualification-2"]
    assert rounds("failed", "failed") == ["qualification", "qualification-2"]
    assert rounds("failed", "passed") == ["qualification", "qualification-2", "main"]
    assert launchable_rows(plan, []) == plan


def test_a_question_without_a_known_answer_is_not_scored():
    rows = [{"sentence_id": "a:0-1", "labels": {"stance": "favor", "claim_type": None}}]
    answers = known_answers([*rows, {"sentence_id": "b:0-1", "labels": {}}], ["a:0-1"])
    assert list(answers) == ["a:0-1"]
    assert score([annotation()], answers, SCHEME) == Score(0, 1)


def test_every_label_of_the_guidelines_with_a_rule_is_explained_by_it():
    guidelines = (ROOT / "annotation" / "guidelines.md").read_text(encoding="utf-8")
    assert "should, must" in rules_for(guidelines, "claim_type", "policy")[0]
    assert rules_for(guidelines, "stance", "against") == ["rule 3: The reverse → against."]
    assert len(rules_for(guidelines, "speaker", "author")) == 3
    assert rules_for(guidelines, "stance", "no such label") == []


def test_each_wrong_answer_is_explained_and_text_is_escaped():
    outcome = results(qualifying(), qualified(wrong=1), ANSWERS, SCHEME, 0.7)
    html = feedback_page(
        "annotator-1", rows=qualified(wrong=1), answers=ANSWERS, texts=dict.fromkeys(ANSWERS, "<b>x"),
        scheme=SCHEME, guidelines="## Question: stance\n1. Nothing named -> none.", outcome=outcome,
    )  # fmt: skip
    assert "2 of 3 to look at again" in html
    assert "All right" in html
    assert "rule 1: Nothing named → none." in html
    assert "4 of 6 answers right, failed" in html
    assert "<b>x" not in html


def test_pace_leaves_breaks_out_and_the_end_keeps_them_in():
    moments = [
        "2026-01-05T09:00:00Z",
        "2026-01-05T09:01:00Z",
        "2026-01-05T11:00:00Z",
        "2026-01-05T11:01:00Z",
    ]
    pace, end = outlook(moments, 4, datetime(2026, 1, 5, 12, 0, tzinfo=UTC))
    assert pace == 60
    assert end == datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
    assert outlook(moments[:1], 4, datetime.now(UTC)) == (None, None)


def test_progress_counts_what_is_in_the_plan():
    tasks = [
        {"annotator": "annotator-1", "round": "main", "task_id": f"annotator-1-{i}", "state": s}
        for i, s in enumerate(["active", "active", "active", "retired"])
    ]
    rows = [
        annotation(0),
        annotation(1, status="skipped"),
        annotation(3),
        annotation(2, status="deleted"),
    ]
    (row,) = progress(tasks, rows, {}, SCHEME, datetime(2026, 1, 5, 10, tzinfo=UTC))
    assert (row.tasks, row.done, row.skipped, row.left, row.seconds) == (3, 1, 1, 1, 20.0)


def test_hidden_checks_and_repeats_are_scored_apart():
    other = GOOD | {"stance": "favor"}
    rows = [annotation(0), annotation(4, sentence_id="a:0-1", purpose="repeat", labels=other)]
    assert consistency(rows, SCHEME) == Score(3, 4)
    checks = [annotation(1, purpose="check", labels=other)]
    assert score(checks, ANSWERS, SCHEME) == Score(2, 3)


def test_agreement_so_far_leaves_out_what_does_not_count():
    sentences = [
        {"sentence_id": f"a:{i}-{i + 1}", "group_id": f"g{i}", "furniture": "bio" if i == 3 else None, "text": "x"}
        for i in range(4)
    ]  # fmt: skip
    rows = [
        annotation(i, who, text_sha256=text_sha256("x"), labels=GOOD | {"stance": stance})
        for i, stance in enumerate(["favor", "none", "none", "favor"]) for who in ("a", "b")
    ]  # fmt: skip
    rows[1]["purpose"] = "check"
    rows[3]["text_sha256"] = text_sha256("as it was before")
    found = agreement_so_far(rows, sentences, SCHEME)["stance"]
    assert (found["n_pairable"], found["alpha"]) == (1, None)


def test_what_is_marked_comes_newest_first():
    rows = [annotation(0, comment="hm"), annotation(1), annotation(2, flags=["needs_context"])]
    assert [r["annotation_id"] for r in to_read(rows)] == ["annotator-1-2", "annotator-1-0"]
