"""One person, one vote, and the right question: accidents of a campaign, each through the real server."""

import csv
import json
import time
from email.utils import formatdate

import pytest

from onrecord.campaign.labelstudio.client import NotFound
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.core.files import read_jsonl, write_jsonl, write_text
from onrecord.scheme.scheme import load_scheme

SCHEME = load_scheme()
LABELS = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}
FAVOR = {**LABELS, "stance": "favor"}
AGAINST = {**LABELS, "stance": "against"}


def edited(launched, who, annotation, labels, seconds=9.5):
    body = {"result": to_result(labels, SCHEME), "lead_time": seconds}
    launched.own[who].send("PATCH", f"/api/annotations/{annotation}/", body)


def gold(launched, *words):
    done = launched.run("adjudicate", *launched.words, *words)
    assert done.returncode == 0, done.stderr
    return {row["sentence_id"]: row for row in read_jsonl(launched.workspace / "gold.jsonl")}


def test_a_project_deleted_and_made_again_is_put_back_and_counts_once(launched):
    first, second, third, *_ = launched.mine()
    launched.annotate(first, FAVOR)
    skip = {"result": [], "was_cancelled": True}
    launched.own["annotator-1"].send(
        "POST", f"/api/tasks/{second['ls_task_id']}/annotations/", skip
    )
    launched.collect()
    before = launched.path.read_bytes()
    launched.owner.send("DELETE", f"/api/projects/{first['project_id']}/")
    said = launched.collect(status=1)
    assert "the project is gone" in said
    assert launched.path.read_bytes() == before
    assert launched.run("status", *launched.words).returncode == 0
    assert "2 collected answers were put back" in launched.launch()
    assert "put back" not in launched.launch()
    again, skipped, third, *_ = launched.mine()
    (made,) = launched.task(again)["annotations"]
    assert made["completed_by"]["id"] == launched.users["annotator-1"]
    assert launched.task(skipped)["annotations"][0]["was_cancelled"]
    assert launched.task(third)["annotations"] == []
    launched.annotate(third, AGAINST)
    for _ in range(2):
        launched.collect("sweep=true")
        assert launched.votes() == {first["task_id"]: FAVOR, third["task_id"]: AGAINST}
    rows = launched.rows()
    assert len(rows) == 3
    assert rows[first["task_id"]]["created_at"] in before.decode()  # still the answer of then
    edited(launched, "annotator-1", made["id"], AGAINST)
    launched.annotate(
        again, FAVOR, seconds=1.5
    )  # and a second answer to the same task: the newest counts
    launched.collect()
    assert launched.votes() == {first["task_id"]: FAVOR, third["task_id"]: AGAINST}
    assert gold(launched)[first["sentence_id"]]["n_annotators"] == 1


def test_a_changed_target_is_refused_until_it_has_a_new_version(launched):
    first, second, *_ = launched.mine()
    other = next(
        r for r in launched.mine("annotator-2") if r["sentence_id"] == first["sentence_id"]
    )
    launched.annotate(first, FAVOR)
    launched.collect()
    changed = "campaign.target.name=tolls on roads"
    for verb in ("launch", "validate", "make"):
        done = launched.run(verb, *launched.words, changed)
        assert done.returncode == 2, verb
        assert "raise `target.version`" in done.stderr
    now = (changed, "campaign.target.version=2")
    assert launched.run("validate", *launched.words, *now).returncode == 0
    launched.launch(*now)
    again, shown, *_ = launched.mine()
    assert again["ls_task_id"] != first["ls_task_id"]  # answered: asked again, the old one stays
    assert launched.task(first)["data"]["target"] != "tolls on roads"
    for row in (again, shown):
        assert launched.task(row)["data"]["target"] == "tolls on roads"
    with pytest.raises(NotFound):
        launched.task(second)
    there = next(r for r in launched.mine("annotator-2") if r["task_id"] == other["task_id"])
    launched.annotate(there, AGAINST)
    launched.collect()
    versions = read_jsonl(launched.workspace / "versions.jsonl")
    assert [line["target_version"] for line in versions] == [1, 2]
    assert {r["annotator"]: r["target_version"] for r in launched.rows().values()} == {
        "annotator-1": 1,
        "annotator-2": 2,
    }
    sentence = first["sentence_id"]
    assert gold(launched, *now)[sentence]["labels"]["stance"] == "against"
    assert gold(launched, *now)[sentence]["n_annotators"] == 1
    done = launched.run("adjudicate", *launched.words, *now)
    assert "kept apart: 1 votes" in done.stdout
    together = "campaign.compatible_versions.target=[1,2]"
    assert sentence not in gold(launched, *now, together)  # one for, one against


