"""The steps of a campaign in order: what each reads and writes, and whether it is done, stale or next.

A step knows by content whether it is stale: after each run the hash of what it read, of its settings
and of what it wrote is kept in ``WORKSPACE/.steps.json``.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from onrecord.records import file_sha256, read_json, write_json

State = Literal["done", "stale", "not yet"]


@dataclass(frozen=True)
class Step:
    """A verb with the workspace files that it reads and writes; a name ending in ``/`` is a folder."""

    verb: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


STEPS = (
    Step("ingest", ("@articles",), ("articles.parquet",)),
    Step("segment", ("articles.parquet",), ("sentences.parquet",)),
    Step("attribute", ("articles.parquet", "sentences.parquet"), ("speakers.parquet",)),
    Step("plan", ("sentences.parquet", "speakers.parquet"), ("plan.jsonl",)),
    Step("launch", ("plan.jsonl",), ("launched.jsonl",)),
    Step("collect", ("launched.jsonl",), ("annotations.jsonl",)),
    Step("agree", ("annotations.jsonl", "sentences.parquet"), ("agreement.json", "agreement.html")),
    Step("adjudicate", ("annotations.jsonl", "sentences.parquet"), ("gold.jsonl",)),
    Step(
        "build",
        ("gold.jsonl", "annotations.jsonl", "sentences.parquet", "speakers.parquet"),
        ("dataset/",),
    ),
)
# Settings that say where things are or how fast to go, not what comes out.
NOT_SETTINGS = {"workspace", "articles", "workers", "engine"}


def content_hash(paths: Iterable[Path]) -> str | None:
    """Return one hash of the files' (and folders' files') names and bytes; None if any is absent."""
    digest = hashlib.sha256()
    for path in paths:
        if not path.exists():
            return None
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            name = file.relative_to(path) if path.is_dir() else file.name
            digest.update(f"{name}\0{file_sha256(file)}\0".encode())
    return digest.hexdigest()


def settings_hash(config: dict[str, Any]) -> str:
    """Return the hash of a verb's settings, those left out that cannot change what comes out."""
    kept = {k: v for k, v in sorted(config.items()) if k not in NOT_SETTINGS}
    return hashlib.sha256(repr(kept).encode()).hexdigest()


def _paths(names: tuple[str, ...], workspace: Path, config: dict[str, Any]) -> list[Path]:
    return [
        Path(str(config.get("articles", ""))) if name == "@articles" else workspace / name
        for name in names
    ]


def record(step: Step, workspace: Path, config: dict[str, Any]) -> None:
    """Remember that ``step`` has just run on what its inputs and settings are now."""
    file = workspace / ".steps.json"
    known = read_json(file) if file.exists() else {}
    known[step.verb] = {
        "read": content_hash(_paths(step.reads, workspace, config)),
        "settings": settings_hash(config),
        "wrote": content_hash(_paths(step.writes, workspace, config)),
    }
    write_json(file, known)


def state(step: Step, workspace: Path, config: dict[str, Any] | None = None) -> State:
    """Return whether a step is done, stale (its input, settings or output changed since) or not yet run.

    Without ``config`` settings are not compared, and neither are articles outside the workspace.
    """
    file = workspace / ".steps.json"
    known = (read_json(file) if file.exists() else {}).get(step.verb)
    if known is None or any(not (workspace / name).exists() for name in step.writes):
        return "not yet"
    if config is not None and known["settings"] != settings_hash(config):
        return "stale"
    if known["wrote"] != content_hash(_paths(step.writes, workspace, {})):
        return "stale"
    if "@articles" in step.reads and config is None:
        return "done"
    fresh = content_hash(_paths(step.reads, workspace, config or {})) == known["read"]
    return "done" if fresh else "stale"


def states(workspace: Path) -> dict[str, State]:
    """Return every step's state; what comes after a stale step is stale if it had been done."""
    found: dict[str, State] = {}
    upstream_stale = False
    for step in STEPS:
        now = state(step, workspace)
        if now == "done" and upstream_stale:
            now = "stale"
        upstream_stale = upstream_stale or now == "stale"
        found[step.verb] = now
    return found
