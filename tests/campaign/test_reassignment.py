"""People who come and go: what they left goes to others, and all else stays; through the real server at last."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.campaign import plan as planning
from onrecord.campaign.labelstudio import client
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.campaign.planning.reassignment import Changes, changes_of, is_left, reassigned
from onrecord.core.files import read_json, read_jsonl
from onrecord.scheme.scheme import load_scheme

NAMES = ["ada", "ben", "cam"]
NOW = datetime(2026, 2, 1, tzinfo=UTC)
LABELS = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}
NOTHING = Changes({}, [], None, {}, [], [])
SHA = {f"s{i}": "x" for i in range(40)}


def base(overlap=2, size=18, repeats=0.2, qualification=2):
    """A plan for three, with checks, repeats and a qualification."""
    design = planning.Design(tuple(NAMES), overlap, repeats_share=repeats)
    return planning.plan_rows(
        {f"s{i}": 1.0 for i in range(size)}, design, sha256_of=SHA, checks=["s30", "s31"],
        qualification=[[f"s{35 + i}" for i in range(qualification)]] if qualification else [],
    )  # fmt: skip


def answered(row, status="submitted", **more):
    return {
        "annotation_id": row["task_id"], "annotator": row["annotator"], "status": status,
        "updated_at": "2026-01-30T10:00:00Z", "guidelines_version": "1.0.0", "scheme_version": 1, **more,
    }  # fmt: skip


def key(row):
    return (
        row["round"],
        row["purpose"],
        row["annotator"],
        row["sentence_id"],
        row["task_id"],
        row.get("paused"),
    )


ASKED = st.one_of(
    st.builds(lambda a, b: NOTHING._replace(replace={a: b}), st.sampled_from(NAMES), st.sampled_from(["dan", "eve", None, ["ben", "fay"]])),
    st.builds(lambda a: NOTHING._replace(add=a), st.sampled_from([["dan"], ["gil", "hal"]])),
    st.builds(lambda a, b: NOTHING._replace(again={a: b}), st.sampled_from(NAMES), st.sampled_from(["skipped", "all"])),
    st.builds(lambda a: NOTHING._replace(pause=[a]), st.sampled_from(NAMES)),
    st.builds(lambda a: NOTHING._replace(resume=[a]), st.sampled_from(NAMES)),
)  # fmt: skip


@given(
    st.lists(st.tuples(ASKED, st.randoms(use_true_random=False)), max_size=6),
    st.sampled_from([1, 2, 3]),
)
def test_whatever_happens_done_work_stays_and_nobody_has_a_sentence_twice(steps, overlap):
    first = base(overlap)
    rows, log, done = first, [], {}
    for asked, draw in steps:
        for row in draw.sample(rows, min(4, len(rows))):
            if is_left(row, done) and not row.get("paused"):
                done[row["task_id"]] = answered(row, draw.choice(["submitted", "skipped"]))
        known = {row["annotator"] for row in rows}
        if not {*asked.replace, *asked.again, *asked.pause, *asked.resume} <= known or known & {
            *asked.add
        }:
            continue
        changes = changes_of(rows, done, asked, [], NOW)
        touched = {
            (c.get("round"), c.get("purpose"), c["annotator"], c.get("sentence_id"))
            for c in changes
        }
        after = reassigned(rows, changes, SHA, done, log)
        log = log + changes
        same = {key(r)[:5] for r in rows if key(r)[:4] not in touched}
        assert same <= {
            key(r)[:5] for r in after
        }  # everyone else's tasks, and what the leaver has done
        kept = {r["task_id"] for r in rows if not is_left(r, done)}
        assert asked.again or kept <= {r["task_id"] for r in after}
        rows = after
        main = [(r["annotator"], r["sentence_id"]) for r in rows if r["purpose"] == "main"]
        assert len(main) == len(set(main))
        assert len({r["task_id"] for r in rows}) == len(rows)
        assert sorted(s for _, s in main) == sorted(
            r["sentence_id"] for r in first if r["purpose"] == "main"
        )
        places = [(r["annotator"], r["round"], r["position"]) for r in rows]
        assert len(places) == len(set(places))
    assert {key(r) for r in reassigned(first, log, SHA, done)} == {
        key(r) for r in rows
    }  # a new plan: the same


def test_a_newcomer_takes_a_fair_share_and_is_qualified_and_checked_as_all():
    rows = base(repeats=0)
    done = {
        r["task_id"]: answered(r)
        for r in rows
        if r["annotator"] == "ada" and r["purpose"] == "main"
    }
    after = reassigned(
        rows, changes_of(rows, done, NOTHING._replace(add=["dan"]), [], NOW), SHA, done
    )
    left = {name: sum(r["purpose"] == "main" and is_left(r, done) for r in after if r["annotator"] == name) for name in ("ada", "ben", "cam", "dan")}  # fmt: skip
    assert left["ada"] == 0
    assert (
        max(left["ben"], left["cam"], left["dan"]) - min(left["ben"], left["cam"], left["dan"]) <= 3
    )
    mine = [r for r in after if r["annotator"] == "dan"]
    assert {r["purpose"] for r in mine} == {"main", "check", "qualification"}


def test_who_is_idle_hands_over_and_who_never_began_does_too():
    rows = base(repeats=0, qualification=0)
    old = {
        r["task_id"]: answered(r, updated_at="2026-01-01T10:00:00Z")
        for r in rows
        if r["annotator"] == "ada"
    }
    done = dict(list(old.items())[:3])
    ben = next(r for r in rows if r["annotator"] == "ben")
    done[ben["task_id"]] = answered(ben)
    changes = changes_of(rows, done, NOTHING._replace(idle=14), [], NOW)
    assert {c["annotator"] for c in changes} == {"ada", "cam"}
    assert {c["to"] for c in changes} - {""} == {"ben"}
    assert changes_of(rows, {}, NOTHING._replace(idle=14), [], NOW + timedelta(days=99)) == []


def test_what_was_skipped_or_is_outdated_is_asked_again_each_time_under_a_key_of_its_own():
    rows = base(repeats=0, qualification=0)
    mine = [r for r in rows if r["annotator"] == "ada" and r["purpose"] == "main"]
    done = {mine[0]["task_id"]: answered(mine[0], "skipped"), mine[1]["task_id"]: answered(mine[1])}
    log, seen = [], {r["task_id"] for r in rows}
    for _ in range(3):
        changes = changes_of(rows, done, NOTHING._replace(again={"ada": "skipped"}), [], NOW)
        assert [c["sentence_id"] for c in changes] == [mine[0]["sentence_id"]]
        rows = reassigned(rows, changes, SHA, done, log)
        log += changes
        (new,) = [r for r in rows if r["task_id"] not in seen]
        seen.add(new["task_id"])
        done[new["task_id"]] = answered(new, "skipped")
    versions = [
        {"guidelines_version": "1.0.0", "scheme_version": 1},
        {"guidelines_version": "1.1.0", "scheme_version": 1},
    ]
    changes = changes_of(rows, done, NOTHING._replace(again={"ada": "outdated"}), versions, NOW)
    assert {c["sentence_id"] for c in changes} == {r["sentence_id"] for r in mine[:2]}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["replace={zoe: dan}"], "the plan has no annotator 'zoe'"),
        (["replace=ada"], "replace: expected NAME: VALUE pairs"),
        (["add=[annotator-1]"], "annotator-1 is in the plan already"),
        (["add=[a b]"], "expected a number or a list of different pseudonyms"),
        (["again={annotator-1: tired}"], "expected one of skipped, rejected, outdated, all, found 'tired'"),
        (["pause=annotator-1"], "pause: expected a list"),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_is_one_line(onrecord, campaign_workspace, words, complaint):
    done = onrecord("plan", *campaign_workspace("unchanged"), *words)
    assert (done.returncode, complaint in done.stderr) == (2, True), done.stderr


def test_an_annotator_is_replaced_paused_and_asked_again_on_the_server(
    onrecord, labelstudio, team_server, campaign_workspace
):
    words = campaign_workspace("people")
    workspace = words.workspace

    def run(*command):
        done = onrecord(*command, *words, *([team_server] if command[0] != "plan" else []))
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def active():
        rows = read_jsonl(workspace / "launched.jsonl")
        return {r["task_id"]: r for r in rows if r["state"] == "active"}

    run("plan", "annotators=[ada,ben]", "overlap=1")
    run("launch")
    before = active()
    mine = [r for r in before.values() if r["annotator"] == "ada"]
    kept = read_json(workspace / "labelstudio" / "accounts.json")[labelstudio.url]
    with client.LabelStudio(labelstudio.url, kept["ada"]["token"]) as own:
        for row, skipped in ((mine[0], False), (mine[1], True)):
            body = {
                "result": [] if skipped else to_result(LABELS, load_scheme()),
                "was_cancelled": skipped,
            }
            own.send("POST", f"/api/tasks/{row['ls_task_id']}/annotations/", body)
    run("collect")
    assert f"{len(mine) - 2} to dan" in run("plan", "replace={ada: dan}")
    run("launch")
    after = active()
    assert {k for k, r in before.items() if r["annotator"] == "ben"} <= after.keys()
    assert {r["task_id"] for r in after.values() if r["annotator"] == "ada"} == {
        mine[0]["task_id"],
        mine[1]["task_id"],
    }
    dans = {r["sentence_id"] for r in after.values() if r["annotator"] == "dan"}
    assert dans == {r["sentence_id"] for r in mine[2:]}
    assert "dan" in (workspace / "logins.csv").read_text()
    with client.LabelStudio(labelstudio.url, labelstudio.token) as owner:
        there = [t["id"] for t in owner.tasks(mine[0]["project_id"])]
    assert sorted(there) == sorted([mine[0]["ls_task_id"], mine[1]["ls_task_id"]])

    run("plan", "pause=[ben]")
    run("launch")
    assert "ben" not in {r["annotator"] for r in active().values()}
    run("plan", "resume=[ben]")
    run("plan", "again={ada: skipped}")
    run("launch")
    now = active()
    assert {k for k, r in before.items() if r["annotator"] == "ben"} <= now.keys()
    (again,) = [r for r in now.values() if r["annotator"] == "ada" and r["task_id"] not in before]
    assert again["sentence_id"] == mine[1]["sentence_id"]
    steps = json.loads((workspace / ".steps.json").read_text())
    assert {"annotators=[ada,ben]", "overlap=1"} <= {*steps["plan"]["words"]}
    plan = read_jsonl(workspace / "plan.jsonl")
    run("plan", "annotators=[ada,ben]", "overlap=1")  # as `make` would: the changes are made again
    keys = {r["task_id"] for r in read_jsonl(workspace / "plan.jsonl")}
    assert keys == {r["task_id"] for r in plan}
