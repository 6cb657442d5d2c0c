"""The plan on a real Label Studio: each task once, whatever is interrupted, repeated or changed."""

import csv
import json
import stat
import threading
from collections import Counter

import pyarrow.parquet as pq
import pytest

from onrecord import ROOT
from onrecord.campaign.labelstudio import client, projects
from onrecord.campaign.labelstudio.label_config import render_label_config
from onrecord.campaign.task_content import ATTRIBUTOR
from onrecord.cli import app
from onrecord.core.files import read_jsonl
from onrecord.scheme.scheme import load_scheme


def tasks(keys, sha="a"):
    names = ("sentence", "before", "after", "headline", "outlet", "published", "target", "opposite")
    blank = dict.fromkeys(names, "") | {"names": []}
    return [{"data": {**blank, "onrecord_id": key, "text_sha256": sha}} for key in keys]


@pytest.fixture
def owner(labelstudio):
    with client.LabelStudio(labelstudio.url, labelstudio.token) as connection:
        yield connection


@pytest.fixture
def project(owner):
    made = owner.send(
        "POST",
        "/api/projects/",
        {"title": "launch test", "label_config": render_label_config(load_scheme())},
    )
    return made["id"]


def fill(owner, project, wanted, tmp_path):
    stand = projects.fill_project(
        owner, project, wanted, before={}, is_new=False, journal=tmp_path / "importing.json"
    )
    on_server = projects.tasks_by_key(owner, project)
    assert {key: len(copies) for key, copies in on_server.items()} == dict.fromkeys(stand, 1)
    return stand


def test_filling_twice_leaves_as_many_as_once(owner, project, tmp_path):
    wanted = tasks(f"k{n}" for n in range(25))
    first = fill(owner, project, wanted, tmp_path)
    assert fill(owner, project, wanted, tmp_path) == first
    assert list(first) == [f"k{n}" for n in range(25)]
    assert sorted(task["id"] for task in first.values()) == [t["id"] for t in first.values()]


def test_a_changed_plan_adds_and_retires_but_deletes_nothing_annotated(owner, project, tmp_path):
    first = fill(owner, project, tasks(["a", "b", "c", "d"]), tmp_path)
    answer = {"result": [], "was_cancelled": False}
    owner.send("POST", f"/api/tasks/{first['a']['id']}/annotations/", answer)
    owner.send(
        "POST", f"/api/tasks/{first['b']['id']}/annotations/", {"result": [], "was_cancelled": True}
    )
    owner.send("POST", f"/api/tasks/{first['c']['id']}/drafts?project={project}", {"result": []})
    now = fill(owner, project, tasks(["e"]), tmp_path)
    assert set(now) == {"a", "b", "c", "e"}  # annotated, skipped, with a draft, new
    assert {key: now[key]["id"] for key in "abc"} == {key: first[key]["id"] for key in "abc"}


def test_a_task_whose_text_changed_is_made_anew(owner, project, tmp_path):
    first = fill(owner, project, tasks(["a", "b"]), tmp_path)
    now = fill(owner, project, tasks(["a"], sha="other") + tasks(["b"]), tmp_path)
    assert now["a"]["text_sha256"] == "other"
    assert now["b"]["id"] == first["b"]["id"]


def test_an_annotated_task_whose_text_changed_stays_beside_a_new_one(owner, project, tmp_path):
    first = fill(owner, project, tasks(["a"]), tmp_path)
    owner.send("POST", f"/api/tasks/{first['a']['id']}/annotations/", {"result": []})
    for _ in range(2):
        now = projects.fill_project(
            owner, project, tasks(["a"], sha="other"), before={}, is_new=False,
            journal=tmp_path / "importing.json",
        )  # fmt: skip
        assert now["a"]["id"] != first["a"]["id"]
        copies = projects.tasks_by_key(owner, project)["a"]
        assert [(t["text_sha256"], t["annotated"]) for t in copies] == [
            ("a", True),
            ("other", False),
        ]


def test_what_two_imports_made_twice_is_taken_back(owner, project, tmp_path):
    """A call that was still under way when a launch was killed comes to its end after the next has asked."""
    wanted = tasks(["a", "b", "c"])
    path = f"/api/projects/{project}/import"
    owner.send("POST", path, wanted)
    owner.send("POST", path, wanted)
    twice = projects.tasks_by_key(owner, project)
    annotated = twice["b"][1]["id"]
    owner.send("POST", f"/api/tasks/{annotated}/annotations/", {"result": []})
    now = fill(owner, project, wanted, tmp_path)
    assert now["b"]["id"] == annotated
    assert set(now) == {"a", "b", "c"}


def test_a_call_left_under_way_by_a_killed_launch_is_waited_for(owner, project, tmp_path):
    wanted = tasks(["a", "b"])
    journal = tmp_path / "importing.json"
    left = {"server": owner.key, "project": project, "texts": {"a": "a", "b": "a"}}
    journal.write_text(json.dumps(left))
    late = threading.Timer(1.0, owner.send, ("POST", f"/api/projects/{project}/import", wanted))
    late.start()
    projects.finish_interrupted_import(owner, journal)
    late.join()
    assert not journal.exists()
    first = projects.tasks_by_key(owner, project)
    assert set(first) == {"a", "b"}
    assert fill(owner, project, wanted, tmp_path) == {k: copies[0] for k, copies in first.items()}


