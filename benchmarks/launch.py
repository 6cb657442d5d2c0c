"""Launch 10,000 tasks: against one call a task, and with SIGKILL at ten random moments; then collect.

python benchmarks/launch.py [TASKS] [KILLS]
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from made_campaign import make_campaign

from onrecord import cli
from onrecord.campaign import client, server
from onrecord.campaign.answers import to_result
from onrecord.campaign.projects import fill_project, standing
from onrecord.campaign.tasks import tasks_of
from onrecord.records import ARTICLES, SENTENCES, SPEAKERS, read_jsonl, read_parquet
from onrecord.scheme import load_scheme

NAIVE = 200  # tasks sent one by one, for the ratio
CHANGED = 50


def verb(name: str, workspace: Path, *more: str) -> "subprocess.Popen[bytes]":
    words = ["campaign.name=bench", f"workspace={workspace}", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "onrecord.cli", name, *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def finish(process: "subprocess.Popen[bytes]") -> None:
    _, said = process.communicate()
    if process.returncode:
        sys.exit(said.decode())


def timed(name: str, workspace: Path, *more: str) -> float:
    began = time.monotonic()
    finish(verb(name, workspace, *more))
    return time.monotonic() - began


def keys_on(workspace: Path) -> Counter:
    with client.connect(workspace) as owner:
        found: Counter = Counter()
        for project in owner.projects():
            if project["description"].startswith("On Record"):
                for key, copies in standing(owner, project["id"]).items():
                    found[key] += len(copies)
        return found


def killed(workspace: Path, plan, kills: int, seconds: float, draw: random.Random) -> None:
    """Kill our process or the server at random moments of a launch; launch again; count what stands."""
    for number in range(kills):
        with client.connect(workspace) as owner:
            for project in owner.projects():
                owner.send("DELETE", f"/api/projects/{project['id']}/")
        (workspace / "launched.jsonl").unlink(missing_ok=True)
        moment = draw.uniform(1.0, seconds)
        process = verb("launch", workspace)
        time.sleep(moment)
        victim = ("launch", "server")[number % 2]
        if victim == "launch":
            process.kill()
            process.wait()
        else:
            pid = server.running(workspace).pid
            os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
            process.communicate()
            server.start(workspace, durable=False)
        half = sum(keys_on(workspace).values())
        took = timed("launch", workspace)
        now = keys_on(workspace)
        wrong = sum(count != 1 for count in now.values())
        print(
            f"| {victim} | {moment:.1f} | {half} | {len(now)} | {wrong} | {took:.1f} |", flush=True
        )
        if len(now) != len(plan) or wrong:
            sys.exit("not each task once")


def main() -> None:
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    draw = random.Random(20260105)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "ws"
        plan = make_campaign(workspace, sentences=tasks)
        began = time.monotonic()
        running = server.start(workspace, durable=False)
        print(f"serve: {time.monotonic() - began:.1f} s", flush=True)
        try:
            took = timed("launch", workspace)
            again = timed("launch", workspace)
            first = read_jsonl(workspace / "launched.jsonl")[0]
            with client.connect(workspace) as owner:
                data = owner.get(f"/api/tasks/{first['ls_task_id']}/")["data"]
                config = owner.get(f"/api/projects/{first['project_id']}/")["label_config"]
                made = owner.send(
                    "POST", "/api/projects/", {"title": "one by one", "label_config": config}
                )
                began = time.monotonic()
                for number in range(NAIVE):
                    body = {"data": {**data, "onrecord_id": str(number)}, "project": made["id"]}
                    owner.send("POST", "/api/tasks/", body)
                naive = (time.monotonic() - began) / NAIVE * tasks
                owner.send("DELETE", f"/api/projects/{made['id']}/")
                sent = sending(owner, workspace, plan, config)
            print(
                f"launch of {tasks} tasks: the sending {sent:.1f} s, the whole command {took:.1f} s, again {again:.1f} s"
            )
            print(
                f"one call a task: {naive:.0f} s for {tasks}, from {NAIVE} of them; "
                f"ratio to the sending {naive / sent:.0f} : 1, to the whole command {naive / took:.0f} : 1", flush=True,
            )  # fmt: skip
            collect_after(workspace, read_jsonl(workspace / "launched.jsonl"), first["project_id"])
            print(
                "| killed | after (s) | tasks standing then | after another launch | not once | took (s) |"
            )
            print("|---|---|---|---|---|---|")
            killed(workspace, plan, kills, took, draw)
        finally:
            server.stop(workspace)
    print(f"(pid {running.pid} ended)")


def sending(owner: client.LabelStudio, workspace: Path, plan, config: str) -> float:
    """Return the seconds of making the plan's tasks stand in a new project, the tasks being rendered already."""
    tables = [
        read_parquet(workspace / f"{name}.parquet", schema).to_pylist()
        for name, schema in (
            ("articles", ARTICLES),
            ("sentences", SENTENCES),
            ("speakers", SPEAKERS),
        )
    ]
    target = {"name": "buses", "opposite": None}
    rendered = list(
        tasks_of(
            plan, articles=tables[0], sentences=tables[1], speakers=tables[2], target=target,
            scheme=load_scheme(),
        )
    )  # fmt: skip
    made = owner.send("POST", "/api/projects/", {"title": "sending", "label_config": config})
    began = time.monotonic()
    fill_project(
        owner, made["id"], rendered, before={}, is_new=True, journal=workspace / "journal.json"
    )
    seconds = time.monotonic() - began
    owner.send("DELETE", f"/api/projects/{made['id']}/")
    return seconds


