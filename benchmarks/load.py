"""Three annotators posting annotations at once, against SQLite and PostgreSQL: nothing lost, and how fast.

python benchmarks/load.py sqlite|postgresql [ANNOTATIONS EACH]

PostgreSQL is Debian's, started here on loopback as the user postgres (root is needed for that) and ended.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path

from made_campaign import make_campaign

from onrecord.campaign.labelstudio import accounts, client, server
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.cli import app
from onrecord.core.files import read_jsonl
from onrecord.scheme.scheme import load_scheme

ANNOTATORS = 3


def as_postgres(*words: object) -> None:
    subprocess.run(
        [str(word) for word in words], user="postgres", group="postgres", cwd="/", check=True, capture_output=True
    )  # fmt: skip


def start_postgres(folder: Path) -> dict[str, str]:
    """Make and start a PostgreSQL in ``folder``; return Label Studio's variables for it."""
    (folder / "password").write_text("of this run")
    owner = pwd.getpwnam("postgres")
    for path in (folder, folder / "password"):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    port = server.free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    as_postgres(BINARIES / "initdb", "-D", folder / "data", "-U", "labels", "-A", "scram-sha-256",
                "--pwfile", folder / "password", "-E", "UTF8")  # fmt: skip
    as_postgres(
        BINARIES / "pg_ctl",
        "-D",
        folder / "data",
        "-l",
        folder / "log",
        "-w",
        "-o",
        options,
        "start",
    )
    return {
        "DJANGO_DB": "default", "POSTGRE_HOST": "127.0.0.1", "POSTGRE_PORT": str(port),
        "POSTGRE_USER": "labels", "POSTGRE_PASSWORD": "of this run", "POSTGRE_NAME": "postgres",
    }  # fmt: skip


def verb(name: str, *words: str) -> None:
    """Run a verb; what it says goes to standard error, out of the table."""
    with redirect_stdout(sys.stderr):
        if app.main([name, *words]):
            sys.exit(f"{name} failed")


def measure(name: str, workspace: Path, each: int, database: dict[str, str] | None) -> None:
    """Launch, post ``each`` annotations by every annotator at once, collect and count."""
    plan = make_campaign(workspace, sentences=each, annotators=ANNOTATORS)
    words = ["campaign.name=load", f"workspace={workspace}"]
    server.start(workspace, database=database, patience=900)
    try:
        verb("launch", *words)
        running = server.running(workspace)
        kept = accounts.kept_accounts(workspace / "labelstudio" / "accounts.json", running.key)
        launched = read_jsonl(workspace / "launched.jsonl")
        result = to_result(
            {"speaker": "author", "claim_type": "fact", "stance": "none"}, load_scheme()
        )

        def sit(annotator: str) -> None:
            with client.LabelStudio(running.url, kept[annotator]["token"]) as own:
                for row in launched:
                    if row["annotator"] == annotator:
                        path = f"/api/tasks/{row['ls_task_id']}/annotations/"
                        own.send("POST", path, {"result": result, "lead_time": 1.0})

        began, before = time.monotonic(), processor(running.pid)
        with ThreadPoolExecutor() as pool:
            list(pool.map(sit, kept))
        seconds, used = time.monotonic() - began, processor(running.pid) - before
        verb("collect", *words)
        counts = Counter(
            row["annotation_id"] for row in read_jsonl(workspace / "annotations.jsonl")
        )
        once = sum(counts[row["task_id"]] == 1 for row in plan)
        print(
            f"| {name} | {len(plan)} | {once} | {len(counts) - once} | {seconds:.0f} | "
            f"{len(plan) / seconds:.1f} | {1000 * used / len(plan):.0f} |", flush=True,
        )  # fmt: skip
    finally:
        server.stop(workspace)


def processor(pid: int) -> float:
    """Return the seconds of processor time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    each = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print(
        "| database | annotations posted | collected once | others | seconds | a second | "
        "Label Studio's processor time, ms each |\n|---|---|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[1] == "sqlite":
            measure("SQLite", Path(folder) / "ws", each, None)
            return
        postgres = Path(tempfile.mkdtemp(prefix="onrecord-load-"))
        try:
            measure("PostgreSQL", Path(folder) / "ws", each, start_postgres(postgres))
        finally:
            if (postgres / "data" / "postmaster.pid").exists():
                as_postgres(BINARIES / "pg_ctl", "-D", postgres / "data", "-m", "fast", "stop")
            shutil.rmtree(postgres, ignore_errors=True)


BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"))

if __name__ == "__main__":
    main()
