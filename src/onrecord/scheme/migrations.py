"""Versions of the label scheme: the changes between two, and their effect on collected labels.

``annotation/scheme.yaml`` is the present version; earlier ones are kept as ``annotation/schemes/N.yaml``.
A rename or a merge is declared in ``annotation/migrations.yaml``::

    - {from: 1, to: 2, labels: {claim_type: {judgement: evaluation, rule: policy}}}

It is applied whenever collected labels are read; the lines themselves do not change.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml
from omegaconf import DictConfig

from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, write_text
from onrecord.core.records import Annotation
from onrecord.core.votes import latest_annotations
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import read_guidelines
from onrecord.scheme.scheme import Scheme, annotation_folder, load_scheme, parse_scheme


class Migration(NamedTuple):
    """A declared step from one version to the next: ``labels[QUESTION][OLD]`` is the new label."""

    since: int
    to: int
    labels: Mapping[str, Mapping[str, str]]


class Change(NamedTuple):
    """One difference between two versions. ``kind`` is added, removed, renamed, merged or reworded."""

    kind: str
    question: str
    label: str
    becomes: str = ""

    def describe(self) -> str:
        """Return the change in words, such as ``renamed: claim_type rule → policy``."""
        what = f"{self.question} {self.label}".strip()
        return f"{self.kind}: {what}" + (f" → {self.becomes}" if self.becomes else "")


def scheme_of(version: int, folder: Path | None = None) -> Scheme:
    """Return a version of the scheme; raises BadInput where it is neither the present one nor a kept one."""
    folder = folder or annotation_folder()
    now = load_scheme(folder)
    if now.version == version:
        return now
    path = folder / "schemes" / f"{version}.yaml"
    if not path.is_file():
        raise BadInput(
            f"there is no version {version} of the scheme: {folder / 'scheme.yaml'} is version {now.version}, "
            f"and {path} is absent"
        )
    kept = parse_scheme(yaml.safe_load(path.read_text(encoding="utf-8")), str(path))
    if kept.version != version:
        raise BadInput(f"{path}: expected version {version}, found {kept.version}")
    return kept


def migrations(folder: Path | None = None) -> list[Migration]:
    """Return the declared migrations in order; raises BadInput for one that is malformed or skips a version."""
    path = (folder or annotation_folder()) / "migrations.yaml"
    if not path.is_file():
        return []
    try:
        declared = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        steps = [
            Migration(
                int(step["from"]), int(step["to"]), {q: dict(m) for q, m in step["labels"].items()}
            )
            for step in declared
        ]
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            f"{path}: expected a list of {{from: N, to: N+1, labels: {{QUESTION: {{OLD: NEW}}}}}}, found {error!r}"
        ) from error
    for step in steps:
        if step.to != step.since + 1:
            raise BadInput(
                f"{path}: expected a step to the next version, found {step.since} to {step.to}"
            )
    return sorted(steps)


def difference(old: Scheme, new: Scheme, steps: Sequence[Migration]) -> list[Change]:
    """Return the changes from one version to another, all declared steps between them applied.

    Raises BadInput where a migration leads to a label that the newer version lacks.
    """
    changes = []
    for name in [*old.questions, *(q for q in new.questions if q not in old.questions)]:
        before = old.questions[name].names if name in old.questions else []
        after = new.questions[name].names if name in new.questions else []
        if name not in new.questions or name not in old.questions:
            changes.append(Change("removed" if name in old.questions else "added", name, ""))
            continue
        mapped = {
            label: migrate_label(name, label, old.version, new.version, steps) for label in before
        }
        for label, becomes in mapped.items():
            if becomes == label and label not in after:
                changes.append(Change("removed", name, label))
            elif becomes != label:
                if becomes not in after:
                    raise BadInput(
                        f"migration of {name} {label}: version {new.version} has no {becomes!r}"
                    )
                shared = becomes in before or list(mapped.values()).count(becomes) > 1
                changes.append(Change("merged" if shared else "renamed", name, label, becomes))
        changes += [
            Change("added", name, label)
            for label in after
            if label not in before and label not in mapped.values()
        ]
        hints = {label.name: label.hint for label in old.questions[name].labels}
        changes += [
            Change("reworded", name, label.name)
            for label in new.questions[name].labels
            if label.name in hints and hints[label.name] != label.hint
        ]
    return changes


def migrate_label(
    question: str, label: str, since: int, to: int, steps: Sequence[Migration]
) -> str:
    """Return what a label of version ``since`` is called in version ``to``.

    >>> steps = [Migration(1, 2, {"stance": {"pro": "favor"}}), Migration(2, 3, {"stance": {"favor": "for"}})]
    >>> migrate_label("stance", "pro", 1, 3, steps), migrate_label("stance", "pro", 2, 3, steps)
    ('for', 'pro')
    """
    for step in steps:
        if since <= step.since and step.to <= to:
            label = step.labels.get(question, {}).get(label, label)
    return label


def migrate_annotations(
    rows: Iterable[Annotation], scheme: Scheme, steps: Sequence[Migration]
) -> list[Annotation]:
    """Return annotations with their labels migrated to ``scheme``; ``scheme_version`` stays as it was.

    Answers to a removed question are left out. Raises BadInput for a removed label that is in use and that no
    migration replaces.
    """
    found: list[Annotation] = []
    for row in rows:
        labels = row["labels"]
        if row["scheme_version"] < scheme.version:
            labels = {
                name: label
                if label is None or scheme.questions[name].kind == "name"
                else migrate_label(name, label, row["scheme_version"], scheme.version, steps)
                for name, label in labels.items()
                if name in scheme.questions
            }
            if row["status"] == "submitted":
                scheme.check(
                    labels,
                    f"annotation {row['annotation_id']}, made under version {row['scheme_version']} of the "
                    "scheme and not migrated by annotation/migrations.yaml",
                )
        found.append({**row, "labels": labels})
    return found


def read_annotations(path: Path, scheme: Scheme | None = None) -> list[Annotation]:
    """Return the lines of annotations.jsonl, labels migrated to the present scheme; the file does not change."""
    return migrate_annotations(read_jsonl(path, Annotation), scheme or load_scheme(), migrations())


def label_uses(rows: Iterable[Annotation]) -> Counter[tuple[str, str]]:
    """Return how often each ``(question, label)`` is given in submitted annotations, latest lines only."""
    return Counter(
        (question, str(label))
        for row in latest_annotations(rows)
        if row["status"] == "submitted"
        for question, label in row["labels"].items()
        if label is not None
    )


def parse_range(text: str) -> tuple[int, int]:
    """Return the versions in ``A..B``.

    >>> parse_range("1..2")
    (1, 2)
    """
    match = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    if not match or int(match[1]) >= int(match[2]):
        raise BadInput(f"diff={text}: expected two versions A..B, A before B, such as 1..2")
    return int(match[1]), int(match[2])


def compare(changes: Iterable[Change], uses: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """Yield a line a change, with the number of collected labels that it affects.

    Raises BadInput at the end where a label was removed while in use.
    """
    removed = []
    for change in changes:
        count = uses.get((change.question, change.label), 0)
        affected = f"  ({count} collected labels)" if change.kind != "added" and count else ""
        yield change.describe() + affected
        if change.kind == "removed" and change.label and count:
            removed.append(f"{change.question} {change.label} ({count})")
    if removed:
        raise BadInput(
            f"removed while in use: {', '.join(removed)}: declare in annotation/migrations.yaml what they become"
        )


def main(cfg: DictConfig) -> None:
    """Print the changes between two versions and the collected labels they affect; or render the guidelines."""
    if cfg.render:
        path = annotation_folder() / "guidelines.md"
        rendered = read_guidelines(load_scheme())
        write_text(path, rendered)
        print(f"{path}: {rendered.count('<!-- scheme: ')} tables rendered from the scheme")
        return
    if not cfg.diff:
        scheme = load_scheme()
        print(f"The scheme is version {scheme.version}; compare two with diff=A..B")
        return
    before, after = parse_range(str(cfg.diff))
    changes = difference(scheme_of(before), scheme_of(after), migrations())
    path = Workspace(Path(cfg.workspace)).annotations
    rows = read_jsonl(path, Annotation) if path.exists() else []
    uses = label_uses(row for row in rows if row["scheme_version"] <= before)
    for line in compare(changes, uses):
        print(line)
    if not changes:
        print(f"No label differs between versions {before} and {after}.")
