"""A campaign's folder: one property a file, and the command that makes it.

Stages meet in these files. No other module spells their names.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self, overload

import pyarrow as pa

from onrecord.core.files import require
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS
from onrecord.core.tables import read_parquet


class WorkspaceFile:
    """A file or folder of every workspace: its name and the command that makes it.

    On the class it is itself (``Workspace.gold.command``), on a workspace its path (``workspace.gold``).
    """

    def __init__(self, name: str, command: str) -> None:
        self.name = name
        self.command = command

    @overload
    def __get__(self, workspace: None, owner: type) -> Self: ...
    @overload
    def __get__(self, workspace: "Workspace", owner: type) -> Path: ...
    def __get__(self, workspace: "Workspace | None", owner: type) -> Self | Path:
        """Return the path in a workspace, or on the class this description."""
        return self if workspace is None else workspace.folder / self.name


@dataclass(frozen=True)
class Workspace:
    """The files of one campaign's folder.

    >>> Workspace(Path("data/sample")).gold.as_posix(), Workspace.gold.command
    ('data/sample/gold.jsonl', 'adjudicate')
    """

    folder: Path

    source_articles = WorkspaceFile("articles", "init")  # elsewhere where `articles=` says so
    articles = WorkspaceFile("articles.parquet", "ingest")
    sentences = WorkspaceFile("sentences.parquet", "segment")
    speakers = WorkspaceFile("speakers.parquet", "attribute")
    plan = WorkspaceFile("plan.jsonl", "plan")
    plan_summary = WorkspaceFile("plan.md", "plan")
    reassignments = WorkspaceFile("reassignments.jsonl", "plan")
    qualification = WorkspaceFile("qualification.jsonl", "plan")
    known_answers = WorkspaceFile("known.json", "plan")
    labelstudio = WorkspaceFile("labelstudio", "serve")
    launch_lock = WorkspaceFile("labelstudio/launch.lock", "launch")
    collect_lock = WorkspaceFile("labelstudio/collect.lock", "collect")
    pull_states = WorkspaceFile("labelstudio/collected.json", "collect")
    launched = WorkspaceFile("launched.jsonl", "launch")
    versions = WorkspaceFile("versions.jsonl", "launch")
    logins = WorkspaceFile("logins.csv", "launch")
    annotations = WorkspaceFile("annotations.jsonl", "collect")
    quarantine = WorkspaceFile("quarantine.jsonl", "collect")
    rejected = WorkspaceFile("rejected.jsonl", "ingest")
    practice_pages = WorkspaceFile("practice", "status")
    status_page = WorkspaceFile("status.html", "status")
    agreement = WorkspaceFile("agreement.json", "agree")
    agreement_page = WorkspaceFile("agreement.html", "agree")
    gold = WorkspaceFile("gold.jsonl", "adjudicate")
    unresolved = WorkspaceFile("unresolved.jsonl", "adjudicate")
    adjudicators = WorkspaceFile("adjudicators.csv", "adjudicate round=open")
    articles_page = WorkspaceFile("articles.html", "view")
    dataset = WorkspaceFile("dataset", "build")
    split_assignments = WorkspaceFile("assignments.jsonl", "build")
    audit = WorkspaceFile("audit.json", "build")
    curve = WorkspaceFile("curve.json", "curve")
    curve_plot = WorkspaceFile("curve.svg", "curve")
    predictions = WorkspaceFile("predictions.parquet", "predict")
    predictions_source = WorkspaceFile("predictions.json", "predict")
    estimates = WorkspaceFile("estimates.json", "estimate")
    prevalence = WorkspaceFile(
        "prevalence.json", "estimate"
    )  # the same as estimates, for one version
    estimates_table = WorkspaceFile("estimates.csv", "estimate")
    estimates_page = WorkspaceFile("estimates.html", "estimate")
    estimates_design = WorkspaceFile("design.csv", "estimate")
    label_errors = WorkspaceFile("label_errors.jsonl", "label_errors")
    label_errors_plan = WorkspaceFile("label_errors_plan.jsonl", "label_errors")
    label_errors_page = WorkspaceFile("label_errors.html", "label_errors")
    releases = WorkspaceFile("releases", "publish")
    rehydration = WorkspaceFile("rehydration.json", "rehydrate")
    steps = WorkspaceFile(".steps.json", "make")

    def require(self, file: WorkspaceFile) -> Path:
        """Return the path of a file that must exist; raises BadInput naming the command that makes it."""
        return require(self.folder / file.name, file.command)

    def read_articles(self) -> pa.Table:
        """Return the articles, columns as ARTICLES; raises BadInput where the file is missing or lacks one."""
        return read_parquet(self.require(Workspace.articles), ARTICLES)

    def read_sentences(self) -> pa.Table:
        """Return the sentences, columns as SENTENCES; raises as :meth:`read_articles`."""
        return read_parquet(self.require(Workspace.sentences), SENTENCES)

    def read_speakers(self) -> pa.Table:
        """Return the suggested speakers, columns as SPEAKERS; raises as :meth:`read_articles`."""
        return read_parquet(self.require(Workspace.speakers), SPEAKERS)
