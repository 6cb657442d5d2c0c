"""The embedded server on PostgreSQL: Debian's, started here on loopback, walks a campaign as SQLite does."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from onrecord.campaign.labelstudio import accounts, client, server
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.cli import app
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl
from onrecord.scheme.scheme import load_scheme

LABELS = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}


def as_postgres(*words, **more):
    """Run as the user postgres where we are root: PostgreSQL refuses to run as root."""
    user = "postgres" if os.geteuid() == 0 else None
    return subprocess.run(
        words, user=user, group=user, check=True, capture_output=True, cwd="/", **more
    )


def binaries():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("needs Debian's postgresql")
    return found[-1].parent


@pytest.fixture
def database(label_studio_installed):
    """Start a PostgreSQL of this test's own; yield Label Studio's variables for it; end it."""
    programs = binaries()
    folder = Path("/tmp") / f"onrecord-postgres-{os.getpid()}"
    folder.mkdir(mode=0o700)
    (folder / "password").write_text("of this test")
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        for path in (folder, folder / "password"):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    port = server.free_port()
    log = ("-l", folder / "log", "-w", "-t", "120")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    try:
        as_postgres(programs / "initdb", "-D", folder / "data", "-U", "labels", "-A", "scram-sha-256",
                    "--pwfile", folder / "password", "-E", "UTF8", "--locale=C.UTF-8")  # fmt: skip
        as_postgres(programs / "pg_ctl", "-D", folder / "data", *log, "-o", options, "start")
        yield {
            "DJANGO_DB": "default", "POSTGRE_HOST": "127.0.0.1", "POSTGRE_PORT": str(port),
            "POSTGRE_USER": "labels", "POSTGRE_PASSWORD": "of this test", "POSTGRE_NAME": "postgres",
        }  # fmt: skip
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            as_postgres(programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def test_a_campaign_walks_on_postgresql(database, campaign_workspace, monkeypatch):
    words = campaign_workspace("on-postgresql")
    workspace = words.workspace
    try:
        running = server.start(workspace, database=database, patience=900)
        assert not (workspace / "labelstudio" / "label_studio.sqlite3").exists()
        secret = (workspace / "labelstudio" / "server.json").read_text()
        assert database["POSTGRE_PASSWORD"] not in secret
        for _ in range(2):
            assert app.main(["launch", *words]) == 0
        launched = read_jsonl(workspace / "launched.jsonl")
        kept = accounts.kept_accounts(workspace / "labelstudio" / "accounts.json", running.key)
        for row in launched[:5]:
            with client.LabelStudio(running.url, kept[row["annotator"]]["token"]) as own:
                body = {"result": to_result(LABELS, load_scheme()), "lead_time": 2.5}
                own.send("POST", f"/api/tasks/{row['ls_task_id']}/annotations/", body)
        for _ in range(2):
            assert app.main(["collect", *words]) == 0
            rows = read_jsonl(workspace / "annotations.jsonl")
            assert [row["labels"] for row in rows] == [LABELS] * 5
        assert [row["task_id"] for row in launched[:5]] == [row["annotation_id"] for row in rows]
        for key, value in database.items():
            monkeypatch.setenv(key, value)
        monkeypatch.setenv("PATH", f"{binaries()}:{os.environ['PATH']}")
        archive = workspace.parent / "kept.tar.gz"
        assert app.main(["backup", *words, f"to={archive}"]) == 0
        with client.LabelStudio(
            running.url, running.token
        ) as owner:  # lost on the server, and the workspace too
            for project in {row["project_id"] for row in launched}:
                owner.send("DELETE", f"/api/projects/{project}/")
        server.stop(workspace)
        shutil.rmtree(workspace)
        assert app.main(["restore", *words, f"from={archive}"]) == 0
        server.start(workspace, database=database, patience=900)
        assert app.main(["collect", *words]) == 0
        assert read_jsonl(workspace / "annotations.jsonl") == rows
        server.stop(workspace)
        with pytest.raises(BadInput, match="made on postgresql, found settings for sqlite"):
            server.start(workspace)
    finally:
        server.stop(workspace)
