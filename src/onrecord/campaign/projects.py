"""
A Label Studio project and what stands in it: every wanted task exactly once, whatever was interrupted.

Label Studio deduplicates nothing, so what is wanted is compared with what stands before anything is sent,
and after a write whose answer was lost: an import call stands whole or not at all. What was imported twice
all the same (a call still under way when we were killed) is taken back as long as nobody annotated it.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from onrecord.campaign.client import KEYS, PAGE, Interrupted, LabelStudio, keyed, with_draft
from onrecord.records import BadInput, read_json, write_json

SETTLE = 20.0  # seconds that an import call of a killed launch is given to come to its end


class Standing(TypedDict):
    """A task found on the server."""

    id: int
    touched: bool  # annotated, skipped or with a draft: never deleted
    text_sha256: str


def project_key(campaign: str, round_name: str, annotator: str) -> str:
    """Return the description by which a project is found again, whatever its title is changed to."""
    return f"On Record · {campaign} · {round_name} · {annotator}"


def batches(tasks: Iterable[Mapping[str, Any]], size: int) -> Iterator[list[Mapping[str, Any]]]:
    """
    Yield the tasks in lists of ``size``, the last one shorter.

    >>> [len(b) for b in batches([{}] * 5, 2)]
    [2, 2, 1]
    """
    batch: list[Mapping[str, Any]] = []
    for task in tasks:
        batch.append(task)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def ensure_project(
    client: LabelStudio,
    known: Mapping[str, Mapping[str, Any]],
    key: str,
    *,
    title: str,
    label_config: str,
    guidelines: str,
) -> Mapping[str, Any]:
    """Return the project of ``key`` (``known`` maps descriptions to projects), made or brought up to date."""
    wanted = {
        "title": title[:50],  # Label Studio takes no more
        "label_config": label_config,
        "expert_instruction": guidelines,
        "show_instruction": True,
        "sampling": "Sequential sampling",
        "maximum_annotations": 1,
        "show_collab_predictions": True,
        "enable_empty_annotation": False,
        "is_published": True,
    }
    if key not in known:
        try:
            made: dict[str, Any] = client.send(
                "POST", "/api/projects/", {**wanted, "description": key}
            )
            return made
        except Interrupted:
            found = {p["description"]: p for p in client.projects()}
            if key not in found:
                raise
            known = found
    project = known[key]
    changed = {name: value for name, value in wanted.items() if project.get(name) != value}
    if changed:
        client.send("PATCH", f"/api/projects/{project['id']}/", changed)
    return project


def standing(
    client: LabelStudio, project: int, keys: Sequence[str] = ()
) -> dict[str, list[Standing]]:
    """Return ``onrecord_id → tasks`` of a project (of ``keys`` alone where given), the oldest first."""
    found: dict[str, list[Standing]] = {}
    columns = "id,data,total_annotations,cancelled_annotations"
    drafted = {task["id"] for task in client.tasks(project, include="id", filters=[with_draft()])}
    filters = [[keyed(keys[i : i + KEYS])] for i in range(0, len(keys), KEYS)] if keys else [[]]
    for task in (t for f in filters for t in client.tasks(project, include=columns, filters=f)):
        touched = (
            task["total_annotations"] or task["cancelled_annotations"] or task["id"] in drafted
        )
        found.setdefault(str(task["data"].get("onrecord_id")), []).append(
            Standing(
                id=task["id"], touched=bool(touched),
                text_sha256=str(task["data"].get("text_sha256")),
            )
        )  # fmt: skip
    return found


def import_tasks(
    client: LabelStudio, project: int, batch: Sequence[Mapping[str, Any]], journal: Path
) -> None:
    """
    Import a batch whose keys do not stand yet; an answer that was lost is settled by asking what stands.

    ``journal`` names the batch while its call is under way, for a launch after our death.
    """
    path = f"/api/projects/{project}/import?return_task_ids=true"
    keys = [task["data"]["onrecord_id"] for task in batch]
    write_json(journal, {"server": client.key, "project": project, "keys": keys})
    for _ in range(3):
        try:
            client.send("POST", path, list(batch))
        except Interrupted:
            if not settled(client, project, keys):
                continue
        journal.unlink()
        return
    raise BadInput(f"{client.url}: three import calls into project {project} were broken off")


def settled(
    client: LabelStudio, project: int, keys: Sequence[str], patience: float = SETTLE
) -> bool:
    """Wait for a broken import call to come to its end; return whether its tasks stand."""
    deadline = time.monotonic() + patience
    while True:
        if len(standing(client, project, keys)) == len(keys):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)


def settle_journal(client: LabelStudio, journal: Path) -> None:
    """Wait for the import call that a killed launch left under way, if there is one."""
    if journal.exists():
        left = read_json(journal)
        if left["server"] == client.key:
            settled(client, left["project"], left["keys"])
        journal.unlink()


def delete_tasks(client: LabelStudio, project: int, ids: Sequence[int]) -> None:
    """Delete tasks that nobody has touched, in one call."""
    if ids:
        chosen = {"selectedItems": {"all": False, "included": list(ids)}, "project": str(project)}
        client.send("POST", f"/api/dm/actions?id=delete_tasks&project={project}", chosen)


def fill_project(
    client: LabelStudio,
    project: int,
    tasks: Sequence[Mapping[str, Any]],
    *,
    is_new: bool,
    journal: Path,
) -> dict[str, Standing]:
    """
    Make ``tasks`` stand in the project, each once, and return ``onrecord_id → task`` of all that stands.

    What stands and is not wanted any more, or twice, or with another text, is deleted where nobody touched
    it, else kept.
    """
    wanted = {task["data"]["onrecord_id"]: task["data"]["text_sha256"] for task in tasks}
    now = {} if is_new else standing(client, project)
    surplus = []
    for key, copies in now.items():
        kept = sorted(copies, key=lambda t: (not t["touched"], t["id"]))
        good = [t for t in kept if t["touched"] or t["text_sha256"] == wanted.get(key)]
        surplus += [t["id"] for t in kept if t not in good[:1] and not t["touched"]]
        now[key] = [t for t in kept if t["id"] not in surplus]
    delete_tasks(client, project, surplus)
    missing = [task for task in tasks if not now.get(task["data"]["onrecord_id"])]
    for batch in batches(missing, PAGE):
        import_tasks(client, project, batch, journal)
    if missing:
        now = standing(client, project)
        twice = [t["id"] for copies in now.values() for t in copies[1:] if not t["touched"]]
        delete_tasks(client, project, twice)
    return {key: copies[0] for key, copies in now.items() if copies}
