"""Bring annotations back into ``annotations.jsonl``: what changed, checked, losing none.

The file is written whole and atomically with its earlier bytes as they were, so that a death at any moment
leaves the old file or the new one.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.progress import track

from onrecord.campaign.annotation_log import (
    AnnotationLog,
    Instrument,
    append_rows,
    read_log,
    version_at,
)
from onrecord.campaign.backend import Address, AnnotationBackend, PullRequest, open_backend
from onrecord.campaign.import_annotations import AnnotationFile, file_row, read_names
from onrecord.core.errors import BadInput
from onrecord.core.files import locked, read_json, read_jsonl, write_json
from onrecord.core.records import (
    Annotation,
    InstrumentVersion,
    Launched,
    PlanRow,
    latest_annotations,
    text_sha256,
)
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import guidelines_version
from onrecord.scheme.migrations import scheme_of
from onrecord.scheme.scheme import annotation_folder, load_scheme


def stale(rows: Iterable[Annotation], sha256_of: Mapping[str, str]) -> list[str]:
    """Return the ids of submitted annotations made on another text than their sentence has now.

    One whose annotator has annotated the sentence again since is done with.
    """
    old, again = [], set()
    for row in latest_annotations(rows):
        if row["status"] == "submitted":
            of = (row["annotator"], row["sentence_id"], row["purpose"])
            if sha256_of.get(row["sentence_id"]) == row["text_sha256"]:
                again.add(of)
            else:
                old.append((of, row["annotation_id"]))
    return [identifier for of, identifier in old if of not in again]


def summary(rows: Sequence[Annotation], added: int) -> str:
    """Return how many annotations there are of each status, as a line."""
    latest = latest_annotations(rows)
    kinds = Counter(str(row["status"]) for row in latest)
    empty = sum(row["status"] == "submitted" and not row["labels"] for row in latest)
    parts = [f"{kinds['submitted']} submitted"]
    parts += [f"{empty} of them empty"] if empty else []
    parts += [f"{kinds[k]} {k}" for k in ("skipped", "deleted", "rejected") if kinds[k]]
    return f"{added} new lines; annotations: {', '.join(parts)}"


def collect_from(
    workspace: Workspace,
    path: Path,
    kind: str,
    names: Path | None,
    question: str | None,
    *,
    target_id: str,
    origin: str,
) -> str:
    """Read annotations made in another tool (a file of a ``kind``) into ``annotations.jsonl``; return what was done.

    ``names`` is a table of who is who in the file, ``question`` what it answers where it does not say.
    """
    planned = read_jsonl(workspace.plan, PlanRow) if workspace.plan.exists() else []
    scheme = load_scheme()
    source = AnnotationFile(
        path, kind, workspace.read_sentences().to_pylist(), planned, read_names(names) if names else {},
        question,
    )  # fmt: skip
    guidelines = (annotation_folder() / "guidelines.md").read_text(encoding="utf-8")
    version: InstrumentVersion = {
        "since": "", "guidelines_version": guidelines_version(guidelines),
        "scheme_version": scheme.version, "labels_sha256": "",
    }  # fmt: skip
    texts = {row["article_id"]: row["text"] for row in workspace.read_articles().to_pylist()}
    instrument = Instrument([version], target_id, {}, origin, texts)
    by_id = {row["task_id"]: row for row in planned}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with locked(workspace.collect_lock):
        before, rows, _ = read_log(workspace.annotations)
        log = AnnotationLog(rows)
        for pulled in source.pull(PullRequest([], rows, lambda _: scheme, {})):
            for task in pulled.tasks:
                log.add(file_row(task, by_id, instrument, log.latest, now))
        if log.added or not workspace.annotations.exists():
            append_rows(workspace.annotations, before, log.added)
    return summary([*rows, *log.added], len(log.added))


def collect(
    workspace: Workspace,
    backend: AnnotationBackend,
    *,
    target_id: str,
    origin: str,
    sweep: bool,
    sweep_every: float,
) -> list[str]:
    """Pull every project of launched.jsonl, check, append to ``annotations.jsonl``.

    Return what to report: first how many annotations there are, then what needs somebody's attention.
    """
    launched = read_jsonl(workspace.require(Workspace.launched), Launched)
    if others := {row["server"] for row in launched} - {backend.key}:
        raise BadInput(
            f"the tasks of {workspace.launched} are on {min(others)}, not on {backend.key}: "
            "give its address as labelstudio.url=, or run `onrecord launch` to move the campaign here"
        )
    versions = read_jsonl(workspace.require(Workspace.versions), InstrumentVersion)
    schemes = {number: scheme_of(number) for number in {v["scheme_version"] for v in versions}}
    texts = {row["article_id"]: row["text"] for row in workspace.read_articles().to_pylist()}
    path, tasks = workspace.annotations, {row["task_id"]: row for row in launched}
    with locked(workspace.collect_lock):
        before, rows, torn = read_log(path)
        log = AnnotationLog(rows)
        kept = read_json(workspace.pull_states) if workspace.pull_states.exists() and rows else {}
        states = kept.get(backend.key, {})
        instrument = Instrument(versions, target_id, backend.accounts(), origin, texts)
        request = PullRequest(
            launched, list(log.latest.values()),
            lambda moment: schemes[version_at(versions, moment)["scheme_version"]],
            states, sweep, sweep_every,
        )  # fmt: skip
        drafts, unplanned, gone = 0, 0, 0
        total = len({row["project_id"] for row in launched})
        projects = track(
            backend.pull(request), "collecting", total=total, disable=not sys.stderr.isatty()
        )
        for pulled in projects:
            for task in pulled.tasks:
                deletions = log.merge(task, tasks, instrument)
                gone += len(deletions) if task.deleted else 0
            states = {**states, pulled.project: pulled.state}
            drafts += pulled.drafts
            unplanned += pulled.unplanned
        if log.added or torn or not path.exists():
            append_rows(path, before, log.added)
        write_json(workspace.pull_states, {**kept, backend.key: states})
    sentences = workspace.read_sentences().to_pylist()
    sha256_of = {row["sentence_id"]: text_sha256(row["text"]) for row in sentences}
    return report(
        [*rows, *log.added], log.added, sha256_of,
        drafts=drafts, torn=torn, gone=gone, unplanned=unplanned,
    )  # fmt: skip


def report(
    rows: Sequence[Annotation],
    added: Sequence[Annotation],
    sha256_of: Mapping[str, str],
    *,
    drafts: int,
    torn: bool,
    gone: int,
    unplanned: int,
) -> list[str]:
    """Return the lines to print after a collect; ``added`` are the new ones of ``rows``.

    ``sha256_of`` maps sentences to the hash of their present text, ``gone`` counts annotations whose task
    was deleted, ``unplanned`` annotated tasks that are not of the plan.
    """
    lines = [summary(rows, len(added))]
    if drafts:
        lines.append(
            f"{drafts} tasks have an unfinished draft: it is collected once it is submitted."
        )
    if torn:
        lines.append(
            "The last line of annotations.jsonl was unfinished: it was cut off and collected again."
        )
    if gone:
        lines.append(
            f"{gone} annotations went with tasks deleted on the server: `onrecord launch` brings those back."
        )
    if unplanned:
        lines.append(
            f"{unplanned} annotated tasks on the server are not of this campaign's plan: left alone."
        )
    lines += [not_counted(row) for row in latest_annotations(added) if row["status"] == "rejected"]
    if outdated := stale(rows, sha256_of):
        lines.append(
            f"{len(outdated)} annotations are of a text that has changed since: {', '.join(outdated[:10])}"
        )
    return lines


def not_counted(row: Mapping[str, Any]) -> str:
    """Return the line for a rejected annotation."""
    return f"Not counted: {row['annotation_id']} of {row['annotator']}: {row['problem']}"


def main(cfg: DictConfig) -> None:
    """Bring annotations back, from the back end or a file, and report what was found."""
    workspace = Workspace(Path(cfg.workspace))
    about = {"target_id": cfg.campaign.target.id, "origin": cfg.campaign.origin}
    if cfg["from"]:
        names = Path(cfg.names) if cfg.names else None
        print(collect_from(workspace, Path(cfg["from"]), cfg.format, names, cfg.question, **about))
        return
    workspace.require(Workspace.launched)
    with open_backend(
        cfg.campaign.backend, workspace, cfg.campaign.name, Address(**cfg.labelstudio)
    ) as backend:
        lines = collect(
            workspace, backend, **about, sweep=bool(cfg.sweep), sweep_every=cfg.sweep_every
        )
    print("\n".join(lines))
