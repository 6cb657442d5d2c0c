"""A workspace is lost and made again: nothing collected, launched or annotated before the backup is missing."""

import io
import json
import shutil
import sqlite3
import stat
import tarfile
import threading

import pytest

from onrecord.campaign.labelstudio import client, server
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.core.files import read_json, read_jsonl
from onrecord.scheme.scheme import load_scheme

LABELS = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}


def annotate(workspace, rows):
    running = server.running(workspace)
    (kept,) = read_json(workspace / "labelstudio" / "accounts.json").values()
    for row in rows:
        with client.LabelStudio(running.url, kept[row["annotator"]]["token"]) as own:
            body = {"result": to_result(LABELS, load_scheme()), "lead_time": 2.5}
            own.send("POST", f"/api/tasks/{row['ls_task_id']}/annotations/", body)


def test_a_lost_workspace_comes_back_with_its_server(
    onrecord, label_studio_installed, campaign_workspace, tmp_path
):
    words = campaign_workspace("kept-safe")
    workspace, archive = words.workspace, tmp_path / "kept.tar.gz"

    def run(*command):
        done = onrecord(*command, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        server.start(workspace, durable=False)
        run("launch")
        rows = read_jsonl(workspace / "launched.jsonl")
        annotate(workspace, rows[:3])
        run("collect")
        annotate(workspace, rows[3:4])  # on the server alone
        busy = threading.Thread(target=annotate, args=(workspace, rows[4:12]))
        busy.start()  # people go on meanwhile
        assert str(archive) in run("backup", f"to={archive}")
        busy.join()
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600
        files = {p.name: p.read_bytes() for p in workspace.iterdir() if p.is_file()}
        accounts = (workspace / "labelstudio" / "accounts.json").read_bytes()
        server.stop(workspace)
        shutil.rmtree(workspace)

        run("restore", f"from={archive}")
        assert {p.name: p.read_bytes() for p in workspace.iterdir() if p.is_file()} == files
        path = workspace / "labelstudio" / "accounts.json"
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (accounts, 0o600)
        database = workspace / "labelstudio" / "label_studio.sqlite3"
        with sqlite3.connect(database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert stat.S_IMODE(database.stat().st_mode) == 0o600
        server.start(workspace, durable=False)
        run("launch")
        run("collect")
        assert read_jsonl(workspace / "launched.jsonl") == rows
        found = {r["annotation_id"] for r in read_jsonl(workspace / "annotations.jsonl")}
        assert {r["task_id"] for r in rows[:4]} <= found <= {r["task_id"] for r in rows[:12]}
        annotate(workspace, rows[12:13])  # with the same login as before
    finally:
        server.stop(workspace)


@pytest.fixture
def backed_up(onrecord, campaign_workspace, tmp_path):
    words = campaign_workspace("small")
    assert onrecord("backup", *words, f"to={tmp_path / 'a.tar.gz'}").returncode == 0
    shutil.rmtree(words.workspace)
    return words, tmp_path / "a.tar.gz"


def changed(archive, change):
    """Write an archive anew with other members."""
    with tarfile.open(archive) as old:
        members = [(m, old.extractfile(m).read()) for m in old.getmembers()]
    with tarfile.open(archive, "w:gz") as new:
        for member, content in change(members):
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))


def outside(members):
    return [*members, (tarfile.TarInfo("../outside.txt"), b"x")]


def altered(members):
    return [(m, c + b" " if m.name == "plan.jsonl" else c) for m, c in members]


def missing(members):
    return [(m, c) for m, c in members if m.name != "plan.jsonl"]


def more(members):
    return [*members, (tarfile.TarInfo("odd.txt"), b"x")]


def others(members):
    return [
        (
            m,
            json.dumps(json.loads(c) | {"campaign": "x"}).encode()
            if m.name == "manifest.json"
            else c,
        )
        for m, c in members
    ]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (outside, "expected an archive"), (altered, "plan.jsonl is not as it was"),
        (missing, "plan.jsonl is not as it was"), (more, "odd.txt is not as it was"),
        (others, "is of the campaign x, not of small"), (lambda m: [], "manifest.json"),
    ],
)  # fmt: skip
def test_an_archive_that_is_not_as_it_was_written_is_refused_and_leaves_nothing(
    onrecord, backed_up, change, complaint
):
    words, archive = backed_up
    changed(archive, change)
    done = onrecord("restore", *words, f"from={archive}")
    assert (done.returncode, complaint in done.stderr) == (2, True), done.stderr
    assert [p.name for p in archive.parent.iterdir()] == [archive.name]


def test_nothing_is_overwritten(onrecord, backed_up, tmp_path):
    words, archive = backed_up
    assert onrecord("restore", *words).returncode == 2
    assert onrecord("restore", *words, f"from={archive}").returncode == 0
    done = onrecord("restore", *words, f"from={archive}")
    assert (done.returncode, "is there already" in done.stderr) == (2, True)
    for to in (archive, words.workspace / "inside.tar.gz"):
        done = onrecord("backup", *words, f"to={to}")
        assert (done.returncode, "expected a new file outside" in done.stderr) == (2, True)
    assert onrecord("backup", *words).returncode == 0
    assert len(list(tmp_path.glob("small.*.tar.gz"))) == 1
    (tmp_path / "text.tar.gz").write_text("no archive")
    shutil.rmtree(words.workspace)
    done = onrecord("restore", *words, f"from={tmp_path / 'text.tar.gz'}")
    assert (done.returncode, "expected an archive of `onrecord backup`" in done.stderr) == (2, True)
    assert onrecord("backup", *words).returncode == 2
