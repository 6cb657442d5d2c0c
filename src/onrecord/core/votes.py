"""Which annotations count: decided here, for every stage.

A person has one vote on a sentence toward a target, for a purpose and under a version of the instrument, whatever
project, server or file it came from: their newest answer. Votes under versions that are not compatible are
answers to different questions, and are never counted together.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

Row = TypeVar("Row", bound=Mapping[str, Any])  # a row of annotations.jsonl, typed or not
VERSIONED = ("target", "scheme", "guidelines")


def version_order(version: Any) -> tuple[int, ...]:
    """Return what versions are sorted by.

    >>> version_order("1.10.0") > version_order("1.9.2"), version_order(2)
    (True, (2,))
    """
    return tuple(int(part) if part.isdigit() else 0 for part in str(version).split("."))


@dataclass(frozen=True)
class Versions:
    """The version of the target that is asked about now, and which versions are ``compatible``, by VERSIONED."""

    target: int = 1
    compatible: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def same(self, kind: str, version: Any) -> tuple[int, ...]:
        """Return the latest of the versions that this one is compatible with, itself included."""
        one = version_order(version)
        declared = [version_order(other) for other in self.compatible.get(kind, ())]
        return max(declared) if one in declared else one

    def of(self, row: Mapping[str, Any]) -> tuple[tuple[int, ...], ...]:
        """Return the version that an annotation was made under: equal for those that are compatible."""
        return tuple(
            self.same(kind, row.get(f"{kind}_version", 1 if kind == "target" else 0))
            for kind in VERSIONED
        )


def latest_annotations(rows: Iterable[Row]) -> list[Row]:
    """Return the last line of each ``annotation_id``, in order of first appearance."""
    return list({row["annotation_id"]: row for row in rows}.values())


def votes(
    rows: Iterable[Row],
    sha256_of: Mapping[str, str] | None,
    purpose: str | None = "main",
    versions: Versions | None = None,
) -> list[Row]:
    """Return each person's one vote per version: the newest of the latest lines that were submitted for ``purpose``.

    ``sha256_of`` maps ``sentence_id`` to the hash of its present text; an annotation of another text, or of a
    sentence that no longer exists, is stale and left out. None stands for any text, or any purpose.
    """
    known = versions or Versions()
    found: dict[tuple[Any, ...], Row] = {}
    for row in latest_annotations(rows):
        if (
            row["status"] != "submitted"
            or (purpose and row["purpose"] != purpose)
            or (sha256_of is not None and sha256_of.get(row["sentence_id"]) != row["text_sha256"])
        ):
            continue
        key = (
            row["annotator"], row["sentence_id"], row.get("target_id"), row["purpose"],
            row["text_sha256"], known.of(row),
        )  # fmt: skip
        if key not in found or found[key]["updated_at"] <= row["updated_at"]:
            found[key] = row
    return list(found.values())


def counted_annotations(
    rows: Iterable[Row],
    sha256_of: Mapping[str, str],
    purpose: str = "main",
    versions: Versions | None = None,
) -> list[Row]:
    """Return the votes that enter agreement, gold, splits and counts: one population, defined once.

    They are on the target as it is asked about now. Where a sentence has votes under several versions, those of
    the version with most of them count, of the newest where they are as many.
    """
    known = versions or Versions()
    asked = known.same("target", known.target)
    own = [
        (row, (row["sentence_id"], row.get("target_id")), known.of(row))
        for row in votes(rows, sha256_of, purpose, known)
    ]
    sizes = Counter((of, version) for _, of, version in own if version[0] == asked)
    chosen: dict[tuple[Any, ...], tuple[int, tuple[tuple[int, ...], ...]]] = {}
    for (of, version), size in sizes.items():
        chosen[of] = max(chosen.get(of, (0, ())), (size, version))
    return [row for row, of, version in own if of in chosen and chosen[of][1] == version]
