"""What one Label Studio project has that was not collected yet.

A task's ``updated_at`` moves when an annotation is added, changed or deleted, so asking for what moved is
complete but for deleted tasks; those are found by a sweep of all ids, made now and then and whenever the
server's own counts differ from ours.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from onrecord.campaign.labelstudio.annotation_rows import (
    Collection,
    annotation_row,
    deleted,
    one_of_each,
    source_id,
    version_at,
)
from onrecord.campaign.labelstudio.client import (
    KEYS,
    LabelStudio,
    changed_since,
    iso,
    numbered,
    with_draft,
)
from onrecord.core.errors import BadInput
from onrecord.core.records import parse_sentence_id
from onrecord.scheme.scheme import Scheme

COUNTS = "id,total_annotations,cancelled_annotations"
NUMBERS = "id,task_number,total_annotations_number,skipped_annotations_number"
OVERLAP = timedelta(seconds=15)  # writes are dated before they can be seen


class Instrument(NamedTuple):
    """What the answers are checked against and described by.

    ``origin`` is the campaign's; an account marked otherwise (``accounts``) has its own.
    """

    schemes: Mapping[int, Scheme]  # by version: an annotation is checked against that of its time
    versions: Sequence[Mapping[str, Any]]
    target_id: str
    accounts: Mapping[str, Mapping[str, Any]]
    origin: str
    texts: Mapping[str, str]  # of the articles, for the speakers' spans


class Pulled(NamedTuple):
    """What one project gave: the state to keep of it, and what is not an annotation of ours."""

    state: dict[str, Any]
    drafts: int
    strangers: int  # annotated tasks that are not of the plan
    gone: list[str]  # keys of tasks that were deleted on the server


def pull_project(
    client: LabelStudio,
    project: int,
    launched: Mapping[str, Mapping[str, Any]],
    collection: Collection,
    instrument: Instrument,
    *,
    state: Mapping[str, Any],
    sweep: bool,
) -> Pulled:
    """Add to ``collection`` what one project has that it has not.

    ``launched`` maps a task's key to its row of launched.jsonl, ``state`` is what the last pull returned
    ({} at first). Raises BadInput for a label that the scheme lacks: nothing is written then.
    """
    strangers = 0
    prefix = f"{client.key}/{project}/"

    def compare(filters: Sequence[Mapping[str, Any]]) -> None:
        nonlocal strangers
        for task in client.tasks(project, fields="all", filters=filters):
            row = launched.get(str(task["data"].get("onrecord_id")))
            if row is None:
                strangers += bool(task["annotations"])
                continue
            compare_task(client, task, row, collection, instrument)

    since = client.server_time  # of an earlier answer, so that nothing falls between two pulls
    if state:
        compare([changed_since(iso(datetime.fromisoformat(state["since"]) - OVERLAP))])
    info = project_info(client, project)
    gone: list[str] = []
    swept = state.get("swept", since)
    if (
        not state
        or sweep
        or info["task_number"] != state["tasks"]
        or differs(info, collection, prefix)
    ):
        standing = {t["id"]: t for t in client.tasks(project, include=COUNTS)}
        ids = [
            n for n, t in standing.items() if counts(t) != ours(collection.live(f"{prefix}{n}/"))
        ]
        if len(ids) > len(standing) // 2:
            compare([])
        else:
            for start in range(0, len(ids), KEYS):
                compare([numbered(ids[start : start + KEYS])])
        lost = [t for t in collection.by_task if t.startswith(prefix) and number(t) not in standing]
        for row in [row for of_task in lost for row in collection.live(of_task)]:
            collection.add(deleted(row, since))
            gone.append(row["annotation_id"])
        swept = since
    kept = {"since": since, "swept": swept, "tasks": info["task_number"]}
    drafts = sum(1 for _ in client.tasks(project, include="id", filters=[with_draft()]))
    return Pulled(kept, drafts, strangers, gone)


def project_info(client: LabelStudio, project: int) -> dict[str, Any]:
    """Return the project with its counts; raises BadInput where it is gone."""
    info: dict[str, Any] = client.get(f"/api/projects/{project}/", missing={}, include=NUMBERS)
    if not info:
        raise BadInput(
            f"project {project} is gone from {client.url}: run `onrecord launch` to make it again "
            "(what was collected of it stays)"
        )
    return info


def differs(info: Mapping[str, Any], collection: Collection, prefix: str) -> bool:
    """Return whether the server counts other annotations in a project than we have of it."""
    live = [row for t in collection.by_task if t.startswith(prefix) for row in collection.live(t)]
    return ours(live) != (info["total_annotations_number"], info["skipped_annotations_number"])


def counts(task: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many annotations and skips the server counts on a task."""
    return int(task["total_annotations"]), int(task["cancelled_annotations"])


def ours(live: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Return how many annotations and skips we have."""
    skipped = sum(row["status"] == "skipped" for row in live)
    return len(live) - skipped, skipped


def number(of_task: str) -> int:
    """Return Label Studio's number of the task in SERVER/PROJECT/TASK/.

    >>> number("embedded-1a2b3c4d/12/345/")
    345
    """
    return int(of_task.split("/")[-2])


def compare_task(
    client: LabelStudio,
    task: Mapping[str, Any],
    launched: Mapping[str, Any],
    collection: Collection,
    instrument: Instrument,
) -> None:
    """Add to ``collection`` the lines in which a task's annotations differ from what was collected of it."""
    rows: list[Mapping[str, Any]] = []
    for raw in sorted(task["annotations"], key=lambda a: a["id"]):
        source = source_id(launched, task, raw)
        known = collection.known(source, raw["updated_at"])
        if known:
            rows.append(known)
            continue
        where = f"{client.url}/projects/{launched['project_id']}/data?task={task['id']}, annotation {raw['id']}"
        article_id = parse_sentence_id(launched["sentence_id"])[0]
        account = instrument.accounts.get(launched["annotator"], {})
        version = version_at(instrument.versions, raw["updated_at"])
        row = annotation_row(
            raw, task, launched,
            annotation_id=collection.id_of(source, launched["task_id"]),
            scheme=instrument.schemes[version["scheme_version"]], scheme_version=version["scheme_version"],
            guidelines=account.get("guidelines_version", version["guidelines_version"]),
            target_id=instrument.target_id, origin=account.get("origin", instrument.origin),
            article=instrument.texts.get(article_id, ""), where=where,
        )  # fmt: skip
        rows.append(row)
    present = {row["source_id"] for row in rows}
    for gone in collection.live(source_id(launched, task)):
        if gone["source_id"] not in present:
            collection.add(deleted(gone, task["updated_at"]))
    for one in one_of_each(rows):
        collection.add(one)


def overdue(state: Mapping[str, Any], now: str, every: float) -> bool:
    """Return whether a project was last swept more than ``every`` seconds ago."""
    last = datetime.fromisoformat(state["swept"])
    return datetime.fromisoformat(now) - last > timedelta(seconds=every)
