"""The database of the workspace's own Label Studio, copied while the server runs, and put back."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from onrecord.core.errors import BadInput
from onrecord.core.files import read_json

SQLITE = "label_studio.sqlite3"
DUMP = "postgresql.dump"
# Of one running server, or one person: never part of a copy.
NOT_COPIED = ("alive", "pid", "token", "labelstudio.log", f"{SQLITE}-wal", f"{SQLITE}-shm", f"{SQLITE}-journal")  # fmt: skip


def save_database(folder: Path, to: Path) -> Path | None:
    """Write a consistent copy of the server's database into the folder ``to``; return it, None where there is none.

    SQLite is copied by its own backup, which waits for whoever writes; PostgreSQL by pg_dump.
    """
    if (folder / SQLITE).exists():
        copy = to / SQLITE
        copy.touch(mode=0o600)
        with (
            closing(sqlite3.connect(f"file:{folder / SQLITE}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        return copy
    if _is_postgresql(folder):
        copy = to / DUMP
        copy.touch(mode=0o600)
        _run("pg_dump", "--format=custom", "--file", copy)
        return copy
    return None


def load_database(folder: Path) -> None:
    """Load the dump in a restored folder into the PostgreSQL that the environment names, if there is a dump."""
    if (folder / DUMP).exists():
        _run("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--dbname",
             os.environ.get("POSTGRE_NAME", ""), folder / DUMP)  # fmt: skip


def _is_postgresql(folder: Path) -> bool:
    server = folder / "server.json"
    return server.exists() and read_json(server)["database"] == "postgresql"


def _run(program: str, *words: str | Path) -> None:
    """Run one of PostgreSQL's programs on the database of POSTGRE_*; raises BadInput where it fails."""
    settings = {f"PG{ours}": os.environ.get(f"POSTGRE_{theirs}") for ours, theirs in (
        ("HOST", "HOST"), ("PORT", "PORT"), ("USER", "USER"), ("PASSWORD", "PASSWORD"), ("DATABASE", "NAME"),
    )}  # fmt: skip
    if missing := [key for key, value in settings.items() if not value]:
        raise BadInput(
            f"{program}: expected POSTGRE_{missing[0][2:]} in the environment, as `serve` has it"
        )
    if shutil.which(program) is None:
        raise BadInput(
            f"this Label Studio is on PostgreSQL: {program} is needed, and is not installed"
        )
    known: Iterable[tuple[str, str]] = ((k, v) for k, v in settings.items() if v)
    done = subprocess.run(
        [program, *words], env={**os.environ, **dict(known)}, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        raise BadInput(f"{program} ended with {done.returncode}: {last}")
