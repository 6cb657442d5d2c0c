"""The embedded Label Studio: started, found again, checked to be ours and ended.

One server a workspace, with its data in ``WORKSPACE/labelstudio/``. The server process holds a lock on
``alive`` from birth to death, whatever kills it, so that whether it runs is never guessed from a pid.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from onrecord.campaign.labelstudio.install import (
    QUIET,
    base_environment,
    cache_folder,
    command,
    environment,
    version,
)
from onrecord.core.errors import BadInput
from onrecord.core.files import locked, read_json, write_text

ADMIN = "admin@localhost"
LOOPBACK = ("127.0.0.1", "localhost")
EVERYWHERE = "0.0.0.0"  # noqa: S104  (recognised, never a default)
DATABASE_KEYS = ("DJANGO_DB", "POSTGRE_HOST", "POSTGRE_PORT", "POSTGRE_USER", "POSTGRE_PASSWORD", "POSTGRE_NAME")  # fmt: skip


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
        """A name of its database that does not reveal the token."""
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
            description = {**secret, "url": server_url, "public": public.rstrip("/"), "host": host}
            write_text(folder / "server.json", json.dumps(description, indent=2) + "\n", mode=0o600)
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
            except KeyboardInterrupt:  # else a server that nobody knows of would go on
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
    kept = read_json(folder / "server.json")
    for _ in range(50):  # the pid is written by the process itself, a moment after its birth
        pid = (folder / "pid").read_text().strip() if (folder / "pid").exists() else ""
        if pid:
            return Server(
                kept["url"],
                kept.get("public", kept["url"]),
                int(pid),
                ADMIN,
                kept["password"],
                kept["token"],
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
        output = log.read_text(encoding="utf-8", errors="replace")
        if not is_alive(folder):
            if "already in use" in output:
                return False
            last = (output.strip() or "nothing").splitlines()[-1]
            raise BadInput(f"Label Studio ended as it started; its log {log} ends: {last}")
        serving = re.search(r"Starting development server at http://[^\s:]+:(\d+)/", output)
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


def free_port(before: str | None = None) -> int:
    """Return a port that is free on loopback now: that of the address before, so that links stay, or any."""
    wanted = (urlsplit(before).port if before else None) or 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return free_port()
        return int(probe.getsockname()[1])


def secrets_of(folder: Path, empty: Path, database: Mapping[str, str] | None) -> dict[str, str]:
    """Return the workspace's secrets, made at random with a copy of the empty database at first."""
    kind = "postgresql" if database else "sqlite"
    if (folder / "server.json").exists():
        known: dict[str, str] = read_json(folder / "server.json")
        if known["database"] != kind:
            raise BadInput(
                f"{folder}: its server was made on {known['database']}, found settings for {kind} "
                "(DJANGO_DB and POSTGRE_* in the environment say which)"
            )
        return known
    if not database:
        shutil.copyfile(empty, folder / "label_studio.sqlite3")
        (folder / "label_studio.sqlite3").chmod(0o600)
    return {
        "password": secrets.token_urlsafe(12),
        "token": secrets.token_hex(20),
        "version": version(),
        "database": kind,
    }


def variables_of(
    folder: Path,
    secret: Mapping[str, str],
    url: str,
    *,
    allowed_hosts: Sequence[str],
    public_url: str | None,
    database: Mapping[str, str] | None,
) -> dict[str, str]:
    """Return the whole environment of the server's process: which hosts it answers to, and where its data are."""
    names = [*LOOPBACK, urlsplit(url).hostname or "", *allowed_hosts]
    origins = [url]
    seen = {}
    if public_url:
        names.append(urlsplit(public_url).hostname or "")
        origins.append(public_url.rstrip("/"))
        seen = {"LABEL_STUDIO_HOST": public_url, "CSRF_TRUSTED_ORIGINS": public_url.rstrip("/")}
    return {
        **base_environment(folder.resolve()),
        **QUIET,
        **seen,
        **({"DJANGO_DB": "default", **database} if database else {}),
        "DEBUG": "false",
        "LABEL_STUDIO_USERNAME": ADMIN,
        "LABEL_STUDIO_PASSWORD": secret["password"],
        "LABEL_STUDIO_USER_TOKEN": secret["token"],
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        "ALLOWED_HOSTS": ",".join(dict.fromkeys(names)),
        "CORS_ALLOWED_ORIGINS": ",".join(dict.fromkeys(origins)),
    }


def arguments(host: str, port: int) -> list[str]:
    """Return what follows Label Studio's command."""
    listen = ["--internal-host", host, "--port", str(port)]
    return ["start", "--no-browser", *listen, "--enable-legacy-api-token"]
