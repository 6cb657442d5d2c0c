"""Bring the plan to the back end: one project per annotator and round gives assignment, order and blindness.

It may be broken off at any moment and run again, and run again when the plan has changed: tasks are added
and retired, and none that somebody annotated is ever deleted.
"""

import csv
import io
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.progress import track

from onrecord.campaign.backend import (
    Address,
    AnnotationBackend,
    Answers,
    BackendTask,
    Entry,
    Login,
    Project,
    Task,
    open_backend,
)
from onrecord.campaign.planning.qualification import launchable_rows, record_results
from onrecord.campaign.simulated_annotators import simulate, simulated_annotators
from onrecord.campaign.task_content import instructions, read_model_labels, read_tasks
from onrecord.core.errors import BadInput
from onrecord.core.files import locked, read_json, read_jsonl, write_jsonl, write_text
from onrecord.core.records import Annotation, Launched, PlanRow, Quarantined
from onrecord.core.votes import latest_annotations, votes
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import read_guidelines
from onrecord.scheme.instrument import keep_version, version_in_force
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme, targets_of


def launched_rows(
    tasks: Sequence[Task],
    there: Mapping[str, BackendTask],
    before: Sequence[Launched],
    *,
    server: str,
    project: int,
    user: int,
) -> list[Launched]:
    """Return a project's rows of ``launched.jsonl``: the plan's, then those it dropped that somebody annotated."""
    planned: list[PlanRow | Launched] = [task.row for task in tasks]
    keys = {row["task_id"] for row in planned}
    dropped = [row for row in before if row["task_id"] not in keys and row["task_id"] in there]
    found = []
    for row in [*planned, *dropped]:
        task = there[row["task_id"]]
        found.append(
            Launched(
                task_id=row["task_id"],
                sentence_id=row["sentence_id"],
                annotator=row["annotator"],
                round=row["round"],
                purpose=row["purpose"],
                suggestion_shown=task.get("suggestion_shown", row["suggestion_shown"]),
                text_sha256=task["text_sha256"],
                target_version=task.get("target_version", 1),
                content_sha256=task.get("content_sha256", ""),
                server=server,
                project_id=project,
                ls_task_id=task["id"],
                user_id=user,
                state="active" if row["task_id"] in keys else "retired",
            )
        )
    return found


def logins_table(accounts: Iterable[Login], pages: Mapping[str, Sequence[str]]) -> str:
    """Return ``logins.csv``: one line per annotator with the login and the address of each project."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["annotator", "email", "password", "links"])
    for account in accounts:
        name = account["annotator"]
        table.writerow([name, account["email"], account["password"], " ".join(pages.get(name, ()))])
    return out.getvalue()


def launch(
    backend: AnnotationBackend, project: Project, tasks: Iterable[Task], before: Sequence[Launched]
) -> Iterator[list[Launched]]:
    """Yield the rows of launched.jsonl of each project once its tasks are there.

    ``project`` is what all projects have in common, ``before`` what the last launch left on this server.
    """
    groups: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        groups.setdefault((task.row["round"], task.row["annotator"]), []).append(task)
    accounts = backend.accounts(list(dict.fromkeys(annotator for _, annotator in groups)))
    earlier: dict[tuple[str, str], list[Launched]] = {}
    for row in before:  # a project that the plan dropped altogether still has its tasks retired
        earlier.setdefault((row["round"], row["annotator"]), []).append(row)
        groups.setdefault((row["round"], row["annotator"]), [])
    existing = backend.projects()
    for (name, annotator), mine in groups.items():
        if not mine and (name, annotator) not in existing:
            continue
        mine.sort(key=lambda task: task.row["position"])
        old = earlier.get((name, annotator), [])
        number, there = backend.push(replace(project, round=name, annotator=annotator), mine, old)
        user = accounts[annotator]["user_id"] if annotator in accounts else old[0]["user_id"]
        yield launched_rows(mine, there, old, server=backend.key, project=number, user=user)


def write_logins(path: Path, backend: AnnotationBackend, rows: Iterable[Launched]) -> list[str]:
    """Write the logins of those who have something to annotate, readable by their owner only; return their names."""
    pages: dict[str, list[str]] = {}
    active = ((row["project_id"], row["annotator"]) for row in rows if row["state"] == "active")
    for project, annotator in dict.fromkeys(active):
        pages.setdefault(annotator, []).append(backend.page(project))
    accounts = backend.accounts()
    table = logins_table([accounts[name] for name in pages], pages)
    write_text(path, table, mode=0o600)
    return list(pages)


def read_plan(workspace: Workspace) -> list[PlanRow]:
    """Return the plan; raises BadInput where there is none or it has a task twice."""
    path = workspace.require(Workspace.plan)
    plan = read_jsonl(path, PlanRow)
    seen: set[str] = set()
    for number, row in enumerate(plan, 1):
        if row["task_id"] in seen:
            raise BadInput(f"{path}, line {number}: task {row['task_id']} is planned twice")
        seen.add(row["task_id"])
    return plan


def launch_plan(
    workspace: Workspace, backend: AnnotationBackend, project: Project, tasks: Sequence[Task]
) -> list[Launched]:
    """Launch the plan's tasks, write ``launched.jsonl`` and ``logins.csv``, and return the plan's rows.

    The rows of an adjudication round, which is not the plan's, stay as they are.
    """
    path = workspace.launched
    here = [
        row
        for row in (read_jsonl(path, Launched) if path.exists() else [])
        if row["server"] == backend.key
    ]
    before = [row for row in here if row["purpose"] != "adjudication"]
    total = len({(task.row["round"], task.row["annotator"]) for task in tasks})
    reopen = frozenset(
        int(row["source_id"].split("/")[-2])
        for row in (
            read_jsonl(workspace.quarantine, Quarantined) if workspace.quarantine.exists() else ()
        )
        if row["reopen"] and row["source_id"].startswith(f"{backend.key}/")
    )
    projects = launch(backend, replace(project, reopen=reopen), tasks, before)
    shown = track(projects, "launching", total=total, disable=not sys.stderr.isatty())
    rows = [row for rows in shown for row in rows]
    write_jsonl(path, [*rows, *(row for row in here if row["purpose"] == "adjudication")])
    write_logins(workspace.logins, backend, rows)
    return rows


def answers_to_put_back(
    launched: Iterable[Launched], rows: Iterable[Annotation], missing: Collection[str]
) -> dict[tuple[str, int], list[Entry]]:
    """Return, by (annotator, project), the collected answers to tasks that the back end has without them.

    ``missing`` are the annotations that it lacks though it has their tasks. An answer to another version of the
    scheme or the target is not put back: the task is asked again. ``rows`` have the labels of the present scheme.
    """
    latest = latest_annotations(rows)
    skipped = [{**row, "status": "submitted"} for row in latest if row["status"] == "skipped"]
    skips = {row["annotation_id"] for row in skipped}
    held = {_asked(row): row for row in [*votes(skipped, None, None), *votes(latest, None, None)]}
    found: dict[tuple[str, int], list[Entry]] = {}
    for task in launched:
        row: Any = held.get(_asked(task))
        here = f"{task['server']}/{task['project_id']}/{task['ls_task_id']}"
        if row is None or task["state"] != "active":
            continue
        if row["annotation_id"] in missing or row.get("source_id", "").rpartition("/")[0] != here:
            answers = Answers(row["labels"], row["flags"], row["comment"])
            entry = Entry(
                task["ls_task_id"], answers, row["seconds"], row["annotation_id"] in skips
            )
            found.setdefault((task["annotator"], task["project_id"]), []).append(entry)
    return found


def _asked(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a person was asked by a task, or has answered by an annotation."""
    keys = ("annotator", "sentence_id", "purpose", "round", "text_sha256")
    return (*(row[key] for key in keys), row.get("target_version", 1))


