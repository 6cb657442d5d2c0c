"""Bring the plan to Label Studio: one project per annotator and round gives assignment, order and blindness.

It may be broken off at any moment and run again, and run again when the plan has changed: tasks are added
and retired, and none that somebody annotated is ever deleted.
"""

import csv
import hashlib
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.progress import track

from onrecord.campaign.labelstudio.accounts import Account, ensure_accounts
from onrecord.campaign.labelstudio.client import LabelStudio, connect
from onrecord.campaign.labelstudio.install import locked
from onrecord.campaign.labelstudio.label_config import render_label_config
from onrecord.campaign.labelstudio.predictions import read_model_labels
from onrecord.campaign.labelstudio.projects import (
    Standing,
    configure,
    ensure_project,
    fill_project,
    project_key,
    settle_journal,
)
from onrecord.campaign.labelstudio.tasks import instructions, tasks_of
from onrecord.campaign.planning.qualification import launchable_rows, record_results
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, require, write_jsonl, write_text
from onrecord.core.records import Launched, PlanRow
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import guidelines_version, read_guidelines
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme, targets_of


def version_line(scheme: Scheme, guidelines: str, since: str) -> dict[str, Any]:
    """Return the line of ``versions.jsonl`` that says which instrument is in force since a moment."""
    labels = {q.name: q.names for q in scheme.questions.values()}
    labels["flags"] = [flag.name for flag in scheme.flags]
    return {
        "since": since,
        "guidelines_version": guidelines_version(guidelines),
        "scheme_version": scheme.version,
        "labels_sha256": hashlib.sha256(json.dumps(labels).encode()).hexdigest(),
    }


def check_versions(known: Sequence[Mapping[str, Any]], new: Mapping[str, Any]) -> bool:
    """Return whether ``new`` differs from the last line in force.

    Raises BadInput where labels changed under one version number: answers could not be told apart later.
    """
    if not known:
        return True
    last = known[-1]
    if (
        last["labels_sha256"] != new["labels_sha256"]
        and last["scheme_version"] == new["scheme_version"]
    ):
        raise BadInput(
            f"the labels changed since the campaign was launched, but the scheme is still version "
            f"{new['scheme_version']}: raise `version` in annotation/scheme.yaml and declare the migration"
        )
    return any(last[key] != new[key] for key in new if key != "since")


def left_by(rows: Iterable[Mapping[str, Any]]) -> dict[str, Standing]:
    """Return ``task_id → task`` as the last launch left it on the server."""
    return {
        row["task_id"]: Standing(
            id=row["ls_task_id"],
            touched=row["state"] == "retired",
            text_sha256=row["text_sha256"],
        )
        for row in rows
    }


def launched_rows(
    rows: Sequence[Mapping[str, Any]],
    stand: Mapping[str, Standing],
    before: Sequence[Mapping[str, Any]],
    *,
    server: str,
    project: int,
    user: int,
) -> list[Launched]:
    """Return a project's rows of ``launched.jsonl``: the plan's, then those it dropped that somebody annotated."""
    planned = {row["task_id"] for row in rows}
    dropped = [row for row in before if row["task_id"] not in planned and row["task_id"] in stand]
    return [
        Launched(
            task_id=row["task_id"],
            sentence_id=row["sentence_id"],
            annotator=row["annotator"],
            round=row["round"],
            purpose=row["purpose"],
            suggestion_shown=row["suggestion_shown"],
            text_sha256=stand[row["task_id"]]["text_sha256"],
            server=server,
            project_id=project,
            ls_task_id=stand[row["task_id"]]["id"],
            user_id=user,
            state="active" if row["task_id"] in planned else "retired",
        )
        for row in [*rows, *dropped]
    ]


def logins_table(accounts: Iterable[Account], links: Mapping[str, Sequence[str]]) -> str:
    """Return ``logins.csv``: one line per annotator with the login and a link to each project."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["annotator", "email", "password", "links"])
    for account in accounts:
        who = account["annotator"]
        table.writerow([who, account["email"], account["password"], " ".join(links.get(who, ()))])
    return out.getvalue()


def launch(
    client: LabelStudio,
    plan: Sequence[Mapping[str, Any]],
    tasks: Sequence[Mapping[str, Any]],
    accounts: Mapping[str, Account],
    before: Sequence[Mapping[str, Any]],
    *,
    campaign: str,
    title: str,
    label_config: str,
    guidelines: str,
    journal: Path,
) -> Iterator[list[Launched]]:
    """Yield each project's rows once its tasks stand; ``tasks`` go with the rows of ``plan``, ``before`` is launched.jsonl."""
    known = {p["description"]: p for p in client.projects()}
    data = {task["data"]["onrecord_id"]: task for task in tasks}
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in plan:
        groups.setdefault((row["round"], row["annotator"]), []).append(row)
    for row in before:  # a project that the plan dropped altogether still has its tasks retired
        groups.setdefault((row["round"], row["annotator"]), [])
    for (round_name, annotator), rows in groups.items():
        key = project_key(campaign, round_name, annotator)
        if not rows and key not in known:
            continue
        project = ensure_project(
            client, known, key,
            title=f"{title} · {round_name} · {annotator}",
            label_config=label_config, guidelines=guidelines,
        )  # fmt: skip
        check_suggestions(project, tasks)
        rows.sort(key=lambda row: row["position"])
        mine = [r for r in before if (r["round"], r["annotator"]) == (round_name, annotator)]
        stand = fill_project(
            client, project["id"], [data[row["task_id"]] for row in rows],
            before=left_by(mine), is_new=key not in known, journal=journal,
        )  # fmt: skip
        configure(client, project, label_config)
        user = accounts[annotator]["user_id"] if annotator in accounts else mine[0]["user_id"]
        yield launched_rows(rows, stand, mine, server=client.key, project=project["id"], user=user)


