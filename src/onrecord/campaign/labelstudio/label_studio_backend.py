"""Label Studio as a back end: one project per annotator and round gives assignment, order and blindness.

This is the only module of the folder that others import, but for ``server``, which ``serve`` starts and ends.
"""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

from onrecord.campaign.backend import (
    Address,
    BackendTask,
    Entry,
    Login,
    Project,
    Pulled,
    PullRequest,
    Task,
)
from onrecord.campaign.labelstudio import client as api
from onrecord.campaign.labelstudio.accounts import (
    ensure_accounts,
    kept_accounts,
    mark,
    users,
)
from onrecord.campaign.labelstudio.client import LabelStudio
from onrecord.campaign.labelstudio.label_config import render_label_config
from onrecord.campaign.labelstudio.projects import (
    check_suggestions,
    configure,
    ensure_project,
    fill_project,
    finish_interrupted_import,
    project_key,
    tasks_by_key,
)
from onrecord.campaign.labelstudio.result_format import COMMENT, FLAGS, answers_in, text_control
from onrecord.campaign.labelstudio.submission import missing, submit_all
from onrecord.campaign.labelstudio.sync import Puller, collected_tasks, newest_change
from onrecord.campaign.labelstudio.tasks import check_import, import_task
from onrecord.core.errors import BadInput
from onrecord.core.records import Launched
from onrecord.core.votes import version_order
from onrecord.core.workspace import Workspace
from onrecord.scheme.scheme import Scheme

# answers_in and what it needs are of exports, which any server's or other tool's may be.
__all__ = ["COMMENT", "FLAGS", "LabelStudioBackend", "answers_in", "connect", "known_users", "text_control"]  # fmt: skip

ACCOUNTS = "accounts.json"
OLDEST = "1.20.0"
TESTED = ("1.20.0", "1.23.2")


def connect(workspace: Workspace, campaign: str, address: Address) -> "LabelStudioBackend":
    """Return the back end on the team's server, or on the workspace's own; raises as ``client.connect``."""
    client = api.connect(workspace.folder, address)
    check_version(client.url, client.get("/api/version"))
    return LabelStudioBackend(client, workspace, campaign)


def check_version(url: str, about: Mapping[str, Any]) -> None:
    """Warn of a Label Studio newer than those tested, by its answer to ``/api/version``; raise BadInput for too old a one."""
    found = str(about.get("release") or about.get("label-studio-os-package", {}).get("version"))
    tested = " and ".join(TESTED)
    if version_order(found) < version_order(OLDEST):
        raise BadInput(
            f"{url} is Label Studio {found}: expected {OLDEST} or newer (tested with {tested}): upgrade that server"
        )
    if version_order(found)[:2] > version_order(TESTED[-1])[:2]:
        print(f"WARNING: {url} is Label Studio {found}; tested with {tested}", file=sys.stderr)


def known_users(workspace: Workspace, servers: Collection[str]) -> dict[str, str]:
    """Return ``e-mail or number → annotator`` of the campaign's accounts on ``servers``."""
    found: dict[str, str] = {}
    for server in servers:
        for account in kept_accounts(workspace.labelstudio / ACCOUNTS, server).values():
            mine = dict.fromkeys(
                [account["email"], *map(str, users(account))], account["annotator"]
            )
            found |= mine
    return found


