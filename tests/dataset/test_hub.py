"""`publish to=hub` with the real client, against a Hub on loopback that keeps what it is sent."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

REPO = "someone/on-record-sample"


class Hub(ThreadingHTTPServer):
    """As much of the Hub as an upload of a folder needs: repositories, commits, large files, tags."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.files: dict[str, bytes] = {}
        self.large: dict[str, bytes] = {}
        self.large_names: set[str] = set()
        self.commits: list[dict] = []
        self.tags: list[str] = []
        self.refuse = False
        self.damage = False


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *words: object) -> None:
        """Keep quiet."""

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, value: object, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_PUT(self) -> None:
        self.server.large[self.path.rpartition("/")[2]] = self.body()
        self.answer({})

    def do_GET(self) -> None:
        if "/tree/" in self.path:
            entries = []
            for name, content in sorted(self.server.files.items()):
                entry = {"type": "file", "path": name, "size": len(content), "oid": git_id(content)}
                if name in self.server.large_names:
                    digest = hashlib.sha256(content).hexdigest()
                    entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 130}
                entries.append(entry)
            return self.answer(entries)
        if "/revision/" in self.path or self.path.startswith("/api/datasets/"):
            return self.answer({"id": REPO, "sha": "0" * 40, "siblings": [], "private": True})
        return self.answer({"error": self.path}, 404)

    def do_POST(self) -> None:
        body, hub = self.body(), self.server
        if hub.refuse:
            return self.answer(
                {"error": "You don't have the rights to create a dataset there"}, 403
            )
        if self.path == "/api/repos/create":
            return self.answer({"url": f"{hub.address}/datasets/{REPO}", "name": REPO})
        if self.path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        if "/preupload/" in self.path:
            modes = [{"path": f["path"], "shouldIgnore": False,
                      "uploadMode": "lfs" if f["path"].endswith(".parquet") else "regular"}
                     for f in json.loads(body)["files"]]  # fmt: skip
            return self.answer({"files": modes})
        if self.path.endswith("/info/lfs/objects/batch"):
            objects = [{"oid": o["oid"], "size": o["size"],
                        "actions": {"upload": {"href": f"{hub.address}/lfs/{o['oid']}"}}}
                       for o in json.loads(body)["objects"]]  # fmt: skip
            return self.answer({"transfer": "basic", "objects": objects})
        if "/commit/" in self.path:
            self.commit([json.loads(line) for line in body.splitlines()])
            oid = hashlib.sha1(body).hexdigest()
            return self.answer({"success": True, "commitOid": oid, "hookOutput": "",
                                "commitUrl": f"{hub.address}/datasets/{REPO}/commit/{oid}"})  # fmt: skip
        if "/tag/" in self.path:
            hub.tags.append(json.loads(body)["tag"])
            return self.answer({})
        return self.answer({"error": self.path}, 404)

    def commit(self, lines: list[dict]) -> None:
        hub = self.server
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                hub.commits.append(value)
            elif line["key"] == "file":
                hub.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                hub.files[value["path"]] = hub.large[value["oid"]]
                hub.large_names.add(value["path"])
            elif line["key"] == "deletedFile":
                del hub.files[value["path"]]
        if hub.damage:
            hub.files["codebook.json"] += b" "


def git_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def workspace(published_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published_once, tmp_path / "ws"))


def environment(endpoint: str, home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    return kept | {"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
                   "HF_HOME": str(home), "HF_TOKEN": "hf_made_up"}  # fmt: skip


def test_a_release_arrives_whole_in_one_commit(workspace, hub):
    hub.files["stale.parquet"] = b"of an earlier release"
    command = [sys.executable, "-m", "onrecord", "publish", f"workspace={workspace}", "campaign.origin=people",
               "to=hub", f"repo={REPO}", "contact=takedown@example.org", "version=1.0.1"]  # fmt: skip
    surroundings = environment(hub.address, workspace.parent / "hf")
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder = workspace / "releases/v1.0.1"
    sent = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}  # fmt: skip
    assert {n: b for n, b in hub.files.items() if n != ".gitattributes"} == sent  # byte for byte
    assert [c["summary"] for c in hub.commits] == ["Release v1.0.1"]
    assert hub.tags == ["v1.0.1"]
    assert "gold/train.parquet" in hub.large_names
    assert f"datasets/{REPO}/commit/" in done.stdout
    assert "write to takedown@example.org." in hub.files["README.md"].decode()
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)


UPLOAD = """
import sys
from pathlib import Path
from onrecord.dataset.release.hub import upload
from onrecord.core.records import BadInput
try:
    upload(Path(sys.argv[1]), repo=sys.argv[2], version="1.0.0", private=True)
except BadInput as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize(
    ("trouble", "complaint"),
    [("bytes", "codebook.json arrived with other bytes"), ("rights", "403"), ("gone", "refused")],
)
def test_trouble_with_the_hub_is_one_line(workspace, hub, trouble, complaint):
    if trouble == "bytes":
        hub.damage = True
    elif trouble == "rights":
        hub.refuse = True
    else:
        hub.shutdown()
        hub.server_close()
    done = subprocess.run(
        [sys.executable, "-c", UPLOAD, str(workspace / "releases/v1.0.0"), REPO],
        env=environment(hub.address, workspace.parent / "hf"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    line = done.stderr.strip().splitlines()[-1]
    assert re.match(r".*" + REPO, line)
    assert complaint in line
