"""The files of a workspace: each is named once and made by a command that exists."""

import ast

from onrecord import ROOT
from onrecord.cli.commands import COMMANDS, STEPS
from onrecord.core.workspace import Workspace, WorkspaceFile

FILES = [file for file in vars(Workspace).values() if isinstance(file, WorkspaceFile)]


def test_every_file_has_a_name_of_its_own_and_a_command_that_makes_it():
    names = [file.name for file in FILES]
    assert len(names) == len(set(names))
    assert {file.command.split()[0] for file in FILES} <= COMMANDS.keys()


def test_what_a_command_writes_is_its_own():
    for command in COMMANDS.values():
        assert {file.command for file in command.writes} <= {command.name}


def test_a_step_reads_what_an_earlier_one_writes():
    written = [Workspace.source_articles]
    for step in STEPS:
        assert all(file in written for file in step.reads), step.name
        assert step.writes
        written += step.writes


# A run's folder and a release have files of these names too.
ALSO_ELSEWHERE = {"experiment": {"predictions.parquet"}, "dataset": {"sentences.parquet"}}


def test_no_other_module_spells_a_name():
    package = ROOT / "src/onrecord"
    names = {file.name for file in FILES if "." in file.name}
    spelt = []
    for path in sorted(package.rglob("*.py")):
        allowed = ALSO_ELSEWHERE.get(path.relative_to(package).parts[0], set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in names - allowed:
                spelt.append(f"{path.relative_to(package)}:{node.lineno}: {node.value}")
    assert [where for where in spelt if not where.startswith("core/workspace.py")] == []
