"""Bring annotations back from Label Studio into ``annotations.jsonl``: what changed, checked, losing none.

The file is written whole and atomically with its earlier bytes as they were, so that a death at any moment
leaves the old file or the new one.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.progress import track

from onrecord.campaign.import_annotations import Sentences, read_from, read_names, rows_of
from onrecord.campaign.labelstudio.accounts import marks
from onrecord.campaign.labelstudio.annotation_rows import Collection
from onrecord.campaign.labelstudio.client import connect, iso
from onrecord.campaign.labelstudio.install import locked
from onrecord.campaign.labelstudio.sync import Instrument, overdue, pull_project
from onrecord.core.clock import utc_now
from onrecord.core.errors import BadInput
from onrecord.core.files import atomic as atomically
from onrecord.core.files import parse_row, read_json, read_jsonl, require, write_json
from onrecord.core.records import Annotation, Launched, PlanRow, latest_annotations, text_sha256
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import guidelines_version
from onrecord.scheme.migrations import scheme_of
from onrecord.scheme.scheme import annotation_folder, load_scheme


def read_collected(path: Path) -> tuple[bytes, list[dict[str, Any]], bool]:
    """Return the whole lines of annotations.jsonl, as bytes and as rows, and whether the last one was torn.

    A last line that a crash left unfinished is no annotation: it is cut off and collected again. Any other
    line that cannot be read raises BadInput.
    """
    if not path.exists():
        return b"", [], False
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    rows = [
        parse_row(line, f"{path}, line {number}", Annotation)
        for number, line in enumerate(whole.decode("utf-8").split("\n"), 1)
        if line.strip()
    ]
    return whole, rows, whole != content


def append_rows(path: Path, before: bytes, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the lines there were, byte for byte, and the new ones after them, atomically."""
    with atomically(path) as temporary, temporary.open("wb") as file:
        file.write(before)
        for row in rows:
            file.write((json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode())


def stale(rows: Iterable[Mapping[str, Any]], sha256_of: Mapping[str, str]) -> list[str]:
    """Return the ids of submitted annotations made on another text than their sentence has now.

    One whose annotator has annotated the sentence again since is done with.
    """
    old, again = [], set()
    for row in latest_annotations(rows):
        if row["status"] == "submitted":
            of = (row["annotator"], row["sentence_id"], row["purpose"])
            if sha256_of.get(row["sentence_id"]) == row["text_sha256"]:
                again.add(of)
            else:
                old.append((of, row["annotation_id"]))
    return [identifier for of, identifier in old if of not in again]


def summary(rows: Sequence[Mapping[str, Any]], added: int) -> str:
    """Return what stands in annotations.jsonl, a line for people."""
    latest = latest_annotations(rows)
    kinds = Counter(str(row["status"]) for row in latest)
    empty = sum(row["status"] == "submitted" and not row["labels"] for row in latest)
    parts = [f"{kinds['submitted']} submitted"]
    parts += [f"{empty} of them empty"] if empty else []
    parts += [f"{kinds[k]} {k}" for k in ("skipped", "deleted", "rejected") if kinds[k]]
    return f"{added} new lines; annotations: {', '.join(parts)}"


def collect_from(cfg: DictConfig) -> list[str]:
    """Read annotations made elsewhere (``from=FILE``) into ``annotations.jsonl``; return what is to say."""
    workspace, path = Path(cfg.workspace), Path(cfg.workspace) / "annotations.jsonl"
    articles = Workspace(workspace).read_articles().to_pylist()
    table = Workspace(workspace).read_sentences()
    plan = workspace / "plan.jsonl"
    planned = read_jsonl(plan, PlanRow) if plan.exists() else []
    scheme = load_scheme()
    names = read_names(Path(cfg.names)) if cfg.names else {}
    found = read_from(
        Path(cfg["from"]),
        cfg.format,
        Sentences(table.to_pylist(), planned),
        scheme,
        names,
    )
    guidelines = (annotation_folder() / "guidelines.md").read_text(encoding="utf-8")
    with locked(workspace / "labelstudio" / "collect.lock"):
        before, rows, _ = read_collected(path)
        collection = Collection(rows)
        for row in rows_of(
            found, planned,
            texts={a["article_id"]: a["text"] for a in articles}, target_id=cfg.campaign.target.id,
            origin=cfg.campaign.origin, guidelines_version=guidelines_version(guidelines),
            scheme_version=scheme.version, now=iso(utc_now()), known=collection.latest,
        ):  # fmt: skip
            collection.add({**collection.latest.get(row["annotation_id"], {}), **row})
        if collection.added or not path.exists():
            append_rows(path, before, collection.added)
    return [summary([*rows, *collection.added], len(collection.added))]


def collect(cfg: DictConfig) -> list[str]:
    """Pull every project of launched.jsonl, check, append to ``annotations.jsonl``.

    Return what is to say: first what stands now, then what somebody should know of.
    """
    workspace = Path(cfg.workspace)
    launched = read_jsonl(require(workspace / "launched.jsonl", "launch"), Launched)
    articles = Workspace(workspace).read_articles().to_pylist()
    sentences = Workspace(workspace).read_sentences()
    versions = read_jsonl(require(workspace / "versions.jsonl", "launch"))
    path, state_path = workspace / "annotations.jsonl", workspace / "labelstudio" / "collected.json"
    with (
        connect(workspace, cfg.labelstudio.url) as client,
        locked(workspace / "labelstudio/collect.lock"),
    ):
        elsewhere = {row["server"] for row in launched} - {client.key}
        if elsewhere:
            raise BadInput(
                f"the tasks of {workspace / 'launched.jsonl'} stand on {min(elsewhere)}, not on {client.key}: "
                "give its address as labelstudio.url=, or run `onrecord launch` to move the campaign here"
            )
        accounts = marks(workspace / "labelstudio" / "accounts.json", client.key)
        instrument = Instrument(
            schemes={n: scheme_of(n) for n in {line["scheme_version"] for line in versions}}, versions=versions, target_id=cfg.campaign.target.id,
            accounts=accounts, origin=cfg.campaign.origin,
            texts={row["article_id"]: row["text"] for row in articles},
        )  # fmt: skip
        before, rows, torn = read_collected(path)
        collection = Collection(rows)
        kept: dict[str, Any] = read_json(state_path) if state_path.exists() and rows else {}
        states: dict[str, Any] = kept.get(client.key, {})
        tasks = {row["task_id"]: row for row in launched}
        drafts, strangers, gone = 0, 0, []
        projects = dict.fromkeys(row["project_id"] for row in launched)
        for project in track(projects, "collecting", disable=not sys.stderr.isatty()):
            state = states.get(str(project), {})
            sweep = cfg.sweep or (state and overdue(state, client.server_time, cfg.sweep_every))
            pulled = pull_project(
                client, project, tasks, collection, instrument, state=state, sweep=bool(sweep)
            )
            states[str(project)] = pulled.state
            drafts += pulled.drafts
            strangers += pulled.strangers
            gone += pulled.gone
        if collection.added or torn or not path.exists():
            append_rows(path, before, collection.added)
        write_json(state_path, {**kept, client.key: states})
    now = [*rows, *collection.added]
    said = [summary(now, len(collection.added))]
    if drafts:
        said.append(
            f"{drafts} tasks have an unfinished draft: it is collected once it is submitted."
        )
    if torn:
        said.append(
            "The last line of annotations.jsonl was unfinished: it was cut off and collected again."
        )
    if gone:
        said.append(
            f"{len(gone)} annotations went with tasks deleted on the server: `onrecord launch` brings those back."
        )
    if strangers:
        said.append(
            f"{strangers} annotated tasks on the server are not of this campaign's plan: left alone."
        )
    said += [
        f"Not counted: {row['annotation_id']} of {row['annotator']}: {row['problem']}"
        for row in latest_annotations(collection.added)
        if row["status"] == "rejected"
    ]
    sha256_of = dict(
        zip(*(sentences.column(c).to_pylist() for c in ("sentence_id", "text")), strict=True)
    )
    outdated = stale(now, {name: text_sha256(text) for name, text in sha256_of.items()})
    if outdated:
        said.append(
            f"{len(outdated)} annotations are of a text that has changed since: {', '.join(outdated[:10])}"
        )
    return said


def main(cfg: DictConfig) -> None:
    """Bring annotations back, from the server or a file, and say what was found."""
    print("\n".join(collect_from(cfg) if cfg["from"] else collect(cfg)))
