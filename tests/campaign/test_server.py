"""The embedded server: one a workspace, found again, checked to be ours, private, ended by its own pid."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import jwt
import pytest

from onrecord.campaign.labelstudio import accounts, client, install, server
from onrecord.core.errors import BadInput


@pytest.fixture(scope="module")
def workspace(label_studio_installed, tmp_path_factory):
    """A workspace of this module's own, since its server is killed."""
    folder = tmp_path_factory.mktemp("own") / "my [workspace], 2"
    yield folder
    server.stop(folder)


def test_two_serves_at_once_make_one_server_and_stop_ends_it(workspace):
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda _: server.start(workspace), range(2))
    assert first == second
    assert server.running(workspace) == first
    assert stat.S_IMODE((workspace / "labelstudio" / "server.json").stat().st_mode) == 0o600
    assert (
        stat.S_IMODE((workspace / "labelstudio" / "label_studio.sqlite3").stat().st_mode) == 0o600
    )
    assert server.stop(workspace)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{first.url}/health")
    with pytest.raises(ProcessLookupError):
        os.kill(first.pid, 0)
    assert not server.stop(workspace)
    with pytest.raises(BadInput, match="run `onrecord serve` first"):
        server.running(workspace)


def test_a_killed_server_is_seen_to_be_gone_and_its_data_stay(workspace):
    first = server.start(workspace)
    with client.connect(workspace) as owner:
        made = owner.send("POST", "/api/projects/", {"title": "kept"})
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    assert not server.is_alive(workspace / "labelstudio")
    second = server.start(workspace)
    assert second.pid != first.pid
    assert second.token == first.token
    with client.connect(workspace) as owner:
        assert [project.id for project in owner.projects()] == [made["id"]]


def test_an_interrupted_start_leaves_no_server_that_nobody_knows_of(
    label_studio_installed, tmp_path
):
    words = [sys.executable, "-m", "onrecord", "serve", f"workspace={tmp_path}"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not server.is_alive(tmp_path / "labelstudio"):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said.count("\n")) == (130, 1), said
    assert not server.is_alive(tmp_path / "labelstudio")


def test_it_listens_on_loopback_alone_and_lets_nobody_else_in(labelstudio):
    port = int(labelstudio.url.rsplit(":", 1)[1])
    listening = Path("/proc/net/tcp").read_text().split()
    addresses = {a for a in listening if a.endswith(f":{port:04X}")}
    assert "0100007F:" + f"{port:04X}" in addresses
    assert "00000000:" + f"{port:04X}" not in addresses
    with httpx.Client(base_url=labelstudio.url) as browser:
        browser.get("/user/signup/")
        form = {"email": "me@x.org", "password": "12345678"}
        form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
        assert browser.post("/user/signup/?token=guess", data=form).status_code == 403
    stranger = httpx.get(f"{labelstudio.url}/health", headers={"Host": "evil.example"})
    assert stranger.status_code == 400
    with (
        client.LabelStudio(labelstudio.url, "0" * 40) as wrong,
        pytest.raises(BadInput, match="token"),
    ):
        wrong.whoami()


