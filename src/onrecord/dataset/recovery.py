"""The report of a re-hydration: per article and per label what came back, what did not and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from onrecord.dataset.features import Spec
from onrecord.dataset.standoff.alignment import Recovered

TIERS = ("text", "sentence", "folded", "fuzzy")


def rehydration(
    tables: Mapping[str, Mapping[str, pa.Table]],
    features: Mapping[str, Mapping[str, Spec]],
    *,
    question: str,
    sentences: Iterable[Mapping[str, Any]],
    found: Mapping[str, Recovered],
    release: str,
) -> dict[str, Any]:
    """Return the report: per article and per label what came back, what did not and why.

    It counts the sentences that have a label (in gold or by an annotator), furniture among them.
    """
    labelled = {
        sentence
        for by_split in tables.values()
        for rows in by_split.values()
        for sentence in rows["sentence_id"].to_pylist()
    }
    articles: dict[str, dict[str, Any]] = {
        name: {"recovered": 0, "total": 0, "tiers": dict.fromkeys(TIERS, 0), "lost": [], "why": {}}
        for name in found
    }
    for row in sentences:
        if row["sentence_id"] not in labelled:
            continue
        entry, article = articles[row["article_id"]], found[row["article_id"]]
        entry["total"] += 1
        place = article.places.get(row["sentence_id"])
        if place is None:
            entry["lost"].append(row["sentence_id"])
            entry["why"][row["sentence_id"]] = article.why[row["sentence_id"]]
        else:
            entry["recovered"] += 1
            entry["tiers"][place.tier] += 1
    names = features["gold"][question]["names"]
    labels = {name: {"recovered": 0, "total": 0} for name in names}
    for rows in tables["gold"].values():
        for row in rows.select(["sentence_id", "article_id", question]).to_pylist():
            if row[question] is not None:
                label = labels[names[row[question]]]
                label["total"] += 1
                label["recovered"] += row["sentence_id"] in found[row["article_id"]].places
    recovered = sum(entry["recovered"] for entry in articles.values())
    total = sum(entry["total"] for entry in articles.values())
    return {
        "release": release,
        "question": question,
        "recovery": recovered / total,
        "recovered": recovered,
        "total": total,
        "labels": labels,
        "articles": articles,
    }


def summary(report: Mapping[str, Any], workspace: Path) -> str:
    """Return what a person wants to read: how much came back, of each label, and from where."""
    tiers = Counter[str]()
    for entry in report["articles"].values():
        tiers.update(entry["tiers"])
    lines = [f"{report['recovered']} of {report['total']} labelled sentences came back "
             f"({', '.join(f'{tier} {tiers[tier]}' for tier in TIERS if tiers[tier]) or 'none'})"]  # fmt: skip
    lines.append(f"by {report['question']}: " + ", ".join(
        f"{name} {n['recovered']}/{n['total']}" for name, n in report["labels"].items()))  # fmt: skip
    short = [(name, e) for name, e in report["articles"].items() if e["lost"]]
    lines += [f"{name}: {e['recovered']} of {e['total']}, lost {', '.join(e['lost'][:5])}"
              + (f" and {len(e['lost']) - 5} more" if len(e["lost"]) > 5 else "") for name, e in short[:10]]  # fmt: skip
    if len(short) > 10:
        lines.append(f"and {len(short) - 10} more articles with losses, in rehydration.json")
    return "\n".join([*lines, f"wrote {workspace / 'dataset'}"])
