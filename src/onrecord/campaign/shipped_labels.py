"""Enter the labels that come with a campaign, as their annotators would: each by an account of its own.

Only those that are missing are entered, so that entering again, or after an interruption, doubles nothing.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from omegaconf import DictConfig

from onrecord import ROOT
from onrecord.campaign.backend import Address, AnnotationBackend, Answers, Entry, open_backend
from onrecord.core.errors import BadInput
from onrecord.core.files import locked, read_jsonl
from onrecord.core.records import Launched, ShippedLabel, parse_sentence_id
from onrecord.core.workspace import Workspace
from onrecord.scheme.scheme import Scheme, load_scheme


def read_shipped(path: Path) -> list[ShippedLabel]:
    """Return the rows of a file of labels, or of every .jsonl file of a folder, in the order of names."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files or not path.exists():
        raise BadInput(f"{path}: expected labels that come with the campaign (.jsonl), found none")
    return [row for file in files for row in read_jsonl(file, ShippedLabel)]


def restored(row: ShippedLabel, text: str) -> dict[str, str | None]:
    """Return the row's labels, a name that was left out (stand-off) read from the article by its span.

    >>> restored({"labels": {"speaker_name": None}, "speaker_span": {"start": 0, "end": 3}}, "Ann ran.")
    {'speaker_name': 'Ann'}
    """
    labels = dict(row["labels"])
    span = row["speaker_span"]
    if span and labels.get("speaker_name") is None and "speaker_name" in labels:
        labels["speaker_name"] = text[span["start"] : span["end"]]
    return labels


def matched(
    shipped: Iterable[ShippedLabel],
    launched: Iterable[Launched],
    texts: Mapping[str, str],
    scheme: Scheme,
) -> dict[tuple[str, int], list[Entry]]:
    """Return the entries by (annotator, project) of the shipped labels whose tasks are launched.

    ``texts`` maps article ids to texts. Raises BadInput where a label was made on another text than the
    task's, or is not in the scheme.
    """
    tasks = {
        (row["annotator"], row["sentence_id"]): row
        for row in launched
        if row["purpose"] == "main" and row["state"] == "active"
    }
    found: dict[tuple[str, int], list[Entry]] = {}
    for row in shipped:
        task = tasks.get((row["annotator"], row["sentence_id"]))
        if task is None:
            continue
        where = f"shipped label of {row['annotator']} for {row['sentence_id']}"
        if row["text_sha256"] != task["text_sha256"]:
            raise BadInput(f"{where}: made on another text than the sentence has now")
        labels = restored(row, texts[parse_sentence_id(row["sentence_id"])[0]])
        scheme.check(labels, where)
        answers = Answers(labels, row["flags"], row.get("comment") or "")
        entry = Entry(task["ls_task_id"], answers, row.get("seconds"))
        found.setdefault((row["annotator"], task["project_id"]), []).append(entry)
    return found


def enter_labels(
    backend: AnnotationBackend,
    shipped: Iterable[ShippedLabel],
    entries: Mapping[tuple[str, int], list[Entry]],
    scheme: Scheme,
    guidelines_version: str | None,
) -> str:
    """Enter the labels under their annotators' own accounts, marked with their origin; return what was done."""
    origin_of = {row["annotator"]: row["origin"] for row in shipped}
    names = list(dict.fromkeys(annotator for annotator, _ in entries))
    backend.accounts(names)
    for name in names:
        backend.mark(name, origin=origin_of[name], guidelines_version=guidelines_version)
    entered = backend.annotate(entries, scheme)
    already = sum(map(len, entries.values())) - entered
    kinds = "/".join(sorted({origin_of[name] for name in names})) or "no"
    return f"Entered {entered} {kinds} annotations by {len(names)} accounts" + (
        f"; {already} were there already" if already else ""
    )


def main(cfg: DictConfig) -> None:
    """Enter the campaign's shipped labels into the launched tasks."""
    if not cfg.campaign.labels:
        raise BadInput(f"campaign {cfg.campaign.name} comes with no labels (campaign.labels)")
    workspace, path = Workspace(Path(cfg.workspace)), Path(cfg.campaign.labels)
    shipped = read_shipped(path if path.exists() else ROOT / path)
    launched = read_jsonl(workspace.require(Workspace.launched), Launched)
    texts = {row["article_id"]: row["text"] for row in workspace.read_articles().to_pylist()}
    scheme = load_scheme()
    entries = matched(shipped, launched, texts, scheme)
    with (
        open_backend(
            cfg.campaign.backend, workspace, cfg.campaign.name, Address(**cfg.labelstudio)
        ) as backend,
        locked(workspace.launch_lock),
    ):
        print(enter_labels(backend, shipped, entries, scheme, cfg.campaign.labels_guidelines))
