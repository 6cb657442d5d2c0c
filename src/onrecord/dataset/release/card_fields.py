"""The computed fields of a release's card and Croissant metadata."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from onrecord.core.intervals import format_score
from onrecord.dataset.dataset_info import DatasetInfo
from onrecord.dataset.features import Tables
from onrecord.dataset.release.release_inputs import ReleaseInfo, ReleaseInputs

WIDE_GROUPS = 30  # over fewer, intervals are wide
CARD_TEXT: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("templates").joinpath("card.yaml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class CardFields:
    """What the card's template is filled with beside the release's own description.

    ``per_label`` is label → split → rows, ``per_outlet`` outlet → label → rows; ``statement`` has every key of
    ``statement`` in card.yaml; ``agreement_lines`` are for Croissant.
    """

    question: str
    groups_per_split: dict[str, int]
    per_label: dict[str, dict[str, int]]
    per_outlet: dict[str, dict[str, int]]
    rows: int
    n_groups: int
    n_articles: int
    copies: int
    n_annotations: int
    n_annotators: int
    target_configs: list[str]
    statement: dict[str, str]
    gold_summary: str
    suggestion_summary: str
    agreement_lines: list[str]
    split_description: str
    limits: list[str]
    contact: str


def card_fields(inputs: ReleaseInputs, tables: Tables, info: ReleaseInfo) -> CardFields:
    """Return the fields, computed from the tables that are published."""
    question, gold = inputs.dataset["question"], tables["gold"]
    names = inputs.features["gold"][question]["names"]
    annotations = list(tables.get("annotations", {}).values())
    outlets = per_outlet(gold, question, names)
    groups = {split: set(rows["group_id"].to_pylist()) for split, rows in gold.items()}
    n_groups = len(set[str]().union(*groups.values()))
    article = "article_id" if inputs.articles is not None else "group_id"
    given = {key: text for key, text in info.options.statement.items() if text}
    contact = info.options.contact
    return CardFields(
        question=question, groups_per_split={split: len(found) for split, found in groups.items()},
        per_label=per_label(gold, question, names), per_outlet=outlets,
        rows=sum(rows.num_rows for rows in gold.values()), n_groups=n_groups,
        n_articles=len({a for rows in gold.values() for a in rows[article].to_pylist()}),
        copies=sum(counts["copies"] for counts in inputs.dataset["counts"].values()),
        n_annotations=sum(rows.num_rows for rows in annotations),
        n_annotators=len({a for rows in annotations for a in rows["annotator"].to_pylist()}),
        target_configs=[config for config in tables if config.startswith("target-")],
        statement=with_todos(CARD_TEXT["nobody_annotated"].get(info.origin, {}) | given),
        gold_summary=gold_summary(gold), suggestion_summary=suggestion_summary(annotations),
        agreement_lines=[
            f"{name}: alpha {format_score(found, 'alpha')}"
            for name, found in (inputs.agreement["questions"] if inputs.agreement else {}).items()
        ],
        split_description=CARD_TEXT["splits"][inputs.dataset["split"]["name"]],
        limits=limits(info, inputs.dataset, len(outlets), n_groups),
        contact=f"write to {contact}." if contact else "**TODO (`contact`):** an address to write to.",
    )  # fmt: skip


def per_label(
    gold: Mapping[str, pa.Table], question: str, names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Return label → split → rows."""
    found = {split: Counter(rows[question].to_pylist()) for split, rows in gold.items()}
    return {name: {split: found[split][i] for split in gold} for i, name in enumerate(names)}