def within_process(workspace: Path, launched, own: client.LabelStudio, result) -> float:
    """Return the seconds of a collect of CHANGED more annotations, without the start of Python."""
    for row in launched[2 * CHANGED : 3 * CHANGED]:
        own.send("POST", f"/api/tasks/{row['ls_task_id']}/annotations/", {"result": result})
    began = time.monotonic()
    if cli.main(["collect", "campaign.name=bench", f"workspace={workspace}"]):
        sys.exit("collect failed")
    return time.monotonic() - began


def collect_after(workspace: Path, launched, project: int) -> None:
    """Time a collect after few changes beside a full export of the same project."""
    scheme = load_scheme()
    login = json.loads((workspace / "labelstudio" / "accounts.json").read_text())
    (accounts,) = login.values()
    token = accounts[launched[0]["annotator"]]["token"]
    result = to_result({"speaker": "author", "claim_type": "fact", "stance": "none"}, scheme)
    own = client.LabelStudio(server.running(workspace).url, token)
    for row in launched[:CHANGED]:
        own.send("POST", f"/api/tasks/{row['ls_task_id']}/annotations/", {"result": result})
    everything = timed("collect", workspace)
    for row in launched[CHANGED : 2 * CHANGED]:
        own.send("POST", f"/api/tasks/{row['ls_task_id']}/annotations/", {"result": result})
    some = timed("collect", workspace)
    within = within_process(workspace, launched, own, result)
    nothing = timed("collect", workspace)
    sweep = timed("collect", workspace, "sweep=true")
    with client.connect(workspace) as owner:
        path = f"/api/projects/{project}/export"
        began = time.monotonic()
        answer = owner.http.get(path, params={"exportType": "JSON", "download_all_tasks": "true"})
        export = time.monotonic() - began
        assert len(answer.json()) == len(launched)
    rows = len(read_jsonl(workspace / "annotations.jsonl"))
    assert rows == 3 * CHANGED, rows
    print(
        f"collect, the whole command: {CHANGED} changed of {len(launched)} {some:.1f} s (without the start of "
        f"Python {within:.1f} s); none changed "
        f"{nothing:.1f} s; first {everything:.1f} s; with a sweep {sweep:.1f} s; "
        f"full export alone {export:.1f} s, ratio {export / some:.1f} : 1", flush=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
