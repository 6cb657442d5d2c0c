"""The connection through what teams put before Label Studio: TLS, a path, limits, a new name. A real server, a real proxy."""

import http.client
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from onrecord.campaign.labelstudio import client, server
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, read_jsonl
from onrecord.scheme.scheme import load_scheme

PATH = "/label"
LABELS = {"speaker": "author", "speaker_name": None, "claim_type": "fact", "stance": "none"}


class Proxy(ThreadingHTTPServer):
    """Serves a Label Studio below PATH over TLS.

    ``answer`` may answer in its place, ``largest`` limits bodies, ``gives_up`` answers 504 although it was done.
    """

    def __init__(self, certificate, key):
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.certificate, self.behind = certificate, 0
        self.reset()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def reset(self):
        self.answer, self.largest, self.seen = lambda method, path: None, 10**9, []
        self.gives_up = lambda path: False

    @property
    def url(self):
        return f"https://127.0.0.1:{self.server_port}{PATH}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, len(body)))
        instead = self.server.answer(self.command, self.path)
        if not self.path.startswith(PATH + "/"):
            instead = (404, {})
        if len(body) > self.server.largest:
            instead = (413, {})
        if instead:
            return self.give(instead[0], instead[1].items(), b"<html>a proxy</html>")
        behind = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        headers |= {"Host": self.headers["Host"], "X-Forwarded-Proto": "https"}
        behind.request(self.command, self.path.removeprefix(PATH), body, headers)
        answer = behind.getresponse()
        content = answer.read()
        if self.server.gives_up(self.path):
            return self.give(504, [], b"")
        kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in ("transfer-encoding", "content-length", "connection")]  # fmt: skip
        return self.give(answer.status, kept, content)

    def give(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_one  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def behind_proxy(label_studio_installed, tmp_path_factory):
    """A Label Studio that believes to be at the proxy's address, the proxy, and the server."""
    folder = tmp_path_factory.mktemp("proxied")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
         "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    proxy = Proxy(certificate, key)
    try:
        running = server.start(folder, public_url=proxy.url, durable=False)
        proxy.behind = httpx.URL(running.url).port
        yield proxy, running
    finally:
        server.stop(folder)
        proxy.shutdown()


@pytest.fixture
def proxy(behind_proxy, monkeypatch):
    found, running = behind_proxy
    found.reset()
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", running.token)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # of the environment: not for loopback
    return found


def annotate(workspace, proxy, row):
    (kept,) = read_json(workspace / "labelstudio" / "accounts.json").values()
    token = kept[row["annotator"]]["token"]
    with client.LabelStudio(proxy.url, token, ca=str(proxy.certificate)) as own:
        body = {"result": to_result(LABELS, load_scheme()), "lead_time": 2.5}
        own.send("POST", f"/api/tasks/{row['ls_task_id']}/annotations/", body)


def test_every_command_works_over_tls_below_a_path_and_links_carry_the_public_address(
    onrecord, proxy, campaign_workspace, monkeypatch
):
    words = campaign_workspace("proxied")
    team = (f"labelstudio.url={proxy.url}", "labelstudio.public_url=https://label.example.org/l/")
    refused = onrecord("launch", *words, *team)
    assert refused.returncode == 2
    assert "is not trusted" in refused.stderr
    assert "labelstudio.ca=" in refused.stderr
    proxy.largest = 60_000  # smaller batches than one of a whole project
    launched = onrecord("launch", *words, *team, f"labelstudio.ca={proxy.certificate}")
    assert launched.returncode == 0, launched.stderr
    rows = read_jsonl(words.workspace / "launched.jsonl")
    assert len(rows) == len(read_jsonl(words.workspace / "plan.jsonl"))
    sizes = [size for method, path, size in proxy.seen if method == "POST" and "/import" in path]
    assert max(sizes) > proxy.largest
    links = (words.workspace / "logins.csv").read_text()
    assert f"https://label.example.org/l/projects/{rows[0]['project_id']}/data" in links
    assert str(proxy.server_port) not in links
    annotate(words.workspace, proxy, rows[0])
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy.certificate))
    for command in ("launch", "status", "collect", "serve"):
        done = onrecord(command, *words, *team)
        assert done.returncode == 0, done.stderr
    (row,) = read_jsonl(words.workspace / "annotations.jsonl")
    assert (row["annotation_id"], row["labels"]) == (rows[0]["task_id"], LABELS)
    assert onrecord("adjudicate", *words, *team, "round=open").returncode == 0
    assert len(read_jsonl(words.workspace / "launched.jsonl")) >= len(rows)