def test_the_same_project_is_found_again_and_brought_up_to_date(owner):
    settings = {
        "title": "T · main · annotator-1",
        "label_config": render_label_config(load_scheme()).strip(),
        "guidelines": "<p>1</p>",
    }
    made = projects.ensure_project(owner, {}, "key of this test", **settings)
    known = {project.description: project for project in owner.projects()}
    assert known["key of this test"].id == made.id
    settings["guidelines"] = "<p>2</p>"
    projects.ensure_project(owner, known, "key of this test", **settings)
    now = owner.sdk.projects.get(made.id)
    assert (now.expert_instruction, now.label_config) == ("<p>2</p>", projects.NO_CONFIG)
    for config in (
        settings["label_config"],
        projects.NO_CONFIG,
    ):  # given once the tasks are there, and once
        projects.configure(owner, now, config)
        now = owner.sdk.projects.get(made.id)
        assert now.label_config == settings["label_config"]
    (view,) = owner.get("/api/dm/views/", project=made.id)
    hidden = view["data"]["hiddenColumns"]
    assert {"tasks:id", "tasks:data.sentence"}.isdisjoint(hidden["explore"] + hidden["labeling"])
    settings["label_config"] = settings["label_config"].replace("or-article", "or-article or-wide")
    projects.ensure_project(owner, {"key of this test": now}, "key of this test", **settings)
    changed = owner.sdk.projects.get(made.id).label_config
    assert changed == settings["label_config"] != now.label_config


def test_launching_twice_through_the_command_line(onrecord, team_server, campaign_workspace):
    """What ../shared/checks/05-launch-twice asks, and that the logins are private."""
    words = campaign_workspace("launch-twice")
    workspace = words.workspace
    first = onrecord("launch", *words, team_server)
    assert first.returncode == 0, first.stderr
    before = (workspace / "launched.jsonl").read_bytes()
    assert onrecord("launch", *words, team_server).returncode == 0
    assert (workspace / "launched.jsonl").read_bytes() == before
    assert len(before.splitlines()) == len((workspace / "plan.jsonl").read_text().splitlines())
    logins = workspace / "logins.csv"
    assert stat.S_IMODE(logins.stat().st_mode) == 0o600
    with logins.open() as file:
        assert [row["annotator"] for row in csv.DictReader(file)] == ["annotator-1", "annotator-2"]


def test_a_trained_model_suggests_its_stance_but_not_to_the_control_arm(
    campaign_workspace, team_server, owner
):
    """A real run: labels read, decided, built, learnt, predicted; then launched with its predictions."""
    words = campaign_workspace("a-model-suggests")
    workspace, run = words.workspace, words.workspace / "run"
    planned = {row["sentence_id"] for row in read_jsonl(workspace / "plan.jsonl")}
    known = [
        r for r in read_jsonl(ROOT / "data/sample/writer.jsonl") if r["sentence_id"] in planned
    ]
    with (workspace / "writer.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["sentence_id", "annotator", "question", "label"])
        for row in known:
            table.writerows([row["sentence_id"], "writer", *said] for said in row["labels"].items())
    for verb, *more in (
        ("collect", f"from={workspace / 'writer.csv'}", "format=csv"),
        ("adjudicate",),
        ("build", "split=kfold"),
        ("train", "allow_small=true", f"run={run}"),
        ("predict", f"run={run}"),
        ("plan", "annotators=1", "control_share=0.3"),
        ("launch", team_server, f"predictions={workspace / 'predictions.parquet'}"),
    ):
        assert app.main([verb, *words, *more]) == 0, verb
    signature = json.loads((workspace / "predictions.json").read_text())["run"]
    predicted = {
        row["id"]: row["predicted"]
        for row in pq.read_table(workspace / "predictions.parquet").to_pylist()
    }
    launched = {row["task_id"]: row for row in read_jsonl(workspace / "launched.jsonl")}
    project = next(iter(launched.values()))["project_id"]
    arms = Counter(row["suggestion_shown"] for row in launched.values())
    assert arms[False] >= 3
    for task in owner.tasks(project, fields="all"):
        row = launched.pop(task["data"]["onrecord_id"])
        found = {
            (one["from_name"], *one["value"]["choices"])
            for offered in task["predictions"]
            for one in offered["result"]
        }
        if not row["suggestion_shown"]:
            assert task["predictions"] == []
            continue
        assert [p["model_version"] for p in task["predictions"]] == [f"{ATTRIBUTOR} + {signature}"]
        assert ("stance", predicted[row["sentence_id"]]) in found
    assert not launched
    assert owner.get(f"/api/projects/{project}/")["model_version"] == f"{ATTRIBUTOR} + {signature}"


@pytest.mark.parametrize(
    ("verb", "missing", "complaint"),
    [
        ("launch", "plan.jsonl", "run `onrecord plan` first"),
        ("launch", "speakers.parquet", "run `onrecord attribute` first"),
        ("collect", "launched.jsonl", "run `onrecord launch` first"),
        ("launch", None, "run `onrecord serve`"),
    ],
)
def test_a_step_before_the_one_it_needs_names_the_verb_to_run(
    onrecord, campaign_workspace, verb, missing, complaint
):
    words = campaign_workspace("too-early")
    if missing:
        (words.workspace / missing).unlink(missing_ok=True)
    before = sorted(p.name for p in words.workspace.iterdir())
    done = onrecord(verb, *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert complaint in done.stderr
    assert sorted(p.name for p in words.workspace.iterdir()) == before


def test_a_server_that_is_down_or_refuses_the_token_is_one_line(
    onrecord, campaign_workspace, labelstudio, monkeypatch
):
    words = campaign_workspace("refused")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "0" * 40)
    for url, complaint in (
        ("http://127.0.0.1:9", "no Label Studio answers at http://127.0.0.1:9"),
        (labelstudio.url, "does not accept the token"),
    ):
        done = onrecord("launch", *words, f"labelstudio.url={url}")
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert complaint in done.stderr
    assert not (words.workspace / "launched.jsonl").exists()
    assert not (words.workspace / "versions.jsonl").exists()
