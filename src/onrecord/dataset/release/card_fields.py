"""The facts that a release's card and Croissant metadata are filled with, each computed from what is published."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from onrecord import __version__
from onrecord.dataset.release import card
from onrecord.dataset.release.release_tables import Features, Tables
from onrecord.scheme.scheme import Scheme

# What can be said of annotators where there were none; a campaign's own statement goes before it.
NOBODY: dict[str, dict[str, str | None]] = {
    "machine": {
        "annotators": "No person annotated: each annotator is a pass of a language model.",
        "consent": "No person annotated. Persons are named as the articles name them.",
    },
    "simulated": {
        "annotators": "No person annotated: the answers are simulated.",
        "consent": "No person annotated.",
    },
}


@dataclass(frozen=True)
class Material:
    """All that a release is made from, read."""

    tables: Tables
    features: Features
    dataset: Mapping[str, Any]
    audit: Mapping[str, Any]
    agreement: Mapping[str, Any] | None
    baseline: Mapping[str, Any] | None
    articles: pa.Table | None
    sentences: pa.Table | None
    scheme: Scheme
    guidelines: Path


def card_facts(
    material: Material,
    tables: Tables,
    about: Mapping[str, Any],
    *,
    statement: Mapping[str, str | None],
    repo: str | None,
    contact: str | None,
) -> dict[str, Any]:
    """Return every fact that the card's body is filled with."""
    question, audit = material.dataset["question"], material.dataset["audit"]
    gold = card.ordered_splits(tables["gold"])
    names = material.features["gold"][question]["names"]
    annotations = list(tables.get("annotations", {}).values())
    outlets = card.per_outlet(gold, question, names)
    groups = {g for table in gold.values() for g in table["group_id"].to_pylist()}
    articles = {
        a
        for t in gold.values()
        for a in (t["article_id"] if "article_id" in t.column_names else t["group_id"]).to_pylist()
    }
    score = (
        None
        if material.baseline is None
        else {
            **material.baseline,
            **{k: card.shown(material.baseline[k]) for k in ("macro_f1", "accuracy")},
        }
    )
    return dict(about) | {
        "question": question, "splits": list(gold), "sizes": card.sizes(gold),
        "per_label": card.per_label(gold, question, names), "outlets": outlets,
        "rows": sum(t.num_rows for t in gold.values()), "n_groups": len(groups), "n_articles": len(articles),
        "copies": sum(c["copies"] for c in material.dataset["counts"].values()),
        "n_annotations": sum(t.num_rows for t in annotations),
        "n_annotators": len({a for t in annotations for a in t["annotator"].to_pylist()}),
        "targets_apart": [config for config in tables if config.startswith("target-")],
        "repo": repo, "scheme_version": material.scheme.version,
        "gaps": card.gaps(NOBODY.get(about["origin"], {}) | {k: v for k, v in statement.items() if v}),
        "decided": decided(gold), "shown": suggestions_shown(annotations),
        "table": material.dataset.get("title", ""), "agreement": card.agreement_rows(material.agreement),
        "split": material.dataset["split"], "split_words": card.SPLIT_WORDS[material.dataset["split"]["name"]],
        "audit": audit, "audit_words": f"same or near-same sentences across splits: {audit['on_leak']}",
        "baseline": score,
        "limits": card.limits(about["origin"], about["kind"], audit, len(outlets), len(groups)),

        "contact_words": f"write to {contact}." if contact else "**Gap, to be written (`contact`):** whom to write to.",
        "bibtex": about["cite_as"], "software": __version__,
    }  # fmt: skip


def decided(gold: Mapping[str, pa.Table]) -> str:
    """Return how the gold labels were reached, as a sentence."""
    known = [u for t in gold.values() for u in t["unanimous"].to_pylist()] if all(
        "unanimous" in t.column_names for t in gold.values()) else []  # fmt: skip
    counts = Counter(known)
    return f"{counts[True]} of {len(known)} decided labels were unanimous; the others were settled by the campaign's policy (raw labels stand beside them)."


def suggestions_shown(annotations: list[pa.Table]) -> str:
    """Return for how many annotations a suggested speaker was shown, as a sentence."""
    seen = [bool(x) for t in annotations for x in t["suggestion_shown"].to_pylist()]
    return f"A suggested speaker was shown for {sum(seen)} of {len(seen)} annotations."


def rai_fields(facts: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the RAI fields of the Croissant metadata, in mlcroissant's spelling."""
    machine = about["origin"] != "people"
    made_by = {
        "people": "people",
        "machine": "language-model passes, not people",
        "simulated": "simulation",
    }
    platform = ["Label Studio Community"] if facts["n_annotations"] else []
    return {
        "data_collection": facts["gaps"]["curation"].replace("*", ""),
        "data_collection_type": ["Secondary Data analysis"],
        "data_annotation_protocol": [f"Guidelines version {about['guidelines_version']}, included as guidelines.md."],
        "data_annotation_platform": platform,
        "data_annotation_analysis": [f"{r['name']}: alpha {r['alpha']} ({r['interval']})" for r in facts["agreement"]]
        or ["No agreement was computed."],
        "annotations_per_item": f"{facts['n_annotations']} annotations of {facts['rows']} rows",
        "annotator_demographics": [f"Labels made by {made_by[about['origin']]}. " + facts["gaps"]["annotators"].replace("*", "")],
        "machine_annotation_tools": ["labels were not made by people"] if machine else [],
        "data_biases": list(facts["limits"]),
        "data_limitations": list(facts["limits"]),
        "data_use_cases": ["Training and evaluating classifiers of news sentences; studying annotation."],
        "data_social_impact": "Labels describe sentences, not persons; not for judging persons or ranking outlets.",
        "personal_sensitive_information": ["Names of public speakers as printed in news articles; annotators by pseudonym."],
        "data_release_maintenance_plan": facts["gaps"]["maintenance"].replace("*", ""),
    }  # fmt: skip
