"""Shared by the campaign's tests: a launched campaign on the session's server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from onrecord.campaign.labelstudio import accounts, client
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.core.files import read_jsonl
from onrecord.core.votes import latest_annotations, votes
from onrecord.scheme.scheme import load_scheme

SCHEME = load_scheme()
LABELS = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}


class Campaign:
    """A launched campaign on the session's server, and its annotators' own connections."""

    def __init__(self, onrecord, onrecord_process, words, team_server, server):
        self.words = (*words, team_server)
        self.run, self.run_process = onrecord, onrecord_process
        self.workspace = words.workspace
        done = self.run("launch", *self.words)
        assert done.returncode == 0, done.stderr
        self.server = server
        self.path = self.workspace / "annotations.jsonl"
        self.logins = self.workspace / "labelstudio" / "accounts.json"
        self.owner = client.LabelStudio(server.url, server.token)
        self.own, self.opened = {}, []
        self.read()

    def read(self):
        """Read what the last launch wrote."""
        self.launched = read_jsonl(self.workspace / "launched.jsonl")
        key = self.launched[0]["server"]
        kept = accounts.kept_accounts(self.logins, key)
        self.opened += self.own.values()
        self.own = {a: client.LabelStudio(self.server.url, row["token"]) for a, row in kept.items()}
        self.users = {a: row["user_id"] for a, row in kept.items()}

    def close(self):
        for connection in (*self.opened, *self.own.values()):
            connection.http.close()

    def launch(self, *words):
        """Launch again; return what was said."""
        done = self.run("launch", *self.words, *words)
        assert done.returncode == 0, done.stderr
        self.read()
        return done.stdout

    def mine(self, annotator="annotator-1"):
        return [row for row in self.launched if row["annotator"] == annotator]

    def task(self, row):
        """Return a task as the server has it."""
        return self.owner.get(f"/api/tasks/{row['ls_task_id']}/")

    def annotate(self, row, labels=LABELS, who=None, seconds=4.25, **more):
        body = {"result": to_result(labels, SCHEME, **more), "lead_time": seconds}
        path = f"/api/tasks/{row['ls_task_id']}/annotations/"
        return self.own[who or row["annotator"]].send("POST", path, body)["id"]

    def collect(self, *words, status=0):
        done = self.run("collect", *self.words, *words)
        assert done.returncode == status, done.stderr
        return done.stdout

    def votes(self):
        """Return what counts, by the task that it was given to."""
        found = votes(read_jsonl(self.path), None)
        return {row["annotation_id"].partition(".")[0]: row["labels"] for row in found}

    def quarantine(self):
        return {row["task_id"]: row for row in read_jsonl(self.workspace / "quarantine.jsonl")}

    def rows(self):
        return {row["annotation_id"]: row for row in latest_annotations(read_jsonl(self.path))}


@pytest.fixture
def launched(onrecord, onrecord_process, campaign_workspace, team_server, labelstudio, request):
    words = campaign_workspace(request.node.name[:60])
    campaign = Campaign(onrecord, onrecord_process, words, team_server, labelstudio)
    yield campaign
    campaign.close()
    campaign.owner.http.close()


@pytest.fixture
def proxy(labelstudio):
    """Start a reverse proxy before the session's server, which changes its answers; yield ``change`` and its address.

    ``change["headers"]`` replaces headers, ``change[PATH]`` the whole answer to a path.
    """
    change = {"headers": {}}
    origin = httpx.Client(base_url=labelstudio.url, timeout=120, trust_env=False)

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            path = self.path.partition("?")[0]
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept = {
                k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")
            }
            found = origin.request(self.command, self.path, content=body, headers=kept)
            content = change.get(path, found.content)
            self.send_response_only(found.status_code)
            dropped = ("content-length", "content-encoding", "transfer-encoding", "date")
            for name, value in found.headers.multi_items():
                if name.lower() not in dropped and name not in change["headers"]:
                    self.send_header(name, value)
            for name, value in change["headers"].items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = answer  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield change, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    origin.close()
