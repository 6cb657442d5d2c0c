"""A Label Studio project and its tasks: each wanted task exactly once, whatever was interrupted.

Label Studio deduplicates nothing, so the wanted tasks are compared with those on the server before anything is
sent, and after a write whose answer was lost: an import call creates all of its tasks or none. Tasks that were
imported twice all the same (a call still under way when we were killed) are deleted unless annotated.
"""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onrecord.campaign.backend import BackendTask
from onrecord.campaign.labelstudio.client import (
    KEYS,
    PAGE,
    Interrupted,
    LabelStudio,
    TooLarge,
    keyed,
    numbered,
    with_draft,
)
from onrecord.campaign.labelstudio.tasks import ImportTask
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, write_json

IMPORT_PATIENCE = 20.0  # seconds that an import call of a killed launch is given to end
# Columns of the list of tasks, by itself and beside a task: by default it shows all data, as HTML source.
SHOWN = {
    "explore": ("id", "completed_at", "total_annotations", "cancelled_annotations", "data.headline", "data.sentence"),
    "labeling": ("id", "data.sentence"),
}  # fmt: skip
NO_CONFIG = "<View></View>"  # of a project as Label Studio makes it


def project_key(campaign: str, round_name: str, annotator: str) -> str:
    """Return the description by which a project is found again, whatever its title is changed to."""
    return f"On Record · {campaign} · {round_name} · {annotator}"


def ensure_project(
    client: LabelStudio,
    existing: Mapping[str, Any],
    key: str,
    *,
    title: str,
    label_config: str,
    guidelines: str,
) -> Any:
    """Return the project of ``key`` (``existing`` maps descriptions to projects), made or brought up to date.

    Projects are the SDK's models. A new one has no labeling config yet, since Label Studio parses it again
    for each prediction that is imported: ``configure`` it once it has its tasks.
    """
    wanted = {
        "title": title[:50],  # Label Studio takes no more
        "expert_instruction": guidelines,
        "show_instruction": True,
        "sampling": "Sequential sampling",
        "maximum_annotations": 1,
        "show_collab_predictions": True,
        "enable_empty_annotation": False,
        "is_published": True,
    }
    if key not in existing:
        try:
            return client.sdk.projects.create(**wanted, description=key)
        except Interrupted:
            existing = {project.description: project for project in client.projects()}
            if key not in existing:
                raise
    project = existing[key]
    if project.label_config != NO_CONFIG:
        wanted["label_config"] = label_config.strip()  # as Label Studio keeps it
    changed = {name: value for name, value in wanted.items() if getattr(project, name) != value}
    if changed:
        client.sdk.projects.update(project.id, **changed)
    return project


def configure(client: LabelStudio, project: Any, label_config: str) -> None:
    """Give a project that has no labeling config yet its own, and its list of tasks the columns to show.

    Nobody can annotate before.
    """
    if project.label_config != NO_CONFIG:
        return
    client.sdk.projects.update(project.id, label_config=label_config)
    if not client.sdk.views.list(project=project.id):
        # The SDK has no call for the columns.
        columns = [
            ("data." if column.get("parent") == "data" else "") + column["id"]
            for column in client.get("/api/dm/columns/", project=project.id)["columns"]
        ]
        hidden = {
            where: [f"tasks:{name}" for name in columns if name not in shown]
            for where, shown in SHOWN.items()
        }
        view = {"title": "Default", "type": "list", "target": "tasks", "hiddenColumns": hidden,
                "columnsWidth": {"tasks:data.sentence": 600}}  # fmt: skip
        client.sdk.views.create(project=project.id, data=view)


def check_suggestions(project: Any, tasks: Iterable[ImportTask]) -> None:
    """Raise BadInput where a project's suggestions come from another source than the new ones: it shows one only."""
    now = project.model_version
    for new in {p["model_version"] for task in tasks for p in task.get("predictions", ())}:
        if now and now != new:
            raise BadInput(
                f"project {project.id} shows the suggestions of {now!r}, and Label Studio shows one source only: "
                f"found {new!r}; launch with the same predictions= as before, or as a campaign of its own"
            )


