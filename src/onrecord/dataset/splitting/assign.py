"""Rows put into splits or folds, keeping what was given earlier.

An article keeps the part it had under the same strategy (``assignments.jsonl``), so that a score stays
comparable when articles are added.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onrecord.core.errors import BadInput
from onrecord.core.table_reader import read_table
from onrecord.dataset.splitting import strategies

Columns = dict[str, list[Any]]


def place(
    columns: Columns,
    split: Mapping[str, Any],
    question: str,
    earlier: Sequence[Mapping[str, Any]],
    *,
    seed: int,
) -> tuple[Columns, dict[str, Any]]:
    """Return the columns with ``split`` (and ``fold``) added, and what was placed and why.

    ``earlier`` are the lines of ``assignments.jsonl``: an article keeps the part it had under the same
    strategy. Where copies have joined articles of two parts, the group goes to the most held-out one.
    """
    groups, labels = columns["group_id"], columns[question]
    articles = columns.get("article_id", groups)
    key = {k: v for k, v in split.items() if k != "on_leak"}
    kept, joined = kept_parts(
        zip(articles, groups, strict=True), [r for r in earlier if r["split"] == key]
    )
    if split["name"] == "kfold":
        folds = strategies.kfold(groups, labels, k=split["k"], seed=seed, kept=kept)
        columns = {**columns, "split": ["train"] * len(groups), "fold": [folds[g] for g in groups]}
        parts: list[Any] = columns["fold"]
    else:
        columns = {**columns, "split": row_splits(columns, split, labels, kept, seed)}
        parts = columns["split"]
    part_of = dict(zip(articles, parts, strict=True))
    gone = [r for r in earlier if r["split"] == key and r["article_id"] not in part_of]
    return columns, {
        "joined": joined,
        "assignments": [{"article_id": a, "part": part_of[a], "split": key} for a in sorted(part_of)]
        + sorted(gone, key=lambda r: r["article_id"]),
    }  # fmt: skip


def row_splits(
    columns: Columns, split: Mapping[str, Any], labels: Sequence[str], kept: Mapping[str, Any], seed: int
) -> list[str]:  # fmt: skip
    """Return the split of each row under the strategy that ``split["name"]`` names."""
    groups = columns["group_id"]
    if split["name"] == "fixed":
        return strategies.fixed(declared_splits(columns, split["file"]), split["file"] or "rows")
    shares = split["shares"]
    if split["name"] == "by_date":
        split_of = strategies.by_date(
            groups, columns.get("published", [None] * len(groups)), shares=shares, kept=kept,
            train_until=split["train_until"], validation_until=split["validation_until"],
        )  # fmt: skip
    elif split["name"] == "by_outlet":
        split_of = strategies.by_outlet(
            groups, columns.get("outlet", [None] * len(groups)), labels, shares=shares, seed=seed,
            held_out={s: split[s] for s in ("validation", "test")}, kept=kept,
        )  # fmt: skip
    elif split["name"] != "by_group":
        raise BadInput(f"split: there is no strategy {split['name']!r}: expected by_group, by_date, by_outlet, kfold or fixed")  # fmt: skip
    else:
        split_of = strategies.by_group(groups, labels, shares=shares, seed=seed, kept=kept)
    return [split_of[group] for group in groups]


def declared_splits(columns: Columns, file: str | None) -> list[Any]:
    """Return the split that each row's own column, or a table by article, declares."""
    if file is None:
        if "declared_split" not in columns:
            raise BadInput("split=fixed: the table has no column split; give split.file=FILE (article_id, split)")  # fmt: skip
        return columns["declared_split"]
    declared = read_table(Path(file), ("article_id", "split")).to_pydict()
    split_of = dict(zip(declared["article_id"], declared["split"], strict=True))
    articles = columns.get("article_id", columns["group_id"])
    absent = sorted(set(articles) - set(split_of))
    if absent:
        raise BadInput(f"{file}: article {absent[0]!r} has no split ({len(absent)} have none)")
    return [split_of[article] for article in articles]


def kept_parts(
    pairs: Iterable[tuple[str, str]], earlier: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the part that each group had, and the groups whose articles had been in two parts."""
    part_of = {row["article_id"]: row["part"] for row in earlier}
    parts: dict[str, set[Any]] = defaultdict(set)
    members: dict[str, set[str]] = defaultdict(set)
    for article, group in pairs:
        if article in part_of:
            parts[group].add(part_of[article])
            members[group].add(article)
    kept, joined = {}, []
    for group, found in sorted(parts.items()):
        folds = all(isinstance(part, int) for part in found)
        kept[group] = min(found) if folds else strategies.most_held_out(found)
        if len(found) > 1:
            joined.append({"group_id": group, "articles": sorted(members[group]),
                           "were": sorted(found), "now": kept[group]})  # fmt: skip
    return kept, joined
