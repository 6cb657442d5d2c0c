"""What changed in the labels since the last release."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.records import row_id
from onrecord.dataset.features import SPLITS, Feature, stored_features

Labels = dict[str, dict[str, str | None]]  # sentence and target → column → label name or split

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
MAX_LISTED = 200  # changes listed one by one; more are counted


def parse_version(version: str) -> tuple[int, int, int]:
    """Return a semantic version's numbers; raises BadInput for anything else.

    >>> parse_version("1.10.0") > parse_version("1.9.3")
    True
    """
    match = _VERSION.fullmatch(version)
    if not match:
        raise BadInput(f"version={version}: expected X.Y.Z, such as 1.0.0")
    return int(match[1]), int(match[2]), int(match[3])


def previous_release(releases: Path, version: str) -> Path | None:
    """Return the folder of the latest release before ``version``, or null."""
    earlier = [
        path
        for path in releases.glob("v*")
        if _VERSION.fullmatch(path.name[1:]) and parse_version(path.name[1:]) < parse_version(version)
    ]  # fmt: skip
    return max(earlier, key=lambda path: parse_version(path.name[1:]), default=None)


def labels_of(release: Path) -> Labels:
    """Return every label of a release's config ``gold``, by name, with the split that each row is in."""
    found: Labels = {}
    for split in SPLITS:
        path = release / "gold" / f"{split}.parquet"
        if path.is_file():
            features = stored_features(path)
            for row in pq.read_table(path).to_pylist():
                key = row_id(row["sentence_id"], row["target"])
                found[key] = {"split": split, **_names(row, features)}
    return found


def _names(row: Mapping[str, Any], features: Mapping[str, Feature]) -> dict[str, str | None]:
    names: dict[str, str | None] = {}
    for column, feature in features.items():
        if feature.get("_type") == "ClassLabel" and not column.startswith("suggested"):
            names[column] = None if row[column] is None else feature["names"][row[column]]
        elif column == "speaker_name":
            names[column] = row[column]
    return names


def changelog_entry(
    version: str, released: str, now: Labels, before: Labels | None, last: str
) -> str:
    """Return this release's entry of the changelog: sentences added and removed, and which labels changed.

    ``before`` are the labels of the release ``last``; none where this is the first.
    """
    head = f"## {version} ({released})\n\n"
    if before is None:
        return head + f"First release: {len(now)} rows.\n"
    added, gone = sorted(set(now) - set(before)), sorted(set(before) - set(now))
    changed = [
        (key, column, before[key].get(column), label)
        for key in now
        if key in before
        for column, label in now[key].items()
        if column in before[key] and before[key][column] != label
    ]
    lines = [
        f"Against {last}: {len(added)} rows added, {len(gone)} removed, {len(changed)} labels changed."
    ]
    by_column = Counter(column for _, column, _, _ in changed)
    lines += [f"- {column}: {n} changed" for column, n in sorted(by_column.items())]
    lines += _listed("changed", [f"{k}: {c} {_shown(a)} → {_shown(b)}" for k, c, a, b in changed])
    lines += _listed("added", added) + _listed("removed", gone)
    return head + "\n".join(lines) + "\n"


def _listed(what: str, entries: Sequence[str]) -> list[str]:
    if not entries:
        return []
    more = [f"- and {len(entries) - MAX_LISTED} more"] if len(entries) > MAX_LISTED else []
    return [
        f"\n### {what.capitalize()}\n",
        *(f"- `{entry}`" for entry in entries[:MAX_LISTED]),
        *more,
    ]


def _shown(label: str | None) -> str:
    return "(empty)" if label is None else label