def check_suggestions(project: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]]) -> None:
    """Raise BadInput where a project's suggestions come from another source than the new ones: it shows one only."""
    now = project.get("model_version")
    for new in {p["model_version"] for task in tasks for p in task.get("predictions", ())}:
        if now and now != new:
            raise BadInput(
                f"project {project['id']} shows the suggestions of {now!r}, and Label Studio shows one source only: "
                f"found {new!r}; launch with the same predictions= as before, or as a campaign of its own"
            )


def read_plan(workspace: Path) -> list[PlanRow]:
    """Return the plan; raises BadInput where there is none or a task stands in it twice."""
    path = require(workspace / "plan.jsonl", "plan")
    plan = read_jsonl(path, PlanRow)
    seen: set[str] = set()
    for number, row in enumerate(plan, 1):
        if row["task_id"] in seen:
            raise BadInput(f"{path}, line {number}: task {row['task_id']} is planned twice")
        seen.add(row["task_id"])
    return plan


def main(cfg: DictConfig) -> None:
    """Compare the plan with the server, send what is missing, write ``launched.jsonl`` and ``logins.csv``."""
    workspace = Path(cfg.workspace)
    plan = read_plan(workspace)
    articles = Workspace(workspace).read_articles()
    sentences = Workspace(workspace).read_sentences()
    speakers = Workspace(workspace).read_speakers()
    scheme = load_scheme()
    planned, plan = (
        len(plan),
        launchable_rows(plan, record_results(Workspace(workspace), plan, scheme)),
    )
    guidelines = read_guidelines(scheme)
    campaign: Any = OmegaConf.to_container(cfg.campaign, resolve=True)
    targets = targets_of(scheme, campaign)
    tasks = list(
        tasks_of(
            plan, articles=articles.to_pylist(), sentences=sentences.to_pylist(),
            speakers=speakers.to_pylist(), targets=targets, scheme=scheme,
            model=read_model_labels(Path(cfg.predictions), scheme, targets) if cfg.predictions else None,
        )
    )  # fmt: skip
    path, versions = workspace / "launched.jsonl", workspace / "versions.jsonl"
    with (
        connect(workspace, cfg.labelstudio.url) as client,
        locked(workspace / "labelstudio/launch.lock"),
    ):
        known = read_jsonl(versions) if versions.exists() else []
        line = version_line(scheme, guidelines, client.server_time)
        if check_versions(known, line):
            if (workspace / "annotations.jsonl").exists():
                read_annotations(
                    workspace / "annotations.jsonl", scheme
                )  # refuses a removed label in use
            write_jsonl(versions, [*known, line])
        here = [r for r in (read_jsonl(path) if path.exists() else []) if r["server"] == client.key]
        before = [
            r for r in here if r["purpose"] != "adjudication"
        ]  # a round that is not the plan's
        names = list(dict.fromkeys(row["annotator"] for row in plan))
        accounts = ensure_accounts(
            client, names, cfg.campaign.name, workspace / "labelstudio" / "accounts.json"
        )
        journal = workspace / "labelstudio" / "importing.json"
        settle_journal(client, journal)
        done = launch(
            client, plan, tasks, accounts, before,
            campaign=cfg.campaign.name, title=cfg.campaign.title,
            label_config=render_label_config(scheme), guidelines=instructions(guidelines, targets),
            journal=journal,
        )  # fmt: skip
        total = len({(row["round"], row["annotator"]) for row in plan})
        quiet = not sys.stderr.isatty()
        rows = [r for group in track(done, "launching", total=total, disable=quiet) for r in group]
        write_jsonl(path, [*rows, *(r for r in here if r["purpose"] == "adjudication")])
        if cfg.simulate:
            # seats, which the simulator uses, knows launch
            from onrecord.campaign.labelstudio.simulated_annotators import simulate  # noqa: PLC0415

            print(simulate(cfg, client, rows, scheme))
    links: dict[str, list[str]] = {}
    for project, annotator in dict.fromkeys((r["project_id"], r["annotator"]) for r in rows):
        links.setdefault(annotator, []).append(
            f"{client.public}/projects/{project}/data?labeling=1"
        )
    logins = logins_table([accounts[name] for name in names], links)
    write_text(workspace / "logins.csv", logins, mode=0o600)
    retired = sum(row["state"] == "retired" for row in rows)
    print(
        f"{len(rows) - retired} tasks stand in {len({r['project_id'] for r in rows})} projects at {client.url}"
        + (f"; {retired} that the plan dropped keep their annotations" if retired else "")
    )
    if len(plan) < planned:
        print(
            f"{planned - len(plan)} tasks wait for the qualification: "
            "launch again once it is done (`onrecord status` shows who passed)"
        )
    print(f"Logins and links: {workspace / 'logins.csv'}")
