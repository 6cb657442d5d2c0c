"""Launch 10,000 tasks: against one call a task, then collect; or with SIGKILL at ten random moments; or collect
while the server is killed and started again.

python benchmarks/launch.py times|kills|restarts [TASKS]

The server is the embedded one as it comes (SQLite, durable). Beside the clock's times stand processor times,
ours and the server's, which other work on the machine changes little.
"""

import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from made_campaign import make_campaign

from onrecord.campaign.labelstudio import client, server
from onrecord.campaign.labelstudio.projects import task_count, tasks_by_key
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.core.files import read_jsonl
from onrecord.core.votes import latest_annotations
from onrecord.scheme.scheme import load_scheme

NAIVE = 200  # tasks sent one by one, for the ratio
CHANGED = 50
KILLS = 10
ANNOTATED = 600  # when the server is restarted beneath a collect


class Taken(NamedTuple):
    """Seconds by the clock, of our processes' processor time and of the server's."""

    clock: float
    ours: float
    server: float

    def __str__(self) -> str:
        return f"{self.clock:.1f} | {self.ours:.1f} | {self.server:.1f}"

    @property
    def processor(self) -> float:
        return self.ours + self.server


def now(workspace: Path) -> Taken:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    fields = (
        Path(f"/proc/{server.running(workspace).pid}/stat").read_text().rpartition(")")[2].split()
    )
    ticks = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    ours = used.ru_utime + used.ru_stime + time.process_time()
    return Taken(time.monotonic(), ours, ticks)


def since(before: Taken, workspace: Path) -> Taken:
    return Taken(*(b - a for a, b in zip(before, now(workspace), strict=True)))


