"""Bring annotations back into ``annotations.jsonl``: what changed, checked, losing none.

The file is written whole and atomically with its earlier bytes as they were, so that a death at any moment
leaves the old file or the new one.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

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
from onrecord.campaign.labelstudio.label_studio_backend import known_users
from onrecord.core.errors import BadInput, CheckFailed
from onrecord.core.files import locked, read_json, read_jsonl, write_json, write_jsonl
from onrecord.core.records import (
    Annotation,
    InstrumentVersion,
    Launched,
    PlanRow,
    Quarantined,
    text_sha256,
)
from onrecord.core.votes import latest_annotations, votes
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import guidelines_version
from onrecord.scheme.instrument import read_versions
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
    target_version: int,
    origin: str,
) -> str:
    """Read annotations made in another tool (a file of a ``kind``) into ``annotations.jsonl``; return what was done.

    ``names`` is a table of who is who in the file, ``question`` what it answers where it does not say.
    """
    planned = read_jsonl(workspace.plan, PlanRow) if workspace.plan.exists() else []
    scheme = load_scheme()
    launched = read_jsonl(workspace.launched, Launched) if workspace.launched.exists() else []
    who = known_users(workspace, {row["server"] for row in launched})
    who |= read_names(names) if names else {}
    rows_of = workspace.read_sentences().to_pylist()
    source = AnnotationFile(path, kind, rows_of, planned, who, question)
    guidelines = (annotation_folder() / "guidelines.md").read_text(encoding="utf-8")
    version: InstrumentVersion = {
        "since": "", "guidelines_version": guidelines_version(guidelines),
        "scheme_version": scheme.version, "target_version": target_version, "labels_sha256": "",
    }  # fmt: skip
    texts = {row["article_id"]: row["text"] for row in workspace.read_articles().to_pylist()}
    instrument = Instrument([version], target_id, {}, origin, texts)
    by_id = {row["task_id"]: row for row in planned}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with locked(workspace.collect_lock):
        before, rows, _ = read_log(workspace.annotations)
        log = AnnotationLog(rows)
        for pulled in source.pull(PullRequest([], rows, lambda _: scheme, {})):
            for task in sorted(pulled.tasks, key=lambda task: task.updated_at):
                log.add_from_file(file_row(task, by_id, instrument, log.filed, now))
        if log.added or not workspace.annotations.exists():
            append_rows(workspace.annotations, before, log.added)
    return summary([*rows, *log.added], len(log.added))


class Collected(NamedTuple):
    """The lines to print, the first of them how many annotations there are, and what is in quarantine."""

    lines: list[str]
    quarantined: list[Quarantined]


def collect(
    workspace: Workspace,
    backend: AnnotationBackend,
    *,
    target_id: str,
    origin: str,
    sweep: bool,
    sweep_every: float,
    accept_deletions: bool = False,
    claimed: Sequence[str] = (),
) -> Collected:
    """Pull every project of launched.jsonl, check, append to ``annotations.jsonl``; write ``quarantine.jsonl``.

    What the back end lacks stays, unless deletions are accepted; ``claimed`` are as in ``AnnotationLog.merge``.
    """
    launched = read_jsonl(workspace.require(Workspace.launched), Launched)
    if others := {row["server"] for row in launched} - {backend.key}:
        raise BadInput(
            f"the tasks of {workspace.launched} are on {min(others)}, not on {backend.key}: "
            "give its address as labelstudio.url=, or run `onrecord launch` to move the campaign here"
        )
    workspace.require(Workspace.versions)
    versions = read_versions(workspace)
    schemes = {number: scheme_of(number) for number in {v["scheme_version"] for v in versions}}
    texts = {row["article_id"]: row["text"] for row in workspace.read_articles().to_pylist()}
    path, tasks = workspace.annotations, {row["task_id"]: row for row in launched}
    with locked(workspace.collect_lock):
        before, rows, torn = read_log(path)
        kept = read_json(workspace.pull_states) if workspace.pull_states.exists() else {}
        last = kept.get(backend.key, {})
        if last.get("bytes") != len(before) or not workspace.quarantine.exists():
            last = {}  # the files are not those that it knows: everything is looked at again
        projects = {f"{backend.key}/{row['project_id']}" for row in launched}
        quarantine = read_jsonl(workspace.quarantine, Quarantined) if last else []
        log = AnnotationLog(
            rows,
            [q for q in quarantine if _project(q) in projects],
            last.get("missing"),
        )
        again = frozenset(
            q["source_id"].rpartition("/")[0] for q in log.quarantined.values() if q["task_id"]
        )
        instrument = Instrument(versions, target_id, backend.accounts(), origin, texts)
        request = PullRequest(
            launched, list(log.latest.values()),
            lambda moment: schemes[version_at(versions, moment)["scheme_version"]],
            last.get("projects", {}), sweep, sweep_every, again,
        )  # fmt: skip
        states = dict(request.states)
        drafts, unplanned = 0, 0
        pulls = track(
            backend.pull(request),
            "collecting",
            total=len(projects),
            disable=not sys.stderr.isatty(),
        )
        for pulled in pulls:
            log.project_is_gone(f"{backend.key}/{pulled.project}", backend.url, gone=pulled.gone)
            for task in pulled.tasks:
                log.merge(task, tasks, instrument, claimed)
            states[pulled.project] = pulled.state
            drafts += pulled.drafts
            unplanned += pulled.unplanned
        if accept_deletions:
            log.accept_deletions()
        if log.added or torn or not path.exists():
            append_rows(path, before, log.added)
        write_jsonl(workspace.quarantine, log.quarantined.values())
        now = {"bytes": path.stat().st_size, "missing": log.missing, "projects": states}
        write_json(workspace.pull_states, {**kept, backend.key: now})
    sentences = workspace.read_sentences().to_pylist()
    sha256_of = {row["sentence_id"]: text_sha256(row["text"]) for row in sentences}
    counted = {row["annotation_id"] for row in votes(log.latest.values(), None, None)}
    lines = report(
        list(log.latest.values()), log.added, sha256_of,
        drafts=drafts, torn=torn, missing=[name for name in log.missing if name in counted], unplanned=unplanned,
    )  # fmt: skip
    quarantined = list(log.quarantined.values())
    return Collected([*lines, *map(not_counted, quarantined)], quarantined)


def _project(row: Quarantined) -> str:
    return row["source_id"].rsplit("/", 2)[0] if row["task_id"] else row["source_id"]


def report(
    rows: Sequence[Annotation],
    added: Sequence[Annotation],
    sha256_of: Mapping[str, str],
    *,
    drafts: int,
    torn: bool,
    missing: Sequence[str],
    unplanned: int,
) -> list[str]:
    """Return the lines to print after a collect; ``added`` are the new ones of ``rows``.

    ``sha256_of`` maps sentences to the hash of their present text, ``missing`` are the annotations that count
    and that the back end lacks, ``unplanned`` counts annotated tasks that are not of the plan.
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
    if missing:
        lines.append(
            f"{len(missing)} collected annotations are not on the server any more and count all the same: "
            "`onrecord launch` puts them back, `onrecord collect deletions=accept` gives them up: "
            + listed(missing)
        )
    if unplanned:
        lines.append(
            f"{unplanned} annotated tasks on the server are not of this campaign's plan: left alone."
        )
    if outdated := stale(rows, sha256_of):
        lines.append(
            f"{len(outdated)} annotations are of a text that has changed since: {listed(outdated)}"
        )
    return lines