def test_what_was_shown_is_what_the_server_shows(launched):
    first, *_ = launched.mine()
    launched.annotate(first)
    plan = launched.workspace / "plan.jsonl"
    rows = [{**r, "suggestion_shown": False} for r in read_jsonl(plan)]
    write_jsonl(plan, rows)
    launched.collect()
    assert launched.rows()[first["task_id"]]["suggestion_shown"] is True  # before any launch
    launched.launch()
    answered, second, *_ = launched.mine()
    assert answered["suggestion_shown"] is True
    assert second["suggestion_shown"] is False
    assert launched.task(second)["predictions"] == []
    launched.annotate(second)
    launched.collect("sweep=true")
    shown = [launched.rows()[row["task_id"]]["suggestion_shown"] for row in (answered, second)]
    assert shown == [True, False]


def test_adjudication_opens_what_is_complete_and_shows_nobody_what_they_will_annotate(launched):
    by = {}
    for row in launched.launched:
        by.setdefault(row["sentence_id"], {})[row["annotator"]] = row
    complete, half, *_ = [s for s, own in by.items() if len(own) == 2]
    launched.annotate(by[complete]["annotator-1"], FAVOR)
    launched.annotate(by[complete]["annotator-2"], AGAINST)
    launched.annotate(by[half]["annotator-1"], FAVOR)
    launched.annotate(by[half]["annotator-1"], AGAINST, seconds=1)
    launched.collect()
    rows = read_jsonl(launched.path)
    other = next(row for row in rows if row["sentence_id"] == half)  # a third person's, from a file
    other = other | {"annotator": "annotator-3", "annotation_id": "elsewhere", "labels": FAVOR}
    other.pop("source_id")
    write_jsonl(launched.path, [*rows, other])
    done = launched.run("adjudicate", *launched.words, "round=open")
    assert done.returncode == 0, done.stderr
    assert "1 sentences are not complete by the plan: left for later" in done.stdout
    opened = [r for r in read_jsonl(launched.workspace / "launched.jsonl") if r["purpose"] == "adjudication"]  # fmt: skip
    assert [(r["sentence_id"], r["annotator"]) for r in opened] == [(complete, "adjudicator")]
    done = launched.run("adjudicate", *launched.words, "round=open", "incomplete=ok")
    assert "opened all the same" in done.stdout
    opened = [r for r in read_jsonl(launched.workspace / "launched.jsonl") if r["purpose"] == "adjudication"]  # fmt: skip
    assert {r["sentence_id"]: r["annotator"] for r in opened} == {
        complete: "adjudicator",
        half: "adjudicator",  # annotator-2 has still to annotate it
    }


def test_what_another_changed_or_entered_is_not_the_owners(launched):
    kept, fresh, posted, *_ = launched.mine()
    owners = launched.annotate(kept, FAVOR)
    launched.collect()
    edited(launched, "annotator-2", owners, AGAINST)
    edited(launched, "annotator-2", launched.annotate(fresh, FAVOR), AGAINST)
    body = {"result": to_result(AGAINST, SCHEME), "completed_by": launched.users["annotator-1"]}
    launched.own["annotator-2"].send(
        "POST", f"/api/tasks/{posted['ls_task_id']}/annotations/", body
    )
    said = launched.collect(status=1)
    assert said.count("changed by annotator-2, not by annotator-1") == 3
    assert launched.votes() == {kept["task_id"]: FAVOR}
    assert "put back" in launched.launch()  # asks again; what was collected is there already
    again = {row["task_id"]: row for row in launched.mine()}
    for row in (kept, fresh, posted):
        now = launched.task(again[row["task_id"]])
        assert now["id"] != row["ls_task_id"]
        assert bool(now["annotations"]) == (row is kept)
    launched.collect()
    assert launched.votes() == {kept["task_id"]: FAVOR}
    launched.annotate(again[fresh["task_id"]], FAVOR, seconds=2)
    launched.collect("sweep=true")
    assert launched.votes() == {kept["task_id"]: FAVOR, fresh["task_id"]: FAVOR}
    before = launched.path.read_bytes()
    launched.launch()
    (launched.workspace / "labelstudio" / "collected.json").unlink()
    launched.collect()
    assert launched.path.read_bytes() == before


