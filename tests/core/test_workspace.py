"""The files of a workspace: each is named once and made by a command that exists."""

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
