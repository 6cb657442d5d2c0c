"""The instrument that annotators answer: target, scheme and guidelines, each with a version that its text may not outlive.

``versions.jsonl`` has the versions that were in force, each since a moment of the back end's clock.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, write_jsonl
from onrecord.core.records import InstrumentVersion
from onrecord.core.votes import VERSIONED, Versions
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import guidelines_version, read_guidelines
from onrecord.scheme.migrations import migrations, read_annotations
from onrecord.scheme.scheme import OWN_TARGET, Scheme, load_scheme, targets_of

# What changed, by the hash that shows it: the version to raise, and where.
CHANGES = {
    "labels_sha256": ("labels", "scheme_version", "`version` in annotation/scheme.yaml (and declare the migration)"),
    "guidelines_sha256": ("guidelines", "guidelines_version", "the version in the first line of annotation/guidelines.md"),
    "target_sha256": ("target or its opposite", "target_version", "`target.version` in the campaign's file"),
}  # fmt: skip


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def target_version(targets: Mapping[str, Mapping[str, Any]]) -> int:
    """Return the version of the campaign's targets (those of ``targets_of``), which is their own target's."""
    version = targets[OWN_TARGET].get("version", 1)
    if not isinstance(version, int) or version < 1:
        raise BadInput(f"campaign.target.version: expected 1, 2, …, found {version!r}")
    return version


def version_in_force(
    scheme: Scheme, guidelines: str, targets: Mapping[str, Mapping[str, Any]], since: str = ""
) -> InstrumentVersion:
    """Return the line of ``versions.jsonl`` that says which instrument is in force from a moment.

    Of the guidelines the tables are left out, which are the scheme's.
    """
    labels = {q.name: q.names for q in scheme.questions.values()}
    labels["flags"] = [flag.name for flag in scheme.flags]
    words = [
        [name, target["name"], target.get("opposite"), *map(list, (target.get("aliases") or (), target.get("opposites") or ()))]
        for name, target in targets.items()
    ]  # fmt: skip
    own_text = re.sub(r"<!-- (?:scheme: \w+|target) -->\n.*?<!-- end -->", "", guidelines, flags=re.DOTALL)  # fmt: skip
    return {
        "since": since,
        "guidelines_version": guidelines_version(guidelines),
        "scheme_version": scheme.version,
        "target_version": target_version(targets),
        "labels_sha256": _sha256(json.dumps(labels)),
        "guidelines_sha256": _sha256(own_text),
        "target_sha256": _sha256(json.dumps(words)),
    }


def is_new_version(earlier: Sequence[InstrumentVersion], new: InstrumentVersion) -> bool:
    """Return whether ``new`` differs from the last version in force.

    Raises BadInput where a text changed under a version that was in force: the answers to it could not be told
    from those to the earlier text.
    """
    now: Any = new
    lines: Any = earlier
    faults = [
        f"the {what} changed since the campaign was launched, but the version is still "
        f"{now[version]}: raise {mend}, or take the change back"
        for line in lines
        for sha256, (what, version, mend) in CHANGES.items()
        if line.get(version, 1) == now[version] and line.get(sha256, now[sha256]) != now[sha256]
    ]
    if faults:
        raise BadInput("; ".join(dict.fromkeys(faults)))
    return not earlier or {**earlier[-1], "since": ""} != {**new, "since": ""}


def read_versions(workspace: Workspace) -> list[InstrumentVersion]:
    """Return the versions that were in force; none before the first launch."""
    return read_jsonl(workspace.versions, InstrumentVersion) if workspace.versions.exists() else []


def keep_version(workspace: Workspace, scheme: Scheme, version: InstrumentVersion) -> None:
    """Add the instrument to ``versions.jsonl`` if it is new; raises BadInput for a removed label in use."""
    earlier = read_versions(workspace)
    if is_new_version(earlier, version):
        if workspace.annotations.exists():
            read_annotations(workspace.annotations, scheme)
        write_jsonl(workspace.versions, [*earlier, version])


def check_versions(workspace: Workspace, campaign: Mapping[str, Any]) -> None:
    """Raise BadInput where a text of the campaign's instrument changed under a version that was in force."""
    scheme = load_scheme()
    new = version_in_force(scheme, read_guidelines(scheme), targets_of(scheme, campaign))
    is_new_version(read_versions(workspace), new)


def versions_of(campaign: Mapping[str, Any], scheme: Scheme) -> Versions:
    """Return which versions count together: those of ``compatible_versions``, and schemes with a declared migration.

    Raises BadInput for a key that has no versions.
    """
    declared = {key: list(found or ()) for key, found in (campaign.get("compatible_versions") or {}).items()}  # fmt: skip
    if unknown := declared.keys() - set(VERSIONED):
        raise BadInput(
            f"campaign.compatible_versions: expected {', '.join(VERSIONED)}, found {min(unknown)!r}"
        )
    migrated = {version for step in migrations() for version in (step.since, step.to)}
    if migrated and scheme.version in migrated:
        declared["scheme"] = [*declared.get("scheme", ()), *sorted(migrated)]
    return Versions(target_version({OWN_TARGET: campaign["target"]}), declared)