def test_the_campaigns_own_export_read_back_changes_nothing(launched, tmp_path):
    first, second, *_ = launched.mine()
    launched.annotate(first, FAVOR)
    launched.annotate(first, AGAINST, seconds=1.5)
    launched.annotate(second, FAVOR)
    launched.annotate(launched.mine("annotator-2")[0], FAVOR)
    launched.collect()
    before = launched.path.read_bytes()
    words = [word for word in launched.words if "labelstudio.url" not in word]
    for number, project in enumerate({row["project_id"] for row in launched.launched}):
        exported = launched.owner.get(f"/api/projects/{project}/export", exportType="JSON")
        assert all(type(a["completed_by"]) is int for task in exported for a in task["annotations"])
        path = tmp_path / f"export-{number}.json"
        path.write_text(json.dumps(exported))
        for names in ((), (f"names={launched.workspace / 'logins.csv'}",)):
            done = launched.run("collect", *words, f"from={path}", *names)
            assert done.returncode == 0, done.stderr
            assert launched.path.read_bytes() == before


def test_a_login_whose_password_is_lost_is_joined_again_and_its_work_counts(launched):
    first, second, third, *_ = launched.mine()
    launched.annotate(first, FAVOR)  # not collected when the file of logins is lost
    old = dict(launched.own)
    launched.logins.rename(launched.logins.with_suffix(".lost"))
    launched.launch()
    with (launched.workspace / "logins.csv").open() as file:
        emails = {row["annotator"]: row["email"] for row in csv.DictReader(file)}
    assert ".2@" in emails["annotator-1"]
    launched.annotate(second, AGAINST)  # by the new login
    body = {"result": to_result(FAVOR, SCHEME), "lead_time": 3}
    old["annotator-1"].send("POST", f"/api/tasks/{third['ls_task_id']}/annotations/", body)
    launched.collect()
    assert launched.votes() == {
        first["task_id"]: FAVOR,
        second["task_id"]: AGAINST,
        third["task_id"]: FAVOR,
    }


def test_what_is_orphaned_can_be_claimed(launched, onrecord):
    first, second, third, *_ = launched.mine()
    email = json.loads(launched.logins.read_text())
    email = next(iter(email.values()))["annotator-1"]["email"]
    launched.annotate(first, FAVOR)
    edited(launched, "annotator-2", launched.annotate(second, FAVOR), AGAINST)
    user = launched.users["annotator-1"]
    launched.owner.send("DELETE", f"/api/users/{user}/")
    launched.launch()  # signs the login up again: another user
    assert launched.users["annotator-1"] != user
    launched.annotate(third, FAVOR)
    said = launched.collect(status=1)
    assert "claim=annotator-1" in said
    assert launched.votes() == {third["task_id"]: FAVOR}
    launched.collect("claim=annotator-1", status=1)
    assert launched.votes() == {first["task_id"]: FAVOR, third["task_id"]: FAVOR}
    (left,) = launched.quarantine().values()
    assert "annotator-2" in left["problem"]
    launched.collect(f"claim=[{left['source_id']}]")
    assert launched.votes()[second["task_id"]] == AGAINST
    before = launched.path.read_bytes()
    launched.collect("sweep=true")  # a claim holds
    assert launched.path.read_bytes() == before
    assert email.startswith("annotator-1.")