def tasks_by_key(
    client: LabelStudio, project: int, keys: Sequence[str] = ()
) -> dict[str, list[BackendTask]]:
    """Return ``onrecord_id → tasks`` of a project (of ``keys`` alone where given), the oldest first."""
    found: dict[str, list[BackendTask]] = {}
    columns = "id,data,total_annotations,cancelled_annotations,total_predictions"
    drafted = {task["id"] for task in client.tasks(project, include="id", filters=[with_draft()])}
    filters = [[keyed(keys[i : i + KEYS])] for i in range(0, len(keys), KEYS)] if keys else [[]]
    for task in (t for f in filters for t in client.tasks(project, include=columns, filters=f)):
        annotated = (
            task["total_annotations"] or task["cancelled_annotations"] or task["id"] in drafted
        )
        found.setdefault(str(task["data"].get("onrecord_id")), []).append(
            backend_task(
                task["id"], task["data"], annotated=bool(annotated),
                suggestion_shown=bool(task["total_predictions"]),
            )
        )  # fmt: skip
    return found


def backend_task(
    number: int, data: Mapping[str, Any], *, annotated: bool, suggestion_shown: bool
) -> BackendTask:
    """Return a task of these data in the back end's terms."""
    return BackendTask(
        id=number,
        annotated=annotated,
        text_sha256=str(data.get("text_sha256")),
        target_version=int(data.get("target_version", 1)),
        content_sha256=str(data.get("content_sha256")),
        suggestion_shown=suggestion_shown,
    )


def is_current(task: BackendTask, data: Mapping[str, Any] | None) -> bool:
    """Return whether a task shows what one with these data would; if it was annotated, whether it asks the same."""
    if data is None:
        return False
    new = backend_task(0, data, annotated=False, suggestion_shown=False)
    keys = ("text_sha256", "target_version", *(() if task["annotated"] else ("content_sha256",)))
    return [task.get(key) for key in keys] == [new.get(key) for key in keys]


def import_tasks(
    client: LabelStudio, project: int, batch: Sequence[ImportTask], journal: Path
) -> dict[str, int]:
    """Import a batch of tasks that the project does not have yet; return ``onrecord_id → task``.

    Where the answer is lost, the server is asked which tasks it has. ``journal`` names the batch while its
    call is under way, for a launch after this process is killed.
    """
    # Raw: the SDK's import_tasks encodes every value once more, 0.05 s of processor time for 1,000 tasks.
    path = f"/api/projects/{project}/import?return_task_ids=true"
    contents = {
        str(task["data"]["onrecord_id"]): str(task["data"].get("content_sha256")) for task in batch
    }
    write_json(journal, {"server": client.key, "project": project, "contents": contents})
    ids: list[int] = []
    for _ in range(3):
        try:
            ids = client.send("POST", path, list(batch)).get("task_ids") or []
        except Interrupted:
            if not wait_for_import(client, project, contents):
                continue
        journal.unlink()
        break
    else:
        raise BadInput(f"{client.url}: three import calls into project {project} were broken off")
    if len(ids) == len(contents):
        by_key = dict(zip(contents, ids, strict=True))
        ends = client.tasks(project, include="id,data", filters=[numbered([ids[0], ids[-1]])])
        if all(by_key.get(str(task["data"]["onrecord_id"])) == task["id"] for task in ends):
            return by_key
    return imported(client, project, contents)


def imported(client: LabelStudio, project: int, contents: Mapping[str, str]) -> dict[str, int]:
    """Return ``onrecord_id → task`` of the new tasks that show this (``onrecord_id → content_sha256``)."""
    return {
        key: task["id"]
        for key, copies in tasks_by_key(client, project, list(contents)).items()
        for task in copies
        if task["content_sha256"] == contents[key] and not task["annotated"]
    }


def wait_for_import(
    client: LabelStudio,
    project: int,
    contents: Mapping[str, str],
    patience: float = IMPORT_PATIENCE,
) -> bool:
    """Wait for a broken import call to end; return whether its tasks are there."""
    deadline = time.monotonic() + patience
    while True:
        if len(imported(client, project, contents)) == len(contents):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)