def test_a_taken_port_is_refused_not_wandered_from(label_studio_installed, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(BadInput, match="taken by another program"):
            server.start(tmp_path / "ws", port=other.getsockname()[1])
    assert not server.is_alive(tmp_path / "ws" / "labelstudio")


def test_accounts_are_made_once_and_kept_private(labelstudio, tmp_path):
    path = tmp_path / "accounts.json"
    with client.LabelStudio(labelstudio.url, labelstudio.token) as owner:
        first = accounts.ensure_accounts(owner, ["Ann Ö", "annotator-2"], "accounts-test", path)
        again = accounts.ensure_accounts(owner, ["Ann Ö", "annotator-2"], "accounts-test", path)
        assert first == again
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with client.LabelStudio(labelstudio.url, first["annotator-2"]["token"]) as annotator:
            assert annotator.sdk.users.whoami().id == first["annotator-2"]["user_id"]
            personal = annotator.send("POST", "/api/token/")["token"]
        path.unlink()
        lost = accounts.ensure_accounts(owner, ["annotator-2"], "accounts-test", path)
        assert (
            lost["annotator-2"]["user_id"] != first["annotator-2"]["user_id"]
        )  # a login of its own
    with client.LabelStudio(labelstudio.url, personal) as annotator:  # a personal access token
        assert annotator.whoami() == first["annotator-2"]["email"]
        # Its access token lasts five minutes: one that is good by our clock, and not by the server's.
        stale = jwt.encode({"exp": time.time() + 300}, "k" * 32)
        annotator.sdk._client_wrapper._tokens_client._set_access_token(stale)
        assert annotator.whoami() == first["annotator-2"]["email"]
        assert annotator.get("/api/current-user/whoami")["id"] == first["annotator-2"]["user_id"]
    spent = jwt.encode({"exp": time.time() - 300}, "k" * 32)
    with (
        client.LabelStudio(labelstudio.url, spent) as annotator,
        pytest.raises(BadInput, match="has expired"),
    ):
        annotator.whoami()


@pytest.mark.parametrize(
    ("variables", "file", "mode", "complaint"),
    [
        pytest.param({}, None, 0, "set LABEL_STUDIO_API_KEY", id="none"),
        pytest.param({}, "abc", 0o644, "chmod 600", id="others may read it"),
    ],
)
def test_a_token_is_asked_for_and_kept_private(tmp_path, variables, file, mode, complaint):
    path = tmp_path / "token"
    if file:
        path.write_text(file)
        path.chmod(mode)
    with pytest.raises(BadInput, match=complaint):
        client.token_from(variables, path)


def test_a_token_comes_from_the_environment_first(tmp_path):
    path = tmp_path / "token"
    path.write_text("filed\n")
    path.chmod(0o600)
    assert client.token_from({}, path) == "filed"
    assert client.token_from({"LABEL_STUDIO_API_KEY": "given"}, path) == "given"


def test_what_answers_but_is_not_label_studio_is_refused(tmp_path):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Hello(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_):
            pass

    other = HTTPServer(("127.0.0.1", 0), Hello)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{other.server_port}"
        with (
            client.LabelStudio(url, "x") as wrong,
            pytest.raises(BadInput, match="Label Studio's JSON"),
        ):
            wrong.whoami()
    finally:
        other.shutdown()
        other.server_close()


def test_opening_to_others_needs_names(onrecord, tmp_path):
    done = onrecord("serve", "host=0.0.0.0", f"workspace={tmp_path / 'ws'}")
    assert done.returncode == 2
    assert "allowed_hosts" in done.stderr
    assert not (tmp_path / "ws").exists()


def test_opened_by_name_it_answers_to_that_name_and_links_carry_it(
    label_studio_installed, onrecord, tmp_path
):
    workspace = tmp_path / "team"
    try:
        done = onrecord("serve", "host=0.0.0.0", "allowed_hosts=[label.example.org]",
                        "public_url=https://label.example.org", "durable=false", f"workspace={workspace}")  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "WARNING" in done.stderr
        assert "https://label.example.org" in done.stdout
        running = server.running(workspace)
        for host, status in (("label.example.org", 200), ("evil.example", 400)):
            assert httpx.get(f"{running.url}/health", headers={"Host": host}).status_code == status
        with client.connect(workspace) as owner:
            assert owner.public == "https://label.example.org"
    finally:
        server.stop(workspace)


def test_the_teams_own_server_is_only_asked(onrecord, team_server, tmp_path):
    done = onrecord("serve", team_server, f"workspace={tmp_path / 'ws'}")
    assert done.returncode == 0, done.stderr
    assert "answers, as admin@localhost" in done.stdout
    assert not (tmp_path / "ws").exists()


def test_the_environment_is_found_by_the_version_that_the_lock_pins(tmp_path):
    lock = tmp_path / "lock.txt"
    lock.write_text("label-studio-sdk==2.1.2\nlabel-studio==9.9.9\n    # via x\n")
    assert install.version(lock) == "9.9.9"
    lock.write_text("label-studio-sdk==2.1.2\n")
    with pytest.raises(BadInput, match="label-studio==VERSION"):
        install.version(lock)
