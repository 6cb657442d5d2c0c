"""A back end of a third party: installed beside the package, chosen by the campaign, taken through the real commands."""

import json

import pytest

from onrecord.campaign.backend import open_backend
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl
from onrecord.core.workspace import Workspace

# Keeps everything in one JSON file. Its annotators would edit that file, or a program of their own would.
PAPER = """
import json
from datetime import UTC, datetime

from onrecord.campaign.backend import Answers, Pulled, PulledAnnotation, PulledTask


class Paper:
    def __init__(self, workspace, campaign, address):
        self.path = workspace.folder / "paper.json"
        self.key, self.url = f"paper-{campaign}", str(self.path)
        empty = {"accounts": {}, "projects": {}, "tasks": {}}
        self.all = json.loads(self.path.read_text()) if self.path.exists() else empty

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.path.write_text(json.dumps(self.all))

    def now(self):
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def accounts(self, annotators=()):
        for name in annotators:
            login = {"annotator": name, "email": f"{name}@paper", "password": "-"}
            login["user_id"] = len(self.all["accounts"]) + 1
            self.all["accounts"].setdefault(name, login)
        return self.all["accounts"]

    def mark(self, annotator, *, origin, guidelines_version=None):
        self.all["accounts"][annotator]["origin"] = origin

    def projects(self):
        return {tuple(key.split("/")): number for key, number in self.all["projects"].items()}

    def tasks(self, project):
        tasks = self.all["tasks"].items()
        return {
            key: {"id": t["id"], "text_sha256": t["sha256"], "annotated": bool(t["annotations"])}
            for key, t in tasks
            if t["project"] == project
        }

    def push(self, project, tasks, before):
        from onrecord.core.records import parse_sentence_id, text_sha256

        key = f"{project.round}/{project.annotator}"
        number = self.all["projects"].setdefault(key, len(self.all["projects"]) + 1)
        kept = {key: t for key, t in self.all["tasks"].items() if t["annotations"] or t["project"] != number}
        for task in tasks:
            _, start, end = parse_sentence_id(task.row["sentence_id"])
            text = task.article["text"][start:end]
            new = {"id": len(kept) + 1, "project": number, "text": text, "sha256": text_sha256(text)}
            kept.setdefault(task.row["task_id"], new | {"annotations": []})
        self.all["tasks"] = kept
        return number, self.tasks(number)

    def annotate(self, entries, scheme):
        by_number = {task["id"]: task for task in self.all["tasks"].values()}
        count = 0
        for given in entries.values():
            for number, answers, seconds, _ in given:
                if not by_number[number]["annotations"]:
                    one = {"labels": answers.labels, "seconds": seconds, "at": self.now()}
                    by_number[number]["annotations"].append(one)
                    count += 1
        return count

    def page(self, project):
        return f"{self.path}#{project}"

    def pull(self, request):
        for project in dict.fromkeys(row["project_id"] for row in request.launched):
            found = []
            for row in request.launched:
                task = self.all["tasks"][row["task_id"]]
                if task["project"] == project:
                    made = [
                        PulledAnnotation(str(i), Answers(a["labels"], [], ""), "submitted", task["sha256"],
                                         a["seconds"], a["at"], a["at"])
                        for i, a in enumerate(task["annotations"])
                    ]
                    for one in made:
                        request.scheme_at(one.updated_at).check(one.answers.labels, row["task_id"])
                    source = f"{self.key}/{project}/{task['id']}"
                    found.append(
                        PulledTask(row["task_id"], row["sentence_id"], row["annotator"], source, self.now(), made)
                    )
            yield Pulled(str(project), found)
"""
METADATA = "Metadata-Version: 2.1\nName: paper-backend\nVersion: 1.0\n"
ENTRY = "[onrecord.backends]\npaper = paper_backend:Paper\n"


@pytest.fixture
def paper(tmp_path, monkeypatch, onrecord):
    """Install a distribution with the back end into a folder of the path; return how to run commands."""
    information = tmp_path / "installed" / "paper_backend-1.0.dist-info"
    information.mkdir(parents=True)
    (tmp_path / "installed" / "paper_backend.py").write_text(PAPER)
    (information / "entry_points.txt").write_text(ENTRY)
    (information / "METADATA").write_text(METADATA)
    monkeypatch.syspath_prepend(tmp_path / "installed")

    def run(*words):
        done = onrecord(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_back_end_from_outside_walks_from_plan_to_status(paper, campaign_workspace):
    words = campaign_workspace("on-paper")
    workspace = Workspace(words.workspace)
    words = [*words, "campaign.backend=paper", "campaign.origin=people"]
    paper("plan", *words, "annotators=2", "budget=6")
    plan = read_jsonl(workspace.plan)
    assert "in 2 projects" in paper("launch", *words)
    assert "12 tasks" in paper("launch", *words)  # again: nothing doubles
    assert {row["task_id"] for row in read_jsonl(workspace.launched)} == {
        r["task_id"] for r in plan
    }
    logins = workspace.logins.read_text()
    assert "annotator-2@paper" in logins
    assert "paper.json#2" in logins
    path = workspace.folder / "paper.json"
    kept = json.loads(path.read_text())
    first = plan[0]["task_id"]
    labels = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}
    kept["tasks"][first]["annotations"] = [
        {"labels": labels, "seconds": 9.5, "at": "2026-01-05T10:00:00.000000Z"}
    ]
    path.write_text(json.dumps(kept))
    assert "1 new lines; annotations: 1 submitted" in paper("collect", *words)
    assert "0 new lines" in paper("collect", *words)
    (row,) = read_jsonl(workspace.annotations)
    assert (row["annotation_id"], row["labels"], row["origin"]) == (first, labels, "people")
    kept["tasks"][first]["annotations"] = []
    path.write_text(json.dumps(kept))
    assert "1 collected annotations are not on the server any more" in paper("collect", *words)
    assert "1 deleted" in paper("collect", *words, "deletions=accept")
    seats = ["simulate=true", "seats=[annotator-2]"]
    assert "Created 6 simulated annotations" in paper("launch", *words, *seats)
    assert "6/6" in paper("status", *words)
    assert {r["origin"] for r in read_jsonl(workspace.annotations)} == {"people", "simulated"}


def test_an_unknown_back_end_is_named_beside_those_there_are(tmp_path):
    with pytest.raises(BadInput, match=r"campaign\.backend=potato: expected one of labelstudio"):
        open_backend("potato", Workspace(tmp_path), "c", None)