def per_outlet(
    gold: Mapping[str, pa.Table], question: str, names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Return outlet → label → rows, over all splits; empty where no outlet is known."""
    found: Counter[tuple[Any, Any]] = Counter()
    for rows in gold.values():
        if "outlet" in rows.column_names:
            found.update(zip(rows["outlet"].to_pylist(), rows[question].to_pylist(), strict=True))
    outlets = sorted({str(outlet) for outlet, _ in found if outlet is not None})
    return {o: {name: found[o, i] for i, name in enumerate(names)} for o in outlets}


def with_todos(statement: Mapping[str, str]) -> dict[str, str]:
    """Return each part of the statement, or a named TODO that says what belongs there.

    >>> with_todos({"funding": "None."})["funding"]
    'None.'
    >>> with_todos({})["funding"]
    '**TODO (`statement.funding`):** who paid for the work.'
    """
    return {
        name: statement.get(name) or f"**TODO (`statement.{name}`):** {wanted}."
        for name, wanted in CARD_TEXT["statement"].items()
    }


def gold_summary(gold: Mapping[str, pa.Table]) -> str:
    """Return how the gold labels were decided, as a sentence; rows of a table need not say."""
    known = [u for rows in gold.values() if "unanimous" in rows.column_names
             for u in rows["unanimous"].to_pylist()]  # fmt: skip
    return f"{known.count(True)} of {len(known)} decided labels were unanimous; the others were decided by the campaign's policy (the raw labels are in `annotations`)."


def suggestion_summary(annotations: Sequence[pa.Table]) -> str:
    """Return for how many annotations a suggested speaker was shown, as a sentence."""
    seen = [bool(x) for rows in annotations for x in rows["suggestion_shown"].to_pylist()]
    return f"A suggested speaker was shown for {sum(seen)} of {len(seen)} annotations."


def limits(info: ReleaseInfo, dataset: DatasetInfo, outlets: int, groups: int) -> list[str]:
    """Return the limits that the figures themselves show."""
    found = {
        "people": [],
        "machine": ["the labels are machine-made, not people's"],
        "simulated": ["the labels are simulated, not people's"],
    }[info.origin]
    if groups < WIDE_GROUPS:
        found.append(
            f"{groups} groups of articles: intervals are wide or cannot be given, and scores are unstable"
        )
    found.append(
        f"{outlets} outlets: not a sample of the press"
        if outlets
        else "the outlets of the articles are not recorded"
    )
    found += [finding["message"] for finding in dataset["audit"]["findings"]]
    if info.options.kind == "standoff":
        found.append(
            "readers need copies of the articles; from a copy of another version only part of the sentences is recovered"
        )
    return [
        *found,
        "sentences are labelled one at a time: irony, quotation chains and context beyond the shown sentences may be missed",
    ]


def rai_fields(fields: CardFields, info: ReleaseInfo) -> dict[str, Any]:
    """Return the RAI fields of the Croissant metadata, in mlcroissant's spelling."""
    made_by = {
        "people": "people",
        "machine": "language-model passes, not people",
        "simulated": "simulation",
    }[info.origin]
    plain = {name: text.replace("*", "") for name, text in fields.statement.items()}
    return {
        "data_collection": plain["curation"],
        "data_collection_type": ["Secondary Data analysis"],
        "data_annotation_protocol": [f"Guidelines version {info.guidelines_version}, included as guidelines.md."],
        "data_annotation_platform": ["Label Studio Community"] if fields.n_annotations else [],
        "data_annotation_analysis": fields.agreement_lines or ["No agreement was computed."],
        "annotations_per_item": f"{fields.n_annotations} annotations of {fields.rows} rows",
        "annotator_demographics": [f"Labels made by {made_by}. {plain['annotators']}"],
        "machine_annotation_tools": [] if info.origin == "people" else ["labels were not made by people"],
        "data_biases": fields.limits,
        "data_limitations": fields.limits,
        "data_use_cases": ["Training and evaluating classifiers of news sentences; studying annotation."],
        "data_social_impact": "Labels describe sentences, not persons; not for judging persons or ranking outlets.",
        "personal_sensitive_information": ["Names of public speakers as printed in news articles; annotators by pseudonym."],
        "data_release_maintenance_plan": plain["maintenance"],
    }  # fmt: skip