def verb(name: str, workspace: Path, *more: str) -> "subprocess.Popen[bytes]":
    words = ["campaign.name=bench", f"workspace={workspace}", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "onrecord", name, *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def timed(name: str, workspace: Path, *more: str) -> Taken:
    before = now(workspace)
    process = verb(name, workspace, *more)
    _, said = process.communicate()
    if process.returncode:
        sys.exit(said.decode())
    return since(before, workspace)


def one_by_one(workspace: Path, first: dict, tasks: int) -> Taken:
    """Return what one import call a task would take for ``tasks``, by NAIVE of them: the same data and suggestion."""
    with client.connect(workspace) as owner:
        shown = next(owner.tasks(first["project_id"], fields="all", page_size=1))
        config = owner.get(f"/api/projects/{first['project_id']}/")["label_config"]
        body = {"title": "one by one", "label_config": config}
        made = owner.send("POST", "/api/projects/", body)["id"]
        offered = [{k: p[k] for k in ("model_version", "result")} for p in shown["predictions"]]
        before = now(workspace)
        for number in range(NAIVE):
            task = {"data": {**shown["data"], "onrecord_id": str(number)}, "predictions": offered}
            owner.send("POST", f"/api/projects/{made}/import", [task])
        taken = since(before, workspace)
        owner.send("DELETE", f"/api/projects/{made}/")
    return Taken(*(part / NAIVE * tasks for part in taken))


def annotate(workspace: Path, rows: list[dict]) -> None:
    (accounts,) = json.loads((workspace / "labelstudio" / "accounts.json").read_text()).values()
    result = to_result({"speaker": "author", "claim_type": "fact", "stance": "none"}, load_scheme())
    url = server.running(workspace).url
    with client.LabelStudio(url, accounts[rows[0]["annotator"]]["token"]) as own:
        for row in rows:
            own.send("POST", f"/api/tasks/{row['ls_task_id']}/annotations/", {"result": result})


def times(workspace: Path, tasks: int) -> None:
    """Print what launching and collecting take, beside one call a task and a full export."""
    print("| what | seconds by the clock | our processor time | the server's |\n|---|---|---|---|")
    whole = timed("launch", workspace)
    print(f"| `launch` of {tasks} tasks, the whole command | {whole} |")
    print(f"| `launch` again, nothing to do | {timed('launch', workspace)} |")
    launched = read_jsonl(workspace / "launched.jsonl")
    naive = one_by_one(workspace, launched[0], tasks)
    print(f"| one call a task, from {NAIVE} of them | {naive} |", flush=True)
    annotate(workspace, launched[:CHANGED])
    print(f"| `collect`, the first, {CHANGED} annotated | {timed('collect', workspace)} |")
    annotate(workspace, launched[CHANGED : 2 * CHANGED])
    changed = timed("collect", workspace)
    print(f"| `collect`, {CHANGED} changed of {tasks}, the whole command | {changed} |")
    print(f"| `collect`, none changed | {timed('collect', workspace)} |", flush=True)
    print(f"| `collect sweep=true` | {timed('collect', workspace, 'sweep=true')} |")
    with client.connect(workspace) as owner:
        path = f"/api/projects/{launched[0]['project_id']}/export"
        before = now(workspace)
        exported = owner.get(path, exportType="JSON", download_all_tasks="true")
        export = since(before, workspace)
    print(f"| full export of the project by Label Studio | {export} |")
    rows = read_jsonl(workspace / "annotations.jsonl")
    if (len(rows), len(exported)) != (2 * CHANGED, tasks):
        sys.exit("not every annotation collected once")
    for what, slow, fast in (("launch", naive, whole), ("collect", export, changed)):
        print(
            f"\n{what}: {slow.clock / fast.clock:.0f} : 1 by the clock, "
            f"{slow.processor / fast.processor:.0f} : 1 in processor time"
        )


def kill_server(workspace: Path) -> None:
    pid = server.running(workspace).pid
    os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def counts_of(workspace: Path) -> Counter:
    """Return how often each key stands on the server."""
    with client.connect(workspace) as owner:
        return Counter(
            {
                key: len(copies)
                for project in owner.projects()
                for key, copies in tasks_by_key(owner, project.id).items()
            }
        )


def kills(workspace: Path, plan: list, draw: random.Random) -> None:
    """Kill our process or the server at random moments of a launch, launch again, count what stands."""
    seconds = timed("launch", workspace).clock
    print(
        "| killed | after (s) | tasks standing then | after another launch | not once | took (s) |"
    )
    print("|---|---|---|---|---|---|")
    for number in range(KILLS):
        with client.connect(workspace) as owner:
            for project in owner.projects():
                owner.send("DELETE", f"/api/projects/{project.id}/")
        (workspace / "launched.jsonl").unlink()
        moment = draw.uniform(1.0, seconds)
        process = verb("launch", workspace)
        time.sleep(moment)
        victim = ("launch", "server")[number % 2]
        if victim == "launch":
            process.kill()
            process.communicate()
        else:
            kill_server(workspace)
            process.communicate()
            server.start(workspace)
        with client.connect(workspace) as owner:
            half = sum(task_count(owner, project.id) for project in owner.projects())
        took = timed("launch", workspace).clock
        found = counts_of(workspace)
        wrong = sum(count != 1 for count in found.values())
        print(
            f"| {victim} | {moment:.1f} | {half} | {len(found)} | {wrong} | {took:.1f} |",
            flush=True,
        )
        if len(found) != len(plan) or wrong:
            sys.exit("not each task once")


def restarts(workspace: Path, draw: random.Random) -> None:
    """Kill and start the server again in the midst of a first collect, three times; count the lines each time."""
    timed("launch", workspace)
    annotate(workspace, read_jsonl(workspace / "launched.jsonl")[:ANNOTATED])
    path, seconds = workspace / "annotations.jsonl", timed("collect", workspace).clock
    print(f"a first collect of {ANNOTATED} annotations undisturbed: {seconds:.1f} s\n", flush=True)
    print("| killed after (s) | exit | lines | double | took (s) |\n|---|---|---|---|---|")
    for _ in range(3):
        path.unlink()
        began, process = time.monotonic(), verb("collect", workspace)
        moment = draw.uniform(seconds / 3, 0.9 * seconds)
        time.sleep(moment)
        kill_server(workspace)
        server.start(workspace)
        _, said = process.communicate()
        took = time.monotonic() - began
        rows = read_jsonl(path) if path.exists() else []
        double = len(rows) - len(latest_annotations(rows))
        print(
            f"| {moment:.1f} | {process.returncode} | {len(rows)} | {double} | {took:.1f} |",
            flush=True,
        )
        if len(rows) != ANNOTATED or double:
            sys.exit(f"not each annotation once: {said.decode()}")


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else "times"
    tasks = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    draw = random.Random(20260105)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "ws"
        plan = make_campaign(workspace, sentences=tasks)
        server.start(workspace)
        try:
            if what == "times":
                times(workspace, tasks)
            elif what == "kills":
                kills(workspace, plan, draw)
            else:
                restarts(workspace, draw)
        finally:
            server.stop(workspace)


if __name__ == "__main__":
    main()
