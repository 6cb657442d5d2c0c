"""The state of a campaign's steps: done, stale, or not run yet.

A step knows by content whether it is stale: after each run the hashes of what it read, of its settings
and of what it wrote are kept in ``WORKSPACE/.steps.json``, with the overrides that it was run with, so that
``make`` runs it again as its user did (``plan annotators=2``) and not by the defaults.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from onrecord.cli.commands import STEPS, Command
from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256, read_json, write_json
from onrecord.core.workspace import Workspace, WorkspaceFile

State = Literal["done", "stale", "not yet"]


class StepRecord(TypedDict):
    """What is kept of a step's last run: hashes are null where a file was absent."""

    campaign: str
    words: list[str]
    read: str | None
    settings: str
    wrote: str | None


# Of plan: they change what there is, so that its settings stay those of the run that made it.
AMENDMENTS = {"replace", "add", "idle", "again", "pause", "resume"}
# Overrides that apply to a single run and are not remembered.
NOT_PERSISTED_OVERRIDES = {
    *AMENDMENTS, "accept_changes", "from", "format", "names", "sweep", "simulate", "seats", "round", "stale",
    "incomplete", "deletions", "claim",
}  # fmt: skip
# What these steps wrote is never refused as stale: annotators work by it already.
FROM_SERVER = {"plan", "launch", "collect"}
# Settings that say where things are or how fast to go, not what comes out.
NOT_SETTINGS = {"workspace", "articles", "workers", "engine", "labelstudio"}
SOURCE_IS_TABLE = "source=rows"  # then `build` reads rows=FILE and nothing of the campaign
# Overrides that every run is given again, and a table that is not the workspace's.
GIVEN_EACH_TIME = {
    "campaign", "workspace", "annotations",
    "labelstudio.url", "labelstudio.public_url", "labelstudio.ca",
}  # fmt: skip


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


def settings_hash(config: Mapping[str, Any]) -> str:
    """Return the hash of a command's settings, those left out that cannot change what comes out."""
    ignored = NOT_SETTINGS | NOT_PERSISTED_OVERRIDES
    kept = {k: v for k, v in sorted(config.items()) if k not in ignored}
    kept["campaign"] = {k: v for k, v in config.get("campaign", {}).items() if k not in ignored}
    return hashlib.sha256(repr(kept).encode()).hexdigest()


def persistent(overrides: Iterable[str]) -> list[str]:
    """Return the overrides of a command line that hold for the next run of the step too.

    >>> persistent(["campaign=buses", "annotators=[ada,ben]", "simulate=true", "split=kfold", "-m"])
    ['annotators=[ada,ben]', 'split=kfold']
    """
    ignored = GIVEN_EACH_TIME | NOT_PERSISTED_OVERRIDES
    return [o for o in overrides if "=" in o and o[0] != "-" and o.split("=")[0] not in ignored]


def read_steps(workspace: Workspace) -> dict[str, StepRecord]:
    """Return the steps that have been run in a workspace, by name, in the order of their first runs."""
    known: dict[str, StepRecord] = read_json(workspace.steps) if workspace.steps.exists() else {}
    return known


def last_overrides(step: Command, workspace: Workspace) -> list[str]:
    """Return the overrides that the step was last run with and that hold for the next run."""
    known = read_steps(workspace)
    return known[step.name]["words"] if step.name in known else []


def campaign_overrides(campaign: str, folder: Path) -> list[str]:
    """Return the overrides that lead a command to a campaign and its workspace.

    >>> campaign_overrides("buses", Path("data/buses")), campaign_overrides("buses", Path("w"))
    (['campaign=buses'], ['campaign=buses', 'workspace=w'])
    """
    where = [f"workspace={folder}"] if folder != Path("data", campaign) else []
    return [f"campaign={campaign}", *where]