def test_a_new_address_of_the_same_server_loses_nothing(
    onrecord, behind_proxy, proxy, campaign_workspace, monkeypatch
):
    words, (_, running) = campaign_workspace("moved"), behind_proxy
    assert onrecord("launch", *words, f"labelstudio.url={running.url}").returncode == 0
    rows = read_jsonl(words.workspace / "launched.jsonl")
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy.certificate))
    annotate(words.workspace, proxy, rows[1])
    config = words.workspace / "conf" / "campaign" / "moved.yaml"
    for command in ("collect", "launch", "collect", "status"):
        done = onrecord(command, *words, f"campaign.labelstudio.url={proxy.url}")
        assert done.returncode == 0, done.stderr
    assert read_jsonl(words.workspace / "launched.jsonl") == rows
    (row,) = read_jsonl(words.workspace / "annotations.jsonl")
    assert row["source_id"].startswith(f"{running.url}/")
    assert not config.exists()


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_429_and_503_wait_as_told_and_a_write_is_made_once(
    onrecord, proxy, campaign_workspace, form
):
    words = campaign_workspace(f"limited-{form}")
    told = {
        "seconds": lambda: "1",
        "date": lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True),
    }
    refused, statuses = [], [429, 503]

    def answer(method, path):
        if "/import" in path and len(refused) < 2:
            refused.append(time.monotonic())
            return statuses[len(refused) - 1], {"Retry-After": told[form]()}
        return None

    proxy.answer = answer
    done = onrecord(
        "launch", *words, f"labelstudio.url={proxy.url}", f"labelstudio.ca={proxy.certificate}"
    )
    assert done.returncode == 0, done.stderr
    assert "asks to wait" in done.stderr
    assert refused[1] - refused[0] >= 0.9
    plan = read_jsonl(words.workspace / "plan.jsonl")
    assert len(read_jsonl(words.workspace / "launched.jsonl")) == len(plan)
    imports = [path for _, path, _ in proxy.seen if "/import" in path]
    assert len(imports) == 2 + len({row["annotator"] for row in plan})


def test_a_write_that_a_proxy_gave_up_on_is_asked_about_not_repeated(
    onrecord, behind_proxy, proxy, campaign_workspace
):
    words, (_, running), lost = campaign_workspace("gave-up"), behind_proxy, []

    def gives_up(path):
        if "/import" in path and not lost:
            lost.append(path)
            return True
        return False

    proxy.gives_up = gives_up
    done = onrecord(
        "launch", *words, f"labelstudio.url={proxy.url}", f"labelstudio.ca={proxy.certificate}"
    )
    assert done.returncode == 0, done.stderr
    rows = read_jsonl(words.workspace / "launched.jsonl")
    with client.LabelStudio(running.url, running.token) as owner:
        for project in {row["project_id"] for row in rows}:
            there = [task["data"]["onrecord_id"] for task in owner.tasks(project)]
            mine = [row["task_id"] for row in rows if row["project_id"] == project]
            assert sorted(there) == sorted(mine)


def test_proxies_of_the_environment_are_for_remote_servers_only(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    for url, uses in {
        "http://127.0.0.1:8080": False, "https://localhost": False, "http://[::1]:80": False,
        "https://127.1.2.3/label": False, "https://label.example.org": True, "http://10.0.0.7": True,
    }.items():  # fmt: skip
        assert client.network(url, None)["trust_env"] is uses, url
    with pytest.raises(BadInput, match=r"no Label Studio answers at https://label\.example\.org"):
        client.LabelStudio("https://label.example.org", "x", timeout=2).send("POST", "/api/x")


@pytest.mark.parametrize(
    ("status", "told", "seconds"),
    [
        (429, "7", 7), (503, "0", 0), (429, None, 1), (503, None, None), (500, "7", None), (200, "7", None),
        (429, "99999999", client.LONGEST_WAIT), (503, "soon", 1), (503, "Mon, 05 Jan 2026 10:00:00 GMT", 0),
    ],
)  # fmt: skip
def test_what_retry_after_asks_for(status, told, seconds):
    headers = {} if told is None else {"Retry-After": told}
    assert client.retry_after(httpx.Response(status, headers=headers)) == seconds
