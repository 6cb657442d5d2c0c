"""What one Label Studio project has that was not collected yet.

A task's ``updated_at`` moves when an annotation is added, changed or deleted, so asking for what moved is
complete but for deleted tasks; those are found by a sweep of all ids, made now and then and whenever the
server's own counts differ from ours.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from onrecord.campaign.backend import (
    Answers,
    Pulled,
    PulledAnnotation,
    PulledTask,
    PullRequest,
)
from onrecord.campaign.labelstudio.client import (
    KEYS,
    LabelStudio,
    RawAnnotation,
    RawTask,
    changed_since,
    iso,
    numbered,
    with_draft,
)
from onrecord.campaign.labelstudio.result_format import from_result
from onrecord.core.errors import BadInput
from onrecord.core.records import Annotation, Launched, text_sha256

COUNTS = "id,total_annotations,cancelled_annotations"
NUMBERS = "id,task_number,total_annotations_number,skipped_annotations_number"
OVERLAP = timedelta(seconds=15)  # writes are dated before they can be seen

Counts = tuple[int, int]  # annotations and skips


class State(TypedDict):
    """What is kept of a project between two pulls: moments by the server's clock, and its number of tasks."""

    since: str
    swept: str
    tasks: int


def pull_project(
    client: LabelStudio,
    project: int,
    launched: Mapping[str, Launched],
    collected: Mapping[int, Counts],
    request: PullRequest,
) -> Pulled:
    """Return what one project has that was not collected.

    ``launched`` maps a task's key to its row of launched.jsonl, ``collected`` Label Studio's task numbers to
    how many annotations and skips were collected of them. Raises BadInput for a label that the scheme lacks.
    """
    state: Any = request.states.get(str(project), {})
    found: dict[int, PulledTask] = {}
    counts, unplanned = dict(collected), 0

    def fetch(filters: Sequence[Mapping[str, Any]]) -> None:
        nonlocal unplanned
        for task in client.tasks(project, fields="all", filters=filters):
            row = launched.get(str(task["data"].get("onrecord_id")))
            if row is None:
                unplanned += bool(task["annotations"])
                continue
            found[task["id"]] = pulled_task(client, task, row, request)
            skipped = sum(one["was_cancelled"] for one in task["annotations"])
            counts[task["id"]] = len(task["annotations"]) - skipped, skipped

    since = client.server_time  # of an earlier answer, so that nothing falls between two pulls
    if state:
        fetch([changed_since(iso(datetime.fromisoformat(state["since"]) - OVERLAP))])
    info = project_info(client, project)
    swept = state.get("swept", since)
    total = info["total_annotations_number"], info["skipped_annotations_number"]
    if (
        not state
        or request.sweep
        or is_overdue(state, client.server_time, request.sweep_every)
        or info["task_number"] != state["tasks"]
        or tuple(map(sum, zip((0, 0), *counts.values(), strict=True))) != total
    ):
        there = {t["id"]: t for t in client.tasks(project, include=COUNTS)}
        ids = [n for n, t in there.items() if server_counts(t) != counts.get(n, (0, 0))]
        if len(ids) > len(there) // 2:
            fetch([])
        else:
            for start in range(0, len(ids), KEYS):
                fetch([numbered(ids[start : start + KEYS])])
        for number in counts.keys() - there.keys():
            source = f"{client.key}/{project}/{number}"
            found[number] = PulledTask("", "", "", source, since, (), deleted=True)
        swept = since
    kept = State(since=since, swept=swept, tasks=info["task_number"])
    drafts = sum(1 for _ in client.tasks(project, include="id", filters=[with_draft()]))
    return Pulled(str(project), list(found.values()), kept, drafts, unplanned)


def project_info(client: LabelStudio, project: int) -> dict[str, int]:
    """Return the project's counts; raises BadInput where it is gone."""
    info: dict[str, int] = client.get(f"/api/projects/{project}/", missing={}, include=NUMBERS)
    if not info:
        raise BadInput(
            f"project {project} is gone from {client.url}: run `onrecord launch` to make it again "
            "(what was collected of it stays)"
        )
    return info


def server_counts(task: RawTask) -> Counts:
    """Return how many annotations and skips the server counts on a task."""
    return int(task["total_annotations"]), int(task["cancelled_annotations"])


def collected_counts(rows: Iterable[Annotation], server: str) -> dict[int, dict[int, Counts]]:
    """Return ``project → task → (annotations, skips)`` of what was collected from a server and not deleted.

    Numbers are Label Studio's. ``rows`` are the latest line of each annotation.
    """
    found: dict[int, dict[int, Counts]] = {}
    for row in rows:
        source = row.get("source_id", "")
        if source.startswith(f"{server}/") and row["status"] != "deleted":
            project, task, _ = map(int, source.removeprefix(f"{server}/").split("/"))
            tasks = found.setdefault(project, {})
            annotations, skips = tasks.get(task, (0, 0))
            is_skip = row["status"] == "skipped"
            tasks[task] = annotations + (not is_skip), skips + is_skip
    return found


def pulled_task(
    client: LabelStudio, task: RawTask, launched: Launched, request: PullRequest
) -> PulledTask:
    """Return a task with all its annotations, the oldest first."""
    page = f"{client.public}/projects/{launched['project_id']}/data?task={task['id']}"
    return PulledTask(
        task_id=launched["task_id"],
        sentence_id=launched["sentence_id"],
        annotator=launched["annotator"],
        source=f"{client.key}/{launched['project_id']}/{task['id']}",
        updated_at=task["updated_at"],
        annotations=[
            pulled_annotation(raw, task, launched, request, f"{page}, annotation {raw['id']}")
            for raw in sorted(task["annotations"], key=lambda raw: raw["id"])
        ],
    )


def pulled_annotation(
    raw: RawAnnotation, task: RawTask, launched: Launched, request: PullRequest, where: str
) -> PulledAnnotation:
    """Return one annotation; ``where`` names it in complaints. Raises BadInput for a label that the scheme lacks."""
    data, problem = task["data"], ""
    if raw["completed_by"] != launched["user_id"]:
        problem = f"completed by user {raw['completed_by']}, not by {launched['annotator']}"
    elif text_sha256(shown_text(data)) != str(data.get("text_sha256")):
        problem = "the task's text was altered on the server"
    scheme = request.scheme_at(raw["updated_at"])
    return PulledAnnotation(
        id=str(raw["id"]),
        answers=from_result(raw["result"], scheme, where) if raw["result"] else Answers({}, [], ""),
        status="skipped" if raw["was_cancelled"] else "submitted",
        text_sha256=str(data.get("text_sha256")),
        seconds=raw["lead_time"],
        created_at=raw["created_at"],
        updated_at=raw["updated_at"],
        problem=problem,
    )


def shown_text(data: Mapping[str, Any]) -> str:
    """Return the sentence as the task shows it: its HTML without tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", str(data.get("sentence", ""))))


def is_overdue(state: State, now: str, every: float) -> bool:
    """Return whether a project was last swept more than ``every`` seconds ago."""
    last = datetime.fromisoformat(state["swept"])
    return datetime.fromisoformat(now) - last > timedelta(seconds=every)
