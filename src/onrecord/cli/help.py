"""What bare ``onrecord`` and ``onrecord COMMAND --help`` print, and the table of commands in the documentation."""

import re
from pathlib import Path

from onrecord import ROOT
from onrecord.cli.commands import COMMANDS
from onrecord.cli.overrides import config_file, entries, groups
from onrecord.cli.pipeline import state_lines
from onrecord.core.files import write_text
from onrecord.core.workspace import Workspace, WorkspaceFile


def overview() -> str:
    """Return the commands, a line each, by the job that they belong to, and each workspace's state."""
    lines = ["onrecord COMMAND [key=value ...]   (onrecord COMMAND --help shows a command's keys)"]
    for job in dict.fromkeys(command.job for command in COMMANDS.values()):
        lines += ["", job]
        lines += [f"  {c.name:<12} {c.help}" for c in COMMANDS.values() if c.job == job]
    workspaces = sorted(path.parent for path in Path("data").glob(f"*/{Workspace.steps.name}"))
    if not workspaces:
        lines += ["", "No steps have been run here: start with `onrecord demo` or `onrecord init`"]
    for workspace in workspaces:
        lines += ["", f"State of {workspace}"]
        lines += [f"  {line}" for line in state_lines(Workspace(workspace))]
    return "\n".join(lines)


def command_page(command: str) -> str:
    """Return a command's page: what it does, its keys, what it chooses from, and the keys of every command.

    >>> page = command_page("segment")
    >>> page.splitlines()[0]
    'onrecord segment [key=value ...]: split articles into sentences, offsets exact'
    >>> "shard_size: 1000" in page and "workspace: data/" in page
    True
    """
    about, own = keys_of(command)
    parts = [f"onrecord {command} [key=value ...]: {COMMANDS[command].help}", about, own]
    folders = {path.name for path in (ROOT / "conf").iterdir()} - {"hydra"}
    chosen = [f"  {g}={'|'.join(entries(g))}" for g in sorted(groups(command) & folders)]
    if chosen:
        parts.append("\n".join(["Chosen by name:", *chosen]))
    if command != "init":
        parts.append(f"Keys of every command:\n\n{keys_of('base')[1]}")
    parts.append("See the config without running: --cfg job. Sweep: -m model=majority,tfidf_logreg")
    return "\n\n".join(part for part in parts if part)


def keys_of(command: str) -> tuple[str, str]:
    """Return the opening comment of a command's config file, and its keys as written, with comments."""
    text = config_file(command).read_text(encoding="utf-8")
    about, _, rest = text.partition("defaults:\n")
    keys = re.sub(r"^(?:[ ]*-.*\n)+", "", rest)
    keys = re.split(r"^hydra:", keys, flags=re.MULTILINE)[0]
    comment = [line.lstrip("# ") for line in about.splitlines() if line.startswith("#")]
    return "\n".join(comment), keys.strip("\n")


def with_command_table(page: str) -> str:
    """Return a Markdown page with the table between its ``commands`` comments written again."""
    rows = ["| command | what it does | reads | writes |", "|---|---|---|---|"]
    for c in COMMANDS.values():
        rows.append(f"| `{c.name}` | {c.help} | {_names(c.reads)} | {_names(c.writes)} |")
    table = "\n".join(["<!-- commands -->", "", *rows, "", "<!-- end -->"])
    return re.sub(r"<!-- commands -->.*?<!-- end -->", lambda _: table, page, flags=re.DOTALL)


def _names(files: tuple[WorkspaceFile, ...]) -> str:
    return ", ".join(f"`{file.name}`" for file in files)


if __name__ == "__main__":
    index = ROOT / "docs/index.md"
    write_text(index, with_command_table(index.read_text(encoding="utf-8")))
