"""``serve``: start Label Studio for a workspace, or end it."""

import os
import sys
from pathlib import Path

from omegaconf import DictConfig

from onrecord.campaign.backend import Address
from onrecord.campaign.labelstudio.server import (
    DATABASE_KEYS,
    EVERYWHERE,
    LOOPBACK,
    is_alive,
    start,
    stop,
)
from onrecord.core.errors import BadInput
from onrecord.core.workspace import Workspace


def is_running(workspace: Path) -> bool:
    """Return whether the workspace's own Label Studio runs."""
    return is_alive(workspace / "labelstudio")


def checked_port(port: object) -> int | None:
    """Return the port, None for any free one; raises BadInput where it is no port."""
    if port is None or (isinstance(port, int) and 0 < port < 65536):
        return port
    raise BadInput(f"port: expected a number from 1 to 65535, found {port!r}")


def names_of_host(host: str, allowed: list[str], public_url: str | None) -> list[str]:
    """Return the names by which others reach the server, warning where there are any.

    Raises BadInput where it is opened to others and no name is given.
    """
    if host in LOOPBACK:
        return allowed
    names = allowed or ([host] if host != EVERYWHERE else [])
    if not names and not public_url:
        raise BadInput(
            f"host={host} opens the server to others: say by which names, allowed_hosts=[NAME,…]"
        )
    print(
        f"WARNING: opened to everyone who reaches {host}. Every login may read and delete what others\n"
        "do, and without TLS passwords travel readable: put a reverse proxy or a tunnel before it.",
        file=sys.stderr,
    )
    return names


def main(cfg: DictConfig) -> None:
    """Start Label Studio for the workspace, or end it (``stop=true``); print where and how to log in."""
    workspace = Path(cfg.workspace)
    if cfg.labelstudio.url:
        # 0.1 s, which a server of one's own takes none of.
        from onrecord.campaign.labelstudio.label_studio_backend import connect  # noqa: PLC0415

        with connect(
            Workspace(workspace), cfg.campaign.name, Address(**cfg.labelstudio)
        ) as backend:
            print(f"{backend.url} answers, as {backend.user}: nothing is started here")
        return
    if cfg.stop:
        print("Label Studio ended." if stop(workspace) else "No Label Studio was running.")
        return
    server = start(
        workspace,
        host=cfg.host,
        port=checked_port(cfg.port),
        allowed_hosts=names_of_host(cfg.host, list(cfg.allowed_hosts), cfg.public_url),
        public_url=cfg.public_url,
        database={key: os.environ[key] for key in DATABASE_KEYS if key in os.environ} or None,
        durable=cfg.durable,
        patience=cfg.patience,
    )
    # A password on a terminal helps; in a file of somebody's log it would lie open.
    shown = server.password if sys.stdout.isatty() else f"in {workspace}/labelstudio/server.json"
    print(f"Label Studio runs at {server.public} (pid {server.pid})")
    print(
        f"Administrator: {server.email}, password {shown} (annotators' logins come with `launch`)"
    )
    other = f" workspace={workspace}" if workspace != Path("data", cfg.campaign.name) else ""
    print(f"End it: onrecord serve stop=true campaign={cfg.campaign.name}{other}")