def listed(names: Sequence[str]) -> str:
    """Return the first ten names.

    >>> listed(["a", "b"])
    'a, b'
    """
    return ", ".join([*names[:10], *(["…"] if len(names) > 10 else [])])


def not_counted(row: Quarantined) -> str:
    """Return the line for what is in quarantine."""
    whose = f" of {row['annotator']}" if row["annotator"] else ""
    return f"Not counted: {row['source_id']}{whose}: {row['problem']} ({row['address']}). Cure: {row['cure']}"


def collect_as_asked(cfg: DictConfig, workspace: Workspace) -> Collected:
    """Collect from the back end as the command line asks; raises BadInput for what cannot be asked."""
    workspace.require(Workspace.launched)
    if cfg.deletions not in (None, "accept"):
        raise BadInput(f"deletions: expected accept or null, found {cfg.deletions!r}")
    claimed = [cfg.claim] if isinstance(cfg.claim, str) else list(cfg.claim or ())
    with open_backend(
        cfg.campaign.backend, workspace, cfg.campaign.name, Address(**cfg.labelstudio)
    ) as backend:
        return collect(
            workspace, backend, target_id=cfg.campaign.target.id, origin=cfg.campaign.origin,
            sweep=bool(cfg.sweep), sweep_every=cfg.sweep_every,
            accept_deletions=cfg.deletions == "accept", claimed=claimed,
        )  # fmt: skip


def main(cfg: DictConfig) -> None:
    """Bring annotations back, from the back end or a file, and report what was found."""
    workspace = Workspace(Path(cfg.workspace))
    if cfg["from"]:
        names = Path(cfg.names) if cfg.names else None
        done = collect_from(
            workspace, Path(cfg["from"]), cfg.format, names, cfg.question,
            target_id=cfg.campaign.target.id, target_version=cfg.campaign.target.version,
            origin=cfg.campaign.origin,
        )  # fmt: skip
        print(done)
        return
    lines, quarantined = collect_as_asked(cfg, workspace)
    print("\n".join(lines))
    if quarantined:
        raise CheckFailed(f"{len(quarantined)} in quarantine: {workspace.quarantine}")
