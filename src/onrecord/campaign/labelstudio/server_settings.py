"""What the embedded Label Studio is started with: its address, its secrets and its environment variables."""

import secrets
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from onrecord.campaign.labelstudio.install import QUIET, base_environment, version
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json

ADMIN = "admin@localhost"
LOOPBACK = ("127.0.0.1", "localhost")
EVERYWHERE = "0.0.0.0"  # noqa: S104  (recognised, never a default)
DATABASE_KEYS = ("DJANGO_DB", "POSTGRE_HOST", "POSTGRE_PORT", "POSTGRE_USER", "POSTGRE_PASSWORD", "POSTGRE_NAME")  # fmt: skip


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
    """Return the whole environment of the server's process: whom it answers, and where its data lie."""
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
