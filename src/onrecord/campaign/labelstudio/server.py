"""The embedded Label Studio: started, found again, checked to be ours and ended.

One server a workspace, with its data in ``WORKSPACE/labelstudio/``. The server process holds a lock on
``alive`` from birth to death, whatever kills it, so that whether it runs is never guessed from a pid.
"""

import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from onrecord.campaign.labelstudio.install import cache_folder, command, environment, locked
from onrecord.campaign.labelstudio.server_settings import (
    ADMIN,
    EVERYWHERE,
    arguments,
    free_port,
    secrets_of,
    variables_of,
)
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, write_text


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, where others reach it, its process, and its owner's secrets."""

    url: str
    public: str
    pid: int
    email: str
    password: str
    token: str

    @property
    def key(self) -> str:
        """A name of its database that tells nothing of the token."""
        return f"embedded-{hashlib.sha256(self.token.encode()).hexdigest()[:8]}"


def start(
    workspace: Path,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    allowed_hosts: Sequence[str] = (),
    public_url: str | None = None,
    database: Mapping[str, str] | None = None,
    durable: bool = True,
    cache: Path | None = None,
    patience: float = 180.0,
) -> Server:
    """Return the workspace's server, started if none runs; it goes on when this process ends.

    ``host`` is the address to listen on, ``allowed_hosts`` and ``public_url`` the names by which others
    reach it, ``database`` Label Studio's variables for PostgreSQL (none means SQLite in the workspace).
    ``durable=False`` leaves out waiting for the disk: twice as fast, and a power cut may cost the database.
    ``patience`` is how many seconds to wait for it to answer. Raises BadInput where it does not start.
    """
    folder = workspace / "labelstudio"
    with locked(folder / "start.lock"):
        if is_alive(folder):
            server = described(folder)
            _await(server, folder, None, patience)
            return server
        installed = environment(cache or cache_folder())
        secret = secrets_of(folder, installed / "empty.sqlite3", database)
        for attempt in range(5):
            chosen = port or free_port(secret.get("url") if attempt == 0 else None)
            server_url = f"http://{host if host != EVERYWHERE else '127.0.0.1'}:{chosen}"
            public = public_url or (
                f"http://{allowed_hosts[0]}:{chosen}" if allowed_hosts else server_url
            )
            said = {**secret, "url": server_url, "public": public.rstrip("/"), "host": host}
            write_text(folder / "server.json", json.dumps(said, indent=2) + "\n", mode=0o600)
            variables = variables_of(
                folder, secret, server_url,
                allowed_hosts=allowed_hosts, public_url=public_url, database=database,
            )  # fmt: skip
            try:
                process = _spawn(
                    folder,
                    [*command(installed, durable=durable), *arguments(host, chosen)],
                    variables,
                )
                if _await(described(folder), folder, process, patience):
                    return described(folder)
            except KeyboardInterrupt:  # a server that nobody was told of would go on
                end(folder)
                raise
            end(folder)  # another program took the port in between: Label Studio moves on silently
            if port:
                raise BadInput(
                    f"port {port} is taken by another program: leave port= out, or free it"
                )
    raise BadInput(f"no free port found for Label Studio on {host}")


def stop(workspace: Path) -> bool:
    """End the workspace's server, by its own pid; return whether one ran."""
    folder = workspace / "labelstudio"
    if not folder.is_dir():
        return False
    with locked(folder / "start.lock"):
        return end(folder)


def running(workspace: Path) -> Server:
    """Return the workspace's running server; raises BadInput naming the verb to run where none runs."""
    folder = workspace / "labelstudio"
    if not is_alive(folder):
        raise BadInput(
            f"no Label Studio runs for {workspace}: run `onrecord serve` first, or name yours with labelstudio.url="
        )
    return described(folder)


def is_alive(folder: Path) -> bool:
    """Return whether a server process holds the lock that it was born with."""
    if not (folder / "alive").exists():
        return False
    with (folder / "alive").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def described(folder: Path) -> Server:
    """Return what ``server.json`` and the pid file say of the server that runs."""
    said = read_json(folder / "server.json")
    for _ in range(50):  # the pid is written by the process itself, a moment after its birth
        pid = (folder / "pid").read_text().strip() if (folder / "pid").exists() else ""
        if pid:
            return Server(
                said["url"],
                said.get("public", said["url"]),
                int(pid),
                ADMIN,
                said["password"],
                said["token"],
            )
        time.sleep(0.1)
    raise BadInput(f"{folder}: a server runs but its pid is not known")


def end(folder: Path, grace: float = 15.0) -> bool:
    """End the server of a folder: SIGTERM, and SIGKILL after ``grace`` seconds; return whether one ran."""
    if not is_alive(folder):
        return False
    pid = described(folder).pid
    for signum, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + patience
        while is_alive(folder) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not is_alive(folder):
            break
    with suppress(ChildProcessError):  # reap it where it was our own child
        os.waitpid(pid, 0)
    return True


def _spawn(
    folder: Path, words: Sequence[str], variables: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Start the process in a session of its own; it inherits the locked ``alive`` and writes its own pid."""
    (folder / "pid").unlink(missing_ok=True)
    with (folder / "alive").open("a") as alive, (folder / "labelstudio.log").open("wb") as log:
        fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The shell becomes the server: its pid is known even if we are killed this instant.
        itself = ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', str(folder.resolve() / "pid")]
        return subprocess.Popen(
            [*itself, *words],
            env=dict(variables), cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            pass_fds=[alive.fileno()], start_new_session=True,
        )  # fmt: skip


def _await(
    server: Server, folder: Path, process: "subprocess.Popen[bytes] | None", patience: float
) -> bool:
    """Wait until the server answers; return False where it moved to another port, or lost ours."""
    deadline = time.monotonic() + patience
    log = folder / "labelstudio.log"
    while time.monotonic() < deadline:
        if process is not None:
            process.poll()  # reap it, were it dead
        said = log.read_text(encoding="utf-8", errors="replace")
        if not is_alive(folder):
            if "already in use" in said:
                return False
            last = (said.strip() or "nothing").splitlines()[-1]
            raise BadInput(f"Label Studio ended as it started; its log {log} ends: {last}")
        serving = re.search(r"Starting development server at http://[^\s:]+:(\d+)/", said)
        if serving:
            if int(serving[1]) != urlsplit(server.url).port:
                return False
            if _answers(server):
                return True
        time.sleep(0.2)
    end(folder)
    raise BadInput(f"Label Studio did not answer at {server.url} in {patience:.0f} s: see {log}")


def _answers(server: Server) -> bool:
    """Return whether what answers is up and knows our secret."""
    try:
        if httpx.get(f"{server.url}/health", timeout=5).json().get("status") != "UP":
            return False
        who = httpx.get(
            f"{server.url}/api/current-user/whoami",
            headers={"Authorization": f"Token {server.token}"},
            timeout=10,
        )
        return who.status_code == 200 and who.json().get("email") == server.email
    except (httpx.HTTPError, ValueError):
        return False
