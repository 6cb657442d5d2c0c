"""Label Studio as a back end: one project per annotator and round gives assignment, order and blindness.

This is the only module of the folder that others import, but for ``server``, which ``serve`` starts and ends.
"""

from collections.abc import Iterator, Mapping, Sequence
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
from onrecord.campaign.labelstudio.accounts import ensure_accounts, kept_accounts, mark
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
from onrecord.campaign.labelstudio.sync import collected_counts, pull_project
from onrecord.campaign.labelstudio.tasks import check_import, import_task
from onrecord.core.records import Launched
from onrecord.core.workspace import Workspace
from onrecord.scheme.scheme import Scheme

# The last four are of exports, which any server's or other tool's may be.
__all__ = ["COMMENT", "FLAGS", "LabelStudioBackend", "answers_in", "connect", "text_control"]


def connect(workspace: Workspace, campaign: str, address: Address) -> "LabelStudioBackend":
    """Return the back end on the team's server, or on the workspace's own; raises as ``client.connect``."""
    return LabelStudioBackend(api.connect(workspace.folder, address), workspace, campaign)


class LabelStudioBackend:
    """An :class:`~onrecord.campaign.backend.AnnotationBackend` for one campaign."""

    def __init__(self, client: LabelStudio, workspace: Workspace, campaign: str) -> None:
        self.client, self.campaign = client, campaign
        self.key, self.url = client.key, client.public
        self.logins = workspace.labelstudio / "accounts.json"
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
        """Return the time of the server's newest answer."""
        return self.client.server_time

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
            before=earlier, is_new=key not in self.existing, journal=self.journal,
        )  # fmt: skip
        configure(self.client, found, label_config)
        return int(found.id), now

    def pull(self, request: PullRequest) -> Iterator[Pulled]:
        """Yield what changed in each project of launched.jsonl."""
        launched = {row["task_id"]: row for row in request.launched}
        counts = collected_counts(request.collected, self.key)
        for project in dict.fromkeys(row["project_id"] for row in request.launched):
            yield pull_project(self.client, project, launched, counts.get(project, {}), request)

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