def put_back(
    workspace: Workspace,
    backend: AnnotationBackend,
    launched: Sequence[Launched],
    scheme: Scheme,
) -> int:
    """Enter collected answers into tasks that lost them, or that were made anew; return how many."""
    if not workspace.annotations.exists():
        return 0
    rows = read_annotations(workspace.annotations, scheme)
    known = read_json(workspace.pull_states) if workspace.pull_states.exists() else {}
    missing = known.get(backend.key, {}).get("missing", {})
    now = [row for row in rows if row["scheme_version"] == scheme.version]
    entries = answers_to_put_back(launched, now, missing)
    return backend.annotate(entries, scheme) if entries else 0


def summary(rows: Sequence[Launched], waiting: int, restored: int, url: str, logins: Path) -> str:
    """Return what was launched, as lines; ``waiting`` tasks are held back until somebody qualifies."""
    retired = sum(row["state"] == "retired" for row in rows)
    lines = [
        f"{len(rows) - retired} tasks in {len({r['project_id'] for r in rows})} projects at {url}"
        + (f"; {retired} that the plan dropped keep their annotations" if retired else "")
    ]
    if waiting:
        lines.append(
            f"{waiting} tasks wait for the qualification: "
            "launch again once it is done (`onrecord status` shows who passed)"
        )
    if restored:
        lines.append(f"{restored} collected answers were put back: nobody is asked for them again")
    return "\n".join([*lines, f"Logins and links: {logins}"])


def main(cfg: DictConfig) -> None:
    """Compare the plan with the back end, send what is missing, write ``launched.jsonl`` and ``logins.csv``."""
    workspace, scheme = Workspace(Path(cfg.workspace)), load_scheme()
    planned, guidelines = read_plan(workspace), read_guidelines(scheme)
    plan = launchable_rows(planned, record_results(workspace, planned, scheme))
    campaign: Any = OmegaConf.to_container(cfg.campaign, resolve=True)
    targets = targets_of(scheme, campaign)
    model = read_model_labels(Path(cfg.predictions), scheme, targets) if cfg.predictions else None
    tasks = read_tasks(workspace, plan, scheme, model)
    project = Project(cfg.campaign.title, instructions(guidelines, targets), scheme, targets)
    declared: Any = OmegaConf.to_container(cfg.simulated, resolve=True)
    simulated = simulated_annotators(declared, scheme) if cfg.simulate else []
    with (
        open_backend(
            cfg.campaign.backend, workspace, cfg.campaign.name, Address(**cfg.labelstudio)
        ) as backend,
        locked(workspace.launch_lock),
    ):
        since = backend.now() if workspace.versions.exists() else ""
        keep_version(workspace, scheme, version_in_force(scheme, guidelines, targets, since))
        rows = launch_plan(workspace, backend, project, tasks)
        restored = put_back(workspace, backend, rows, scheme)
        if simulated:
            done = simulate(
                backend, rows, tasks, scheme,
                speakers=workspace.read_speakers().to_pylist(),
                known=read_jsonl(cfg.known) if cfg.known else [],
                annotators=simulated, names=cfg.seats, seed=cfg.seed,
            )  # fmt: skip
            print(done)
    print(summary(rows, len(planned) - len(plan), restored, backend.url, workspace.logins))