def record_run(
    step: Command, workspace: Workspace, config: Mapping[str, Any], overrides: Iterable[str] = ()
) -> None:
    """Record that ``step`` has just run, with ``overrides``, on its present inputs and settings."""
    known = read_steps(workspace)
    words, settings = persistent(overrides), settings_hash(config)
    if step.name in known and any(o.split("=")[0] in AMENDMENTS for o in overrides):
        words, settings = known[step.name]["words"], known[step.name]["settings"]
    known[step.name] = {
        "campaign": config["campaign"]["name"],
        "words": words,
        "read": content_hash(_read_paths(step, workspace, config, words)),
        "settings": settings,
        "wrote": content_hash(_paths(step.writes, workspace, config)),
    }
    write_json(workspace.steps, known)


def state(step: Command, workspace: Workspace, config: Mapping[str, Any] | None = None) -> State:
    """Return whether a step is done, stale (its input, settings or output changed since) or not yet run.

    Without ``config`` settings are not compared, and neither are articles outside the workspace.
    """
    known = read_steps(workspace).get(step.name)
    written = _paths(step.writes, workspace, {})
    if known is None or not all(path.exists() for path in written):
        return "not yet"
    if config is not None and known["settings"] != settings_hash(config):
        return "stale"
    if known["wrote"] != content_hash(written):
        return "stale"
    if config is None and Workspace.source_articles in step.reads:
        return "done"
    read = _read_paths(step, workspace, config or {}, known["words"])
    if SOURCE_IS_TABLE in known["words"] and not all(path.exists() for path in read):
        return "done"  # the table was named from another folder, or is gone: nothing to compare
    return "done" if content_hash(read) == known["read"] else "stale"


def refuse_stale_input(
    command: Command, workspace: Workspace, campaign: str, overrides: Sequence[str]
) -> None:
    """Raise BadInput where a file that the command reads is stale or of another campaign, naming what to run.

    The first step that is to be run again is named. Annotations are as new as the last `collect`: the server, not
    a file, knows more. A file that no recorded step made is taken as it is.
    """
    known = read_steps(workspace)
    for file in () if SOURCE_IS_TABLE in overrides else command.reads:
        step = next((step for step in STEPS if file in step.writes), None)
        if step is None or step.name not in known or step.name in FROM_SERVER:
            continue
        refuse_stale_input(step, workspace, campaign, known[step.name]["words"])
        path, made_for = workspace.folder / file.name, known[step.name]["campaign"]
        if made_for != campaign:
            raise BadInput(f"{path} is of the campaign {made_for}, not {campaign}: give campaign={made_for} (stale=ok goes on)")  # fmt: skip
        if state(step, workspace) == "stale":
            words = " ".join([step.name, *campaign_overrides(campaign, workspace.folder), *known[step.name]["words"]])  # fmt: skip
            raise BadInput(f"{path} is stale: it, or what it was made from, has changed since: run `onrecord {words}` (stale=ok goes on)")  # fmt: skip


def state_lines(workspace: Workspace) -> list[str]:
    """Return which steps are done, which are stale, and the command to run next, a line each."""
    found: dict[str, State] = {}
    for step in STEPS:
        now = state(step, workspace)
        # what comes after a stale step is stale if it had been done
        found[step.name] = "stale" if now == "done" and "stale" in found.values() else now
    lines = []
    for name in ("done", "stale"):
        if steps := [step for step, now in found.items() if now == name]:
            lines.append(f"{name:<11} {', '.join(steps)}")
    if ahead := [step for step, now in found.items() if now != "done"]:
        campaigns = [one["campaign"] for one in read_steps(workspace).values() if "campaign" in one]
        name = campaigns[-1] if campaigns else workspace.folder.name
        following = [ahead[0], *campaign_overrides(name, workspace.folder)]
        lines.append(f"{'next':<11} onrecord {' '.join(following)}")
    return lines


def _read_paths(
    step: Command, workspace: Workspace, config: Mapping[str, Any], overrides: Sequence[str]
) -> list[Path]:
    if SOURCE_IS_TABLE in overrides:
        return [Path(o.removeprefix("rows=")) for o in overrides if o.startswith("rows=")]
    return _paths(step.reads, workspace, config)


def _paths(
    files: Sequence[WorkspaceFile], workspace: Workspace, config: Mapping[str, Any]
) -> list[Path]:
    return [
        Path(str(config.get("articles", "")))
        if file is Workspace.source_articles
        else workspace.folder / file.name
        for file in files
    ]