def finish_interrupted_import(client: LabelStudio, journal: Path) -> None:
    """Wait for the import call that a killed launch left under way, if there is one."""
    if journal.exists():
        left = read_json(journal)
        if left["server"] == client.key:
            wait_for_import(client, left["project"], left.get("contents", {}))
        journal.unlink()


def delete_tasks(client: LabelStudio, project: int, ids: Sequence[int]) -> None:
    """Delete tasks that nobody has annotated, in one call."""
    if ids:
        chosen = {"all": False, "included": list(ids)}
        client.sdk.actions.create(id="delete_tasks", project=project, selected_items=chosen)


def fill_project(
    client: LabelStudio,
    project: int,
    tasks: Sequence[ImportTask],
    *,
    before: Mapping[str, BackendTask],
    is_new: bool,
    journal: Path,
    reopen: Collection[int] = (),
) -> dict[str, BackendTask]:
    """Bring the project to hold each of ``tasks`` once; return ``onrecord_id → task`` of all that it then has.

    Tasks that are not wanted any more, or there twice, or show something else are deleted unless annotated; those
    to ``reopen`` stay and count as none. ``before`` is what the last launch left: where the server still has just
    those tasks, their data are not asked for again.
    """
    wanted = {str(task["data"]["onrecord_id"]): task["data"] for task in tasks}
    shown = {str(task["data"]["onrecord_id"]): "predictions" in task for task in tasks}
    ids = set() if is_new else task_ids(client, project)
    known = {task["id"] for task in before.values()}
    if ids == known and known.isdisjoint(reopen) and all(
        task["annotated"] or is_current(task, wanted.get(key)) for key, task in before.items()
    ):  # fmt: skip
        now, count = dict(before), len(ids)
    else:
        now, count = remove_surplus_tasks(client, project, wanted, known, reopen)
    missing = [task for task in tasks if str(task["data"]["onrecord_id"]) not in now]
    left, size = list(missing), PAGE
    while left:
        try:
            new = import_tasks(client, project, left[:size], journal)
        except TooLarge:
            if size == 1:
                raise
            size = max(1, min(size, len(left)) // 2)
            continue
        for key, number in new.items():
            data = wanted[key]
            now[key] = backend_task(number, data, annotated=False, suggestion_shown=shown[key])
        del left[:size]
    # The ids of 10,000 tasks take Label Studio as long as importing 5,000; their number takes it nothing.
    if missing and task_count(client, project) != count + len(missing):
        now, _ = remove_surplus_tasks(client, project, wanted, known, reopen)
    return now


def remove_surplus_tasks(
    client: LabelStudio,
    project: int,
    wanted: Mapping[str, Mapping[str, Any]],
    known: Collection[int],
    reopen: Collection[int],
) -> tuple[dict[str, BackendTask], int]:
    """Delete the tasks that nobody annotated and that are not wanted, there twice or show something else.

    Return ``onrecord_id → task`` of those that stay wanted, and how many tasks the project then has. A wanted
    task that was annotated on an earlier text or target, or by another person, stays on the server, but not in the
    first: its sentence is to be annotated again. Of several that could stay it is one of ``known``, the last launch's.
    """
    kept: dict[str, BackendTask] = {}
    surplus = []
    found = tasks_by_key(client, project)
    for key, copies in found.items():
        for task in sorted(
            copies, key=lambda t: (t["id"] not in known, not t["annotated"], t["id"])
        ):
            if task["id"] in reopen:
                continue
            stays = is_current(task, wanted.get(key)) or (task["annotated"] and key not in wanted)
            if key not in kept and stays:
                kept[key] = task
            elif not task["annotated"]:
                surplus.append(task["id"])
    delete_tasks(client, project, surplus)
    return kept, sum(map(len, found.values())) - len(surplus)


def task_ids(client: LabelStudio, project: int) -> set[int]:
    """Return Label Studio's numbers of all tasks of a project."""
    return {task["id"] for task in client.tasks(project, include="id")}


def task_count(client: LabelStudio, project: int) -> int:
    """Return how many tasks a project has, by Label Studio's own count."""
    # One column, since all of them cost Label Studio counts that nobody reads here.
    found = client.get(f"/api/projects/{project}/", include="task_number")
    return int(found["task_number"])
