"""``serve``: start Label Studio for a workspace, or end it."""

import os
import sys
from pathlib import Path

from omegaconf import DictConfig

from onrecord.campaign.labelstudio.client import connect
from onrecord.campaign.labelstudio.server import start, stop
from onrecord.campaign.labelstudio.server_settings import DATABASE_KEYS, EVERYWHERE, LOOPBACK
from onrecord.core.errors import BadInput


def main(cfg: DictConfig) -> None:
    """Start Label Studio for the workspace, or end it (``stop=true``); print where and how to log in."""
    workspace = Path(cfg.workspace)
    if cfg.labelstudio.url:
        with connect(workspace, cfg.labelstudio.url) as client:
            print(f"{client.url} answers, as {client.whoami()['email']}: nothing is started here")
        return
    if cfg.stop:
        print("Label Studio ended." if stop(workspace) else "No Label Studio was running.")
        return
    opened = cfg.host not in LOOPBACK
    allowed = list(cfg.allowed_hosts) or ([cfg.host] if opened and cfg.host != EVERYWHERE else [])
    if opened and not allowed and not cfg.public_url:
        raise BadInput(
            f"host={cfg.host} opens the server to others: say by which names, allowed_hosts=[NAME,…]"
        )
    if cfg.port is not None and not (isinstance(cfg.port, int) and 0 < cfg.port < 65536):
        raise BadInput(f"port: expected a number from 1 to 65535, found {cfg.port!r}")
    database = {key: os.environ[key] for key in DATABASE_KEYS if key in os.environ}
    if opened:
        print(
            f"WARNING: opened to everyone who reaches {cfg.host}. Every login may read and delete what others\n"
            "do, and without TLS passwords travel readable: put a reverse proxy or a tunnel before it.",
            file=sys.stderr,
        )
    server = start(
        workspace,
        host=cfg.host,
        port=cfg.port,
        allowed_hosts=allowed,
        public_url=cfg.public_url,
        database=database or None,
        durable=cfg.durable,
    )
    # A password on a terminal helps; in a file of somebody's log it would lie open.
    shown = server.password if sys.stdout.isatty() else f"in {workspace}/labelstudio/server.json"
    print(f"Label Studio runs at {server.public} (pid {server.pid})")
    print(
        f"Administrator: {server.email}, password {shown} (annotators' logins come with `launch`)"
    )
    elsewhere = f" workspace={workspace}" if workspace != Path("data", cfg.campaign.name) else ""
    print(f"End it: onrecord serve stop=true campaign={cfg.campaign.name}{elsewhere}")
