"""SIGKILL of our process or of the server, at moments drawn by a seed: every task once, every label kept.

Ten kills of a 10,000-task launch are in benchmarks/launch.md.
"""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from onrecord.campaign.labelstudio import accounts, client, server
from onrecord.campaign.labelstudio.projects import tasks_by_key
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.cli import app
from onrecord.core.files import read_jsonl
from onrecord.core.votes import latest_annotations
from onrecord.scheme.scheme import load_scheme

LABELS = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}


def start_verb(verb, words):
    return subprocess.Popen(
        [sys.executable, "-m", "onrecord", verb, *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def kill_server(workspace):
    pid = server.running(workspace).pid
    os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


@pytest.mark.usefixtures("label_studio_installed")
def test_killed_at_random_moments_no_task_and_no_label_is_lost_or_doubled(campaign_workspace):
    words = campaign_workspace("interrupted")
    workspace, draw = words.workspace, random.Random(7)
    plan = {row["task_id"] for row in read_jsonl(workspace / "plan.jsonl")}
    try:
        server.start(workspace, durable=False)
        began = time.monotonic()
        assert app.main(["launch", *words]) == 0
        whole = time.monotonic() - began + 1
        for victim in ("launch", "server", "launch"):
            with client.connect(workspace) as owner:
                for project in owner.projects():
                    owner.send("DELETE", f"/api/projects/{project.id}/")
            (workspace / "launched.jsonl").unlink(missing_ok=True)
            process = start_verb("launch", words)
            time.sleep(draw.uniform(0.5, whole))
            if victim == "launch":
                process.kill()
                process.wait()
            else:
                kill_server(workspace)
                process.wait()
                server.start(workspace, durable=False)
            assert app.main(["launch", *words]) == 0
            with client.connect(workspace) as owner:
                found = [
                    (key, len(copies))
                    for project in owner.projects()
                    for key, copies in tasks_by_key(owner, project.id).items()
                ]
            assert sorted(found) == sorted((key, 1) for key in plan)

        running = server.running(workspace)
        launched = read_jsonl(workspace / "launched.jsonl")
        kept = accounts.kept_accounts(workspace / "labelstudio" / "accounts.json", running.key)
        for row in launched[:12]:
            with client.LabelStudio(running.url, kept[row["annotator"]]["token"]) as own:
                body = {"result": to_result(LABELS, load_scheme())}
                own.send("POST", f"/api/tasks/{row['ls_task_id']}/annotations/", body)
        process = start_verb("collect", words)  # our process is killed …
        time.sleep(draw.uniform(0.8, 2.0))
        process.kill()
        process.wait()
        process = start_verb("collect", words)  # … and then the server restarts beneath it
        time.sleep(draw.uniform(0.5, 1.2))
        kill_server(workspace)
        server.start(workspace, durable=False)
        process.wait()
        assert app.main(["collect", *words]) == 0
        rows = read_jsonl(workspace / "annotations.jsonl")
        assert len(rows) == len(latest_annotations(rows)) == 12
        assert {row["annotation_id"] for row in rows} == {row["task_id"] for row in launched[:12]}
    finally:
        server.stop(workspace)
