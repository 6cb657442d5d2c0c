"""Enter the labels that come with a campaign, as their annotators would: each by an account of its own.

They go through Label Studio's API into the annotator's own project, several annotators at once, and only
those that are missing, so that entering again, or after an interruption, doubles nothing.
"""

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig
from rich.progress import Progress

from onrecord import ROOT
from onrecord.campaign.labelstudio.accounts import ensure_accounts, mark
from onrecord.campaign.labelstudio.client import Interrupted, LabelStudio, connect
from onrecord.campaign.labelstudio.install import locked
from onrecord.campaign.labelstudio.result_format import to_result
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, require
from onrecord.core.records import Launched, ShippedLabel, parse_sentence_id
from onrecord.core.workspace import Workspace
from onrecord.scheme.scheme import Scheme, load_scheme


def read_shipped(path: Path) -> list[ShippedLabel]:
    """Return the rows of a file of labels, or of every .jsonl file of a folder, in the order of names."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files or not path.exists():
        raise BadInput(f"{path}: expected labels that come with the campaign (.jsonl), found none")
    return [row for file in files for row in read_jsonl(file, ShippedLabel)]


def restored(row: Mapping[str, Any], text: str) -> dict[str, str | None]:
    """Return the row's labels, a name that was left out (stand-off) read from the article by its span.

    >>> restored({"labels": {"speaker_name": None}, "speaker_span": {"start": 0, "end": 3}}, "Ann ran.")
    {'speaker_name': 'Ann'}
    """
    labels = dict(row["labels"])
    span = row["speaker_span"]
    if span and labels.get("speaker_name") is None and "speaker_name" in labels:
        labels["speaker_name"] = text[span["start"] : span["end"]]
    return labels


class Entry(NamedTuple):
    """One shipped label and the task that it answers."""

    task: int
    labels: dict[str, str | None]
    flags: list[str]
    comment: str
    seconds: float | None


def matched(
    shipped: Iterable[Mapping[str, Any]],
    launched: Iterable[Mapping[str, Any]],
    texts: Mapping[str, str],
    scheme: Scheme,
) -> dict[str, list[Entry]]:
    """Return ``annotator → entries`` for the shipped labels whose tasks are launched.

    ``texts`` maps article ids to texts. Raises BadInput where a label was made on another text than the
    task's, or is not in the scheme.
    """
    tasks = {
        (row["annotator"], row["sentence_id"]): row
        for row in launched
        if row["purpose"] == "main" and row["state"] == "active"
    }
    found: dict[str, list[Entry]] = {}
    for row in shipped:
        task = tasks.get((row["annotator"], row["sentence_id"]))
        if task is None:
            continue
        where = f"shipped label of {row['annotator']} for {row['sentence_id']}"
        if row["text_sha256"] != task["text_sha256"]:
            raise BadInput(f"{where}: made on another text than the sentence has now")
        labels = restored(row, texts[parse_sentence_id(row["sentence_id"])[0]])
        scheme.check(labels, where)
        entry = Entry(
            task["ls_task_id"], labels, row["flags"], row.get("comment") or "", row.get("seconds")
        )
        found.setdefault(row["annotator"], []).append(entry)
    return found


def missing(
    client: LabelStudio, project: int, entries: Iterable[Entry], scheme: Scheme
) -> list[tuple[int, dict[str, Any]]]:
    """Return ``(task, annotation to post)`` for the entries whose task in the project has none yet."""
    columns = "id,data,total_annotations,cancelled_annotations"
    open_tasks = {
        task["id"]: [choice["value"] for choice in task["data"].get("names", ())]
        for task in client.tasks(project, include=columns)
        if not task["total_annotations"] and not task["cancelled_annotations"]
    }
    return [
        (entry.task, {"result": result, "lead_time": entry.seconds})
        for entry in entries
        if entry.task in open_tasks
        and (
            result := to_result(
                entry.labels, scheme,
                names=open_tasks[entry.task], flags=entry.flags, comment=entry.comment,
            )
        )
    ]  # fmt: skip


def post(client: LabelStudio, task: int, body: Mapping[str, Any]) -> None:
    """Post one annotation; where the answer was lost, ask whether it stands before trying again."""
    for _ in range(3):
        try:
            client.send("POST", f"/api/tasks/{task}/annotations/", body)
            return
        except Interrupted:
            if client.get(f"/api/tasks/{task}/annotations/"):
                return
    raise BadInput(f"{client.url}: three posts of an annotation of task {task} were broken off")


def post_at_once(
    url: str, tokens: Mapping[str, str], left: Mapping[str, Sequence[tuple[int, dict[str, Any]]]]
) -> int:
    """Post what is left of each annotator by their own token, all at once; return how many were posted."""
    total = sum(map(len, left.values()))
    broken = threading.Event()
    with Progress(disable=not sys.stderr.isatty()) as bar:
        shown = bar.add_task("entering labels", total=total)

        def sit(annotator: str) -> None:
            try:
                with LabelStudio(url, tokens[annotator]) as own:
                    for task, body in left[annotator]:
                        if broken.is_set():
                            return
                        post(own, task, body)
                        bar.advance(shown)
            except BaseException:
                broken.set()
                raise

        with ThreadPoolExecutor(max_workers=max(1, len(left))) as pool:
            list(pool.map(sit, left))
    return total


def enter(cfg: DictConfig) -> None:
    """Enter the campaign's shipped labels through the API, by its annotators' own accounts."""
    workspace = Path(cfg.workspace)
    if not cfg.campaign.labels:
        raise BadInput(f"campaign {cfg.campaign.name} comes with no labels (campaign.labels)")
    path = Path(cfg.campaign.labels)
    shipped = read_shipped(path if path.exists() else ROOT / path)
    launched = read_jsonl(require(workspace / "launched.jsonl", "launch"), Launched)
    articles = Workspace(workspace).read_articles().to_pylist()
    scheme = load_scheme()
    todo = matched(shipped, launched, {row["article_id"]: row["text"] for row in articles}, scheme)
    origin_of = {row["annotator"]: row["origin"] for row in shipped}
    logins = workspace / "labelstudio" / "accounts.json"
    with connect(workspace, cfg.labelstudio.url) as client, locked(logins.with_name("enter.lock")):
        accounts = ensure_accounts(client, todo, cfg.campaign.name, logins)
        project_of = {(r["annotator"], r["round"]): r["project_id"] for r in launched}
        left = {}
        for annotator, entries in todo.items():
            mark(
                logins, client.key, annotator,
                origin=origin_of[annotator], guidelines_version=cfg.campaign.labels_guidelines,
            )  # fmt: skip
            left[annotator] = missing(client, project_of[annotator, "main"], entries, scheme)
        tokens = {annotator: accounts[annotator]["token"] for annotator in left}
        entered = post_at_once(client.url, tokens, left)
    stood = sum(map(len, todo.values())) - entered
    kinds = "/".join(sorted({origin_of[a] for a in todo})) or "no"
    print(
        f"{entered} {kinds} annotations entered through Label Studio by {len(todo)} accounts"
        + (f"; {stood} stood already" if stood else "")
    )