class LabelStudioBackend:
    """An :class:`~onrecord.campaign.backend.AnnotationBackend` for one campaign."""

    def __init__(self, client: LabelStudio, workspace: Workspace, campaign: str) -> None:
        self.client, self.campaign = client, campaign
        self.key, self.url = client.key, client.public
        self.logins = workspace.labelstudio / ACCOUNTS
        self.journal = workspace.labelstudio / "importing.json"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.__exit__()

    @property
    def user(self) -> str:
        """The e-mail address of the token's owner."""
        return self.client.whoami()

    @cached_property
    def existing(self) -> dict[str, Any]:
        """The server's projects by description, as they were when first asked for."""
        return {project.description: project for project in self.client.projects()}

    def now(self) -> str:
        """Return when a task of the campaign last changed, by the server's database."""
        return max((newest_change(self.client, n) for n in self.projects().values()), default="")

    def accounts(self, annotators: Sequence[str] = ()) -> Mapping[str, Login]:
        """Return the accounts kept in ``accounts.json``, signing up ``annotators`` that have none."""
        if not annotators:
            return kept_accounts(self.logins, self.key)
        return ensure_accounts(self.client, annotators, self.campaign, self.logins)

    def mark(self, annotator: str, *, origin: str, guidelines_version: str | None = None) -> None:
        """Keep in ``accounts.json`` that no person uses an account."""
        mark(self.logins, self.key, annotator, origin=origin, guidelines_version=guidelines_version)

    def projects(self) -> Mapping[tuple[str, str], int]:
        """Return the projects by the round and annotator in their descriptions."""
        ours = project_key(self.campaign, "", "").removesuffix(" · ")
        found = {}
        for description, project in self.existing.items():
            if str(description).startswith(ours):
                name, _, annotator = str(description).removeprefix(ours).partition(" · ")
                found[name, annotator] = int(project.id)
        return found

    def tasks(self, project: int) -> Mapping[str, BackendTask]:
        """Return a project's tasks by key; of one that is there twice the oldest."""
        return {key: copies[0] for key, copies in tasks_by_key(self.client, project).items()}

    def push(
        self, project: Project, tasks: Sequence[Task], before: Sequence[Launched]
    ) -> tuple[int, Mapping[str, BackendTask]]:
        """Make the project and its tasks; whatever is new is checked by Label Studio's library before it is sent."""
        key = project_key(self.campaign, project.round, project.annotator)
        label_config = render_label_config(project.scheme, with_answers=project.with_answers)
        wanted = [import_task(task, project.targets, project.scheme) for task in tasks]
        earlier = {
            row["task_id"]: BackendTask(
                id=row["ls_task_id"],
                annotated=row["state"] == "retired",
                text_sha256=row["text_sha256"],
                target_version=row.get("target_version", 1),
                content_sha256=row.get("content_sha256", ""),
                suggestion_shown=row["suggestion_shown"],
            )
            for row in before
        }
        new = [task for task in wanted if task["data"]["onrecord_id"] not in earlier]
        same = self.existing.get(key)
        if new or not same or same.label_config != label_config.strip():
            check_import(label_config, new, project.scheme)
        finish_interrupted_import(self.client, self.journal)
        found = ensure_project(
            self.client, self.existing, key,
            title=f"{project.title} · {project.round} · {project.annotator}",
            label_config=label_config, guidelines=project.instructions,
        )  # fmt: skip
        check_suggestions(found, wanted)
        now = fill_project(
            self.client, found.id, wanted,
            before=earlier, is_new=key not in self.existing, journal=self.journal, reopen=project.reopen,
        )  # fmt: skip
        configure(self.client, found, label_config)
        return int(found.id), now

    def pull(self, request: PullRequest) -> Iterator[Pulled]:
        """Yield what changed in each project of launched.jsonl."""
        launched = {row["task_id"]: row for row in request.launched}
        collected = collected_tasks(request.collected, self.key)
        kept = kept_accounts(self.logins, self.key).values()
        owners = {user: account["annotator"] for account in kept for user in users(account)}
        for project in dict.fromkeys(row["project_id"] for row in request.launched):
            numbers = collected.get(project, ())
            yield Puller(
                self.client, project, launched, numbers, owners=owners, request=request
            ).pull()

    def annotate(self, entries: Mapping[tuple[str, int], Sequence[Entry]], scheme: Scheme) -> int:
        """Create the annotations that are missing, all annotators at once."""
        accounts = kept_accounts(self.logins, self.key)
        new: dict[str, list[Any]] = {}
        for (annotator, project), given in entries.items():
            new.setdefault(annotator, []).extend(missing(self.client, project, given, scheme))
        tokens = {annotator: accounts[annotator]["token"] for annotator in new}
        return submit_all(self.client, tokens, new)

    def page(self, project: int) -> str:
        """Return the address of the project's labeling stream."""
        return f"{self.client.public}/projects/{project}/data?labeling=1"
