"""The steps of a campaign in order: what each reads and writes, and whether it is done, stale or next.

A step knows by content whether it is stale: after each run the hash of what it read, of its settings
and of what it wrote is kept in ``WORKSPACE/.steps.json``, and the words that it was run with, so that
``make`` runs it again as its user did (``plan annotators=2``) and not by the defaults.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from onrecord.core.files import file_sha256, read_json, write_json

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
# Said for one run, and not meant for the next: a yes, a file from elsewhere, a rehearsal, a round.
ONCE = {"accept_changes", "from", "format", "names", "sweep", "simulate", "seats", "round"}
# Settings that say where things are or how fast to go, not what comes out.
NOT_SETTINGS = {"workspace", "articles", "workers", "engine", "labelstudio"} | ONCE
# Words that are not repeated: besides ONCE what every run is told anew, and a table that is not the workspace's.
NOT_REPEATED = {"campaign", "workspace", "labelstudio.url", "annotations"} | ONCE


def content_hash(paths: Iterable[Path]) -> str | None:
    """Return one hash of the files' (and folders' files') names and bytes; None if any is absent."""
    digest = hashlib.sha256()
    for path in paths:
        if not path.exists():
            return None
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            name = file.relative_to(path) if path.is_dir() else file.name
            sha = file_sha256(file) if os.access(file, os.R_OK) else "not to be read"
            digest.update(f"{name}\0{sha}\0".encode("utf-8", "surrogateescape"))
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


def repeated(words: Iterable[str]) -> list[str]:
    """Return the words of a command line that hold for the next run of the step too.

    >>> repeated(["campaign=buses", "annotators=[ada,ben]", "simulate=true", "split=kfold", "-m"])
    ['annotators=[ada,ben]', 'split=kfold']
    """
    return [w for w in words if "=" in w and w[0] != "-" and w.split("=")[0] not in NOT_REPEATED]


def words_of(step: Step, workspace: Path) -> list[str]:
    """Return the words that the step was last run with in the workspace and that hold for the next run."""
    file = workspace / ".steps.json"
    known = (read_json(file) if file.exists() else {}).get(step.verb, {})
    return [str(word) for word in known.get("words", [])]


def own_words(workspace: Path) -> list[str]:
    """Return the overrides that lead a verb to the campaign and the workspace, whose steps have been run."""
    steps = [one for one in read_json(workspace / ".steps.json").values() if "campaign" in one]
    campaign = steps[-1]["campaign"] if steps else workspace.name
    where = [f"workspace={workspace}"] if workspace != Path("data", campaign) else []
    return [f"campaign={campaign}", *where]


def record(step: Step, workspace: Path, config: dict[str, Any], words: Iterable[str] = ()) -> None:
    """Remember that ``step`` has just run, with ``words``, on what its inputs and settings are now."""
    file = workspace / ".steps.json"
    known = read_json(file) if file.exists() else {}
    known[step.verb] = {
        "campaign": config["campaign"]["name"],
        "words": repeated(words),
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