def test_a_task_that_another_account_answered_is_reopened_for_its_owner(launched):
    first, *_ = launched.mine()
    launched.annotate(first, AGAINST, who="annotator-2")
    said = launched.collect(status=1)
    assert "completed by annotator-2, not by annotator-1" in said
    assert "`onrecord launch` reopens the task" in said
    launched.launch()
    again, *_ = launched.mine()
    assert launched.task(again)["annotations"] == []
    assert not launched.task(again)["is_labeled"]
    assert again["task_id"] == first["task_id"]
    launched.launch()
    assert launched.mine()[0] == again  # once
    launched.annotate(again, FAVOR)
    launched.collect()
    assert launched.votes() == {first["task_id"]: FAVOR}


def test_what_a_restored_database_lost_stays_and_is_put_back(launched):
    first, second, *_ = launched.mine()
    made = {row["task_id"]: launched.annotate(row, FAVOR) for row in (first, second)}
    launched.collect()
    before = launched.path.read_bytes()
    launched.owner.send("DELETE", f"/api/annotations/{made[first['task_id']]}/")
    launched.owner.send("DELETE", f"/api/tasks/{second['ls_task_id']}/")
    for words in ((), ("sweep=true",)):
        said = launched.collect(*words)
        assert "2 collected annotations are not on the server any more" in said
    assert "2 collected annotations" in launched.run("status", *launched.words).stdout
    assert launched.path.read_bytes() == before
    assert "2 collected answers were put back" in launched.launch()
    assert "not on the server" not in launched.collect()
    assert launched.votes() == {first["task_id"]: FAVOR, second["task_id"]: FAVOR}
    (again,) = launched.task(launched.mine()[0])["annotations"]
    launched.owner.send("DELETE", f"/api/annotations/{again['id']}/")
    assert "1 deleted" in launched.collect("deletions=accept")
    assert launched.votes() == {second["task_id"]: FAVOR}
    assert "put back" not in launched.launch()


def test_a_proxy_whose_clock_is_ahead_hides_no_edit(
    onrecord, onrecord_process, campaign_workspace, labelstudio, proxy, monkeypatch
):
    from tests.campaign.conftest import Campaign

    change, url = proxy
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", labelstudio.token)
    change["headers"]["Date"] = formatdate(time.time() + 60, usegmt=True)
    words = campaign_workspace("clock-ahead")
    launched = Campaign(onrecord, onrecord_process, words, f"labelstudio.url={url}", labelstudio)
    first, *_ = launched.mine()
    made = launched.annotate(first, FAVOR)
    launched.collect()
    edited(launched, "annotator-1", made, AGAINST)
    launched.collect()
    assert launched.votes() == {first["task_id"]: AGAINST}
    state = launched.workspace / "labelstudio" / "collected.json"
    kept = json.loads(state.read_text())
    (mine,) = [s for s in kept[url]["projects"].values() if s["seen"]]
    mine["since"] = "2099-01-01T00:00:00.000000Z"  # a moment that no change can come after
    write_text(state, json.dumps(kept))
    edited(launched, "annotator-1", made, FAVOR)
    launched.collect("sweep=true")  # compares what stands, not counts
    assert launched.votes() == {first["task_id"]: FAVOR}
    launched.close()


def test_the_servers_version_is_asked_first(
    onrecord, campaign_workspace, labelstudio, proxy, monkeypatch
):
    change, url = proxy
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", labelstudio.token)
    words = campaign_workspace("version-asked")
    change["/api/version"] = (
        b'{"release": "1.13.1", "label-studio-os-package": {"version": "1.13.1"}}'
    )
    done = onrecord("launch", *words, f"labelstudio.url={url}")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "Label Studio 1.13.1: expected 1.20.0 or newer (tested with 1.20.0 and 1.23.2)" in done.stderr  # fmt: skip
    change["/api/version"] = b'{"release": "1.99.0"}'
    done = onrecord("serve", *words, f"labelstudio.url={url}")
    assert done.returncode == 0, done.stderr
    assert "WARNING" in done.stderr
    assert "1.99.0; tested with" in done.stderr
