"""What one Label Studio project has that was not collected yet.

A task's ``updated_at`` moves when an annotation is added, changed or deleted. Tasks that moved are asked for; a
look at all of them, which also finds those that are gone, is made now and then and whenever the server's own counts
differ from what was seen. All moments are those of the server's database, whatever a proxy's clock says.
"""

import html
import json
import re
import time
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

MARKS = "id,updated_at,total_annotations,cancelled_annotations"
NUMBERS = "id,task_number,total_annotations_number,skipped_annotations_number"
OVERLAP = timedelta(seconds=15)  # writes are dated before they can be seen

Mark = tuple[str, int, int]  # of a task with annotations: its updated_at, annotations and skips


class State(TypedDict):
    """What is kept of a project between two pulls: the tasks with annotations as they were ``seen``.

    ``since`` is the newest change, ``swept`` when all tasks were last looked at, by our own clock.
    """

    since: str
    swept: float
    tasks: int
    seen: dict[str, Mark]


def mark_of(task: RawTask) -> Mark | None:
    """Return what shows whether a task's annotations are as they were; None where it has none."""
    counts = int(task["total_annotations"]), int(task["cancelled_annotations"])
    return (task["updated_at"], *counts) if any(counts) else None


class Puller:
    """One project, looked at for what is not as it was ``seen``.

    ``launched`` maps a task's key to its row of launched.jsonl, ``collected`` are Label Studio's numbers of the
    tasks of which something was collected, ``owners`` maps users to annotators.
    """

    def __init__(
        self,
        client: LabelStudio,
        project: int,
        launched: Mapping[str, Launched],
        collected: Iterable[int],
        *,
        owners: Mapping[int, str],
        request: PullRequest,
    ) -> None:
        self.client, self.project, self.launched = client, project, launched
        self.owners, self.request = owners, request
        self.state: Any = request.states.get(str(project), {})
        marks = {int(n): tuple(mark) for n, mark in self.state.get("seen", {}).items()}
        self.seen: dict[int, Any] = marks if self.state else dict.fromkeys(collected, ("", 0, 0))
        self.since: str = self.state.get("since", "")
        self.found: dict[int, PulledTask] = {}
        self.unplanned = 0

    def pull(self) -> Pulled:
        """Return what is not collected yet of the project, or that it is gone."""
        info = self.client.get(f"/api/projects/{self.project}/", missing={}, include=NUMBERS)
        if not info:
            return Pulled(str(self.project), [], self.state, gone=True)
        prefix = f"{self.client.key}/{self.project}/"
        again = [int(s.removeprefix(prefix)) for s in self.request.again if s.startswith(prefix)]
        self.fetch(again)
        if self.since:
            since = datetime.fromisoformat(self.since) - OVERLAP
            self.look([changed_since(iso(since))])
        swept, since_before = self.state.get("swept", 0.0), self.since
        if (
            not self.state
            or self.request.sweep
            or time.time() - swept > self.request.sweep_every
            or info["task_number"] != self.state["tasks"]
            or tuple(sum(mark[i] for mark in self.seen.values()) for i in (1, 2))
            != (info["total_annotations_number"], info["skipped_annotations_number"])
        ):
            newest = newest_change(self.client, self.project)  # asked first: listing takes a while
            there = self.look([])
            self.since = max(since_before, newest)
            for number in self.seen.keys() - there.keys():
                self.found[number] = PulledTask("", "", "", f"{prefix}{number}", "", ())
                del self.seen[number]
            swept = time.time()
        state = State(
            since=self.since, swept=swept, tasks=info["task_number"],
            seen={str(number): mark for number, mark in self.seen.items()},
        )  # fmt: skip
        drafts = sum(
            1 for _ in self.client.tasks(self.project, include="id", filters=[with_draft()])
        )
        return Pulled(str(self.project), list(self.found.values()), state, drafts, self.unplanned)

    def look(self, filters: Sequence[Mapping[str, Any]]) -> dict[int, RawTask]:
        """List tasks and fetch those that are not as they were seen; return the list."""
        listed = {
            t["id"]: t for t in self.client.tasks(self.project, include=MARKS, filters=filters)
        }
        changed = [n for n, task in listed.items() if mark_of(task) != self.seen.get(n)]
        self.fetch(changed)
        self.since = max([self.since, *(task["updated_at"] for task in listed.values())])
        return listed

    def fetch(self, numbers: Sequence[int]) -> None:
        """Read tasks with their annotations, and keep how they were seen."""
        for start in range(0, len(numbers), KEYS):
            wanted = [numbered(numbers[start : start + KEYS])]
            for task in self.client.tasks(self.project, fields="all", filters=wanted):
                mark = mark_of(task)
                self.seen.pop(task["id"], None)
                if mark:
                    self.seen[task["id"]] = mark
                row = self.launched.get(str(task["data"].get("onrecord_id")))
                if row:
                    self.found[task["id"]] = self.task(task, row)
                else:
                    self.unplanned += bool(task["annotations"])

    def task(self, task: RawTask, launched: Launched) -> PulledTask:
        """Return a task with all its annotations, the oldest first."""
        data: Mapping[str, Any] = task["data"]
        source = f"{self.client.key}/{self.project}/{task['id']}"
        return PulledTask(
            task_id=launched["task_id"],
            sentence_id=launched["sentence_id"],
            annotator=launched["annotator"],
            source=source,
            updated_at=task["updated_at"],
            annotations=[
                self.annotation(raw, data, launched, f"{source}/{raw['id']}")
                for raw in sorted(task["annotations"], key=lambda raw: raw["id"])
            ],
            address=f"{self.client.public}/projects/{self.project}/data?task={task['id']}",
            target_version=int(data.get("target_version", 1)),
            suggestion_shown=bool(task["predictions"]),
        )

    def annotation(
        self, raw: RawAnnotation, data: Mapping[str, Any], launched: Launched, source: str
    ) -> PulledAnnotation:
        """Return one annotation, with its problem where its text, its labels or who made it do not let it count."""
        annotator = launched["annotator"]
        problem, made_by = self.made_by_another(raw, launched)
        cure = (
            f"`onrecord launch` reopens the task for {annotator}; "
            f"if the answer is theirs, `onrecord collect claim={source if made_by else annotator}`"
        )
        reopen = bool(problem)
        if not problem and text_sha256(shown_text(data)) != str(data.get("text_sha256")):
            problem, reopen = "the task's text was altered on the server", True
            cure = f"`onrecord launch` reopens the task for {annotator}"
        answers = Answers({}, [], "")
        try:
            if raw["result"]:
                scheme = self.request.scheme_at(raw["updated_at"])
                answers = from_result(raw["result"], scheme, f"annotation {raw['id']}")
        except BadInput as error:
            problem, made_by = str(error), None
            cure = "correct it in Label Studio, or delete it there, and collect again"
        return PulledAnnotation(
            id=str(raw["id"]),
            answers=answers,
            status="skipped" if raw["was_cancelled"] else "submitted",
            text_sha256=str(data.get("text_sha256")),
            seconds=raw["lead_time"],
            created_at=raw["created_at"],
            updated_at=raw["updated_at"],
            problem=problem,
            cure=cure,
            made_by=made_by,
            reopen=reopen,
            result=raw["result"],
        )

    def made_by_another(self, raw: RawAnnotation, launched: Launched) -> tuple[str, str | None]:
        """Return why an annotation is not the annotator's alone, and who that was; ``("", None)`` where it is.

        The server tells who made and who changed it last. Nobody, where that account was deleted (an import has
        nobody either, but is never changed later).
        """
        changed_by = raw.get("updated_by", raw["completed_by"])
        found: tuple[str, str | None] = "", None
        for what, user in (("changed", changed_by), ("completed", raw["completed_by"])):
            name = self.owners.get(user or 0, "")
            if user is None and (
                what == "completed" or raw["updated_at"][:19] > raw["created_at"][:19]
            ):
                found = found if found[1] else (f"{what} by an account that was deleted", "")
            is_theirs = name == launched["annotator"] or (not name and user == launched["user_id"])
            if user and not is_theirs and (name or not found[1]):
                found = f"{what} by {name or f'user {user}'}, not by {launched['annotator']}", name
        return found


def newest_change(client: LabelStudio, project: int) -> str:
    """Return when a task of the project last changed, by the server's database; "" where it has none."""
    query = json.dumps({"ordering": ["-tasks:updated_at"]})
    found = client.get(
        "/api/tasks/", missing={"tasks": []}, project=project, fields="task_only",
        include="id,updated_at", page_size=1, query=query,
    )["tasks"]  # fmt: skip
    return str(found[0]["updated_at"]) if found else ""


def collected_tasks(rows: Iterable[Annotation], server: str) -> dict[int, set[int]]:
    """Return ``project → tasks``, by Label Studio's numbers, of what was collected from a server and not deleted."""
    found: dict[int, set[int]] = {}
    for row in rows:
        source = row.get("source_id", "")
        if source.startswith(f"{server}/") and row["status"] != "deleted":
            project, task, _ = map(int, source.removeprefix(f"{server}/").split("/"))
            found.setdefault(project, set()).add(task)
    return found


def shown_text(data: Mapping[str, Any]) -> str:
    """Return the sentence as the task shows it: its HTML without tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", str(data.get("sentence", ""))))
