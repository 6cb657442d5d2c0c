"""Rows assigned to splits or folds, keeping what was assigned earlier.

An article keeps the part (split or fold) it had under the same strategy (``assignments.jsonl``), so that a
score stays comparable when articles are added.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from onrecord.core.errors import BadInput
from onrecord.core.leakage_units import NearSame, leakage_units, near_same
from onrecord.core.table_reader import read_table
from onrecord.dataset.dataset_info import SplitConfig
from onrecord.dataset.features import Columns
from onrecord.dataset.splitting import strategies


class Assignment(TypedDict):
    """A line of ``assignments.jsonl``: the part of an article under a strategy (without ``on_leak``)."""

    article_id: str
    part: str | int
    split: dict[str, Any]


class MergedGroup(TypedDict):
    """A group whose articles were in several parts before they became one, and the part it is in now."""

    group_id: str
    articles: list[str]
    were: list[str | int]
    now: str | int


@dataclass(frozen=True)
class Assigned:
    """The columns with ``unit_id``, ``split`` (and ``fold``) added, and what is to be remembered and reported.

    ``boilerplate`` are the rows of each sentence that joins no groups (`core.leakage_units`), ``joined`` counts
    the groups that were joined.
    """

    columns: Columns
    assignments: list[Assignment]
    merged_groups: list[MergedGroup]
    near_same: NearSame
    boilerplate: list[list[int]]
    joined: int


def assign_splits(
    columns: Columns,
    split: SplitConfig,
    question: str,
    earlier: Sequence[Assignment],
    *,
    seed: int,
    near: float,
    min_words: int,
    count_once: bool,
) -> Assigned:
    """Return the columns with each row's unit and split (and fold); no strategy but a declared one parts a unit.

    ``earlier`` are the lines of ``assignments.jsonl``: an article keeps the part it had under the same
    strategy. Where copies have joined articles of two parts, the unit goes to the most held-out one.
    Of boilerplate the most held-out row counts, the others are marked ``is_copy`` (``count_once``).
    """
    found = near_same(columns["text"], columns["group_id"], near=near, min_words=min_words)
    joined = leakage_units(columns["group_id"], found, columns.get("article_id"))
    units = joined.unit_of
    articles: list[str] = columns.get("article_id", columns["group_id"])
    key = {k: v for k, v in split.items() if k != "on_leak"}
    same = [row for row in earlier if row["split"] == key]
    kept, merged = kept_parts(articles, units, same)
    if split["name"] == "kfold":
        folds = strategies.kfold(units, columns[question], k=split["k"], seed=seed, kept=kept)
        added: Columns = {"split": ["train"] * len(units), "fold": [folds[u] for u in units]}
    else:
        added = {"split": row_splits(columns, units, split, question, kept=kept, seed=seed)}
    if count_once:
        added["is_copy"] = _counted_once(columns, added["split"], joined.recurring)
    part_of = dict(zip(articles, added.get("fold", added["split"]), strict=True))
    gone = [row for row in same if row["article_id"] not in part_of]
    now = [Assignment(article_id=a, part=part_of[a], split=key) for a in sorted(part_of)]
    return Assigned(
        {**columns, "unit_id": units, **added}, now + sorted(gone, key=lambda r: r["article_id"]), merged,
        found, joined.recurring, joined.joined,
    )  # fmt: skip


def _counted_once(
    columns: Columns, splits: Sequence[str], boilerplate: Sequence[Sequence[int]]
) -> list[bool]:
    """Return ``is_copy`` with all rows of a boilerplate sentence and target marked but the most held-out first."""
    is_copy = list(columns["is_copy"])
    for rows in boilerplate:
        counted = set()
        for row in sorted(rows, key=lambda row: (-strategies.HELD_OUT[splits[row]], row)):
            is_copy[row] |= columns["target"][row] in counted
            if not is_copy[row]:
                counted.add(columns["target"][row])
    return is_copy


def row_splits(
    columns: Columns, units: Sequence[str], split: SplitConfig, question: str,
    *, kept: Mapping[str, Any], seed: int,
) -> list[str]:  # fmt: skip
    """Return the split of each row under the strategy that ``split["name"]`` names."""
    labels = columns[question]
    if split["name"] == "fixed":
        return strategies.fixed(declared_splits(columns, split["file"]), split["file"] or "rows")
    unknown = [None] * len(units)
    if split["name"] == "by_date":
        split_of = strategies.by_date(
            units, columns.get("published", unknown), shares=split["shares"], kept=kept,
            train_until=split["train_until"], validation_until=split["validation_until"],
        )  # fmt: skip
    elif split["name"] == "by_outlet":
        held_out = {"validation": split["validation"], "test": split["test"]}
        split_of = strategies.by_outlet(
            units, columns.get("outlet", unknown), labels, shares=split["shares"], seed=seed,
            held_out=held_out, kept=kept,
        )  # fmt: skip
    elif split["name"] == "by_group":
        split_of = strategies.by_group(units, labels, shares=split["shares"], seed=seed, kept=kept)
    else:
        raise BadInput(f"split: there is no strategy {split['name']!r}: expected by_group, by_date, by_outlet, kfold or fixed")  # fmt: skip
    return [split_of[unit] for unit in units]


def declared_splits(columns: Columns, file: str | None) -> list[str | None]:
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
    articles: Sequence[str], groups: Sequence[str], earlier: Sequence[Assignment]
) -> tuple[dict[str, Any], list[MergedGroup]]:
    """Return the part that each group had, and the groups whose articles were in several parts."""
    part_of = {row["article_id"]: row["part"] for row in earlier}
    members: dict[str, set[str]] = defaultdict(set)
    for article, group in zip(articles, groups, strict=True):
        if article in part_of:
            members[group].add(article)
    kept: dict[str, Any] = {}
    merged = []
    for group, found in sorted(members.items()):
        parts: set[Any] = {part_of[article] for article in found}
        folds = all(isinstance(part, int) for part in parts)
        kept[group] = min(parts) if folds else strategies.most_held_out(parts)
        if len(parts) > 1:
            merged.append(MergedGroup(group_id=group, articles=sorted(found), were=sorted(parts),
                                      now=kept[group]))  # fmt: skip
    return kept, merged
