"""``onrecord build``: gold, or any labelled table, to a dataset whose splits do not leak."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
from omegaconf import DictConfig, OmegaConf

from onrecord.core.errors import BadInput, CheckFailed
from onrecord.core.files import read_jsonl, remove, write_json, write_jsonl
from onrecord.core.records import GoldRow, origin_of
from onrecord.core.table_reader import read_table
from onrecord.core.workspace import Workspace
from onrecord.dataset.dataset_info import DatasetInfo, SplitConfig, SplitCounts
from onrecord.dataset.features import (
    SPLITS,
    Columns,
    Feature,
    Tables,
    annotation_features,
    gold_features,
    make_table,
    replaced_folder,
    value_feature,
    write_configs,
    write_minimal_card,
)
from onrecord.dataset.gold_rows import join_annotations, join_gold, valid_for_any_purpose
from onrecord.dataset.labelled_table import NEEDED, labelled_columns
from onrecord.dataset.splitting.assign import Assignment, assign_splits
from onrecord.dataset.splitting.audit import Audit, audit_splits, audit_summary
from onrecord.scheme.instrument import versions_of
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme, questions_over, targets_of


@dataclass(frozen=True)
class Source:
    """What a dataset is built from: rows without splits, and what is known of them."""

    title: str
    origin: str  # one of ORIGINS
    question: str
    columns: Columns
    features: Mapping[str, Feature]
    annotations: Columns | None  # none where the labels come from a table
    left_out: dict[str, list[str]]  # reason → sentence ids


def main(cfg: DictConfig) -> None:
    """Build ``dataset/``; where that fails, remove the old one: it is not of these rows and settings."""
    if cfg.on_leak not in ("fail", "drop", "report"):
        raise BadInput(f"on_leak={cfg.on_leak}: expected fail, drop or report")
    workspace = Workspace(Path(cfg.workspace))
    try:
        build_dataset(cfg, workspace)
    except (BadInput, CheckFailed):
        if workspace.dataset.exists():
            remove(workspace.dataset)
        raise


def build_dataset(cfg: DictConfig, workspace: Workspace) -> None:
    """Read gold (or rows), split, audit, write ``dataset/``, ``audit.json`` and ``assignments.jsonl``."""
    split = cast(SplitConfig, OmegaConf.to_container(cfg.split))
    scheme = load_scheme()
    if cfg.source.name == "rows":
        source = read_rows(cfg.rows, cfg.labels)
    else:
        targets = learnt_targets(scheme, targets_of(scheme, cfg.campaign), cfg.learn)
        source = read_gold(workspace, scheme, targets, cfg.campaign, cfg.context)
    earlier = read_assignments(workspace) if cfg.keep_splits else []
    assigned = assign_splits(
        source.columns, split, source.question, earlier, seed=cfg.seed, near=cfg.near_same,
        min_words=cfg.min_words, count_once=cfg.on_leak != "report",
    )  # fmt: skip
    names = source.features[source.question]["names"]
    audit = audit_splits(
        assigned, split, source.question, names, source.left_out, near=cfg.near_same,
        min_words=cfg.min_words, on_leak=cfg.on_leak, minimum_gain=cfg.cue_gain,
    )  # fmt: skip
    write_json(workspace.audit, audit)
    if not audit["passed"]:
        raise CheckFailed(f"the split leaks: {audit['summary']} (listed in {workspace.audit})")
    tables = split_tables(source, assigned.columns, set(audit["dropped"]), scheme)
    info = DatasetInfo(
        question=source.question, source=cfg.source.name, title=source.title, split=split, seed=cfg.seed,
        origin=source.origin, counts=count_rows(tables["gold"], source.question, names),
        audit=audit_summary(audit),
    )  # fmt: skip
    with replaced_folder(workspace.dataset) as folder:
        write_configs(folder, tables)
        write_minimal_card(folder, tables, source.title)
        write_json(folder / "dataset.json", info)
    write_jsonl(workspace.split_assignments, assigned.assignments)
    print(summary(info, audit, workspace.dataset))


def read_assignments(workspace: Workspace) -> list[Assignment]:
    """Return the lines of ``assignments.jsonl``, none before the first build."""
    path = workspace.split_assignments
    return read_jsonl(path, Assignment) if path.is_file() else []


def read_rows(rows: str | None, labels: Sequence[str] | None) -> Source:
    """Return the table ``rows``; raises BadInput where it cannot be used."""
    if rows is None:
        raise BadInput("source=rows needs rows=FILE (csv, jsonl, jsonl.gz or parquet)")
    declared = None if labels is None else [str(name) for name in labels]
    columns, features = labelled_columns(
        read_table(Path(rows), NEEDED).to_pydict(), declared, str(rows)
    )
    return Source(Path(rows).name, "people", "label", columns, features, None, {})


def learnt_targets(
    scheme: Scheme, targets: Mapping[str, Mapping[str, str]], asked: str | None
) -> dict[str, str]:
    """Return the learnt questions, each with its target in words; the first names the column of all answers.

    A question that is ``asked`` for is learnt alone; else the scheme's, toward every target that it is asked of.
    Raises BadInput where the scheme has no such question with labels.
    """
    if asked is None:
        return questions_over(scheme, scheme.target_question, targets)
    if asked not in scheme.questions or scheme.questions[asked].kind != "label":
        raise BadInput(f"learn={asked}: the scheme has no question of that name with labels")
    return {asked: questions_over(scheme, asked, targets)[asked]}


def read_gold(
    workspace: Workspace,
    scheme: Scheme,
    targets: Mapping[str, str],
    campaign: Mapping[str, Any],
    context: int,
) -> Source:
    """Return the campaign's gold and annotations; raises BadInput where gold decides no learnt question."""
    gold = read_jsonl(workspace.require(Workspace.gold), GoldRow)
    articles, sentences = workspace.read_articles(), workspace.read_sentences()
    found = read_annotations(workspace.require(Workspace.annotations))
    counted = valid_for_any_purpose(found, sentences, versions_of(campaign, scheme))
    joined = join_gold(
        gold, sentences, articles, workspace.read_speakers(), counted, scheme=scheme, targets=targets,
        target_id=campaign["target"]["id"], context=context,
    )  # fmt: skip
    question, *others = targets
    if not joined.columns:
        raise BadInput(f"{workspace.gold}: no sentence with a decided {question}")
    annotations = join_annotations(
        counted, sentences, articles, scheme=scheme, in_gold=set(joined.columns["sentence_id"])
    )
    features = gold_features(scheme.without(others))
    origin = origin_of(annotations.get("origin", []), campaign["origin"])
    return Source(
        str(campaign["title"]), origin, question, joined.columns, features, annotations, joined.left_out
    )  # fmt: skip


def split_tables(source: Source, columns: Columns, dropped: set[str], scheme: Scheme) -> Tables:
    """Return the tables of each config and split, without the gold rows that were dropped.

    Annotations are in the split of their group; those of a group without gold in train.
    """
    features = dict(source.features) | {"unit_id": value_feature("string")}
    features |= {"fold": value_feature("int32")} if "fold" in columns else {}
    kept = [None if sentence in dropped else split
            for sentence, split in zip(columns["sentence_id"], columns["split"], strict=True)]  # fmt: skip
    tables = {"gold": _table_per_split(features, columns, kept, "gold")}
    if source.annotations is not None:
        split_of = dict(zip(columns["group_id"], columns["split"], strict=True))
        splits = [split_of.get(g, "train") for g in source.annotations.get("group_id", [])]
        tables["annotations"] = _table_per_split(
            annotation_features(scheme), source.annotations, splits, "annotations"
        )
    return tables


def _table_per_split(
    features: Mapping[str, Feature], columns: Columns, splits: Sequence[str | None], where: str
) -> dict[str, pa.Table]:
    tables = {}
    for split in SPLITS:
        rows = [i for i, part in enumerate(splits) if part == split]
        values = {name: [columns[name][i] for i in rows] if rows else [] for name in features}
        tables[split] = make_table(features, values, where)
    return tables


def count_rows(
    tables: Mapping[str, pa.Table], question: str, names: Sequence[str]
) -> dict[str, SplitCounts]:
    """Return the size of each split; ``names`` are the labels of ``question``."""
    counts = {}
    for split, rows in tables.items():
        ids = Counter(rows[question].to_pylist())
        counts[split] = SplitCounts(
            rows=rows.num_rows,
            groups=len(set(rows["group_id"].to_pylist())),
            copies=sum(map(bool, rows["is_copy"].to_pylist())),
            labels={name: ids[i] for i, name in enumerate(names)},
        )
    return counts


def summary(info: DatasetInfo, audit: Audit, dataset: Path) -> str:
    """Return what a person wants to read: sizes, leaks, findings."""
    lines = [
        f"{split:<11} {c['rows']:>6} rows in {c['groups']} groups ({c['copies']} copies): "
        + ", ".join(f"{name} {n}" for name, n in c["labels"].items())
        for split, c in info["counts"].items()
        if c["rows"]
    ]
    lines += [f"split by {audit['split']['name']}: {audit['summary']} "
              f"(on_leak={audit['on_leak']}, {len(audit['dropped'])} dropped)"]  # fmt: skip
    lines += [f"boilerplate: {len(ids)} rows read like {ids[0]}; one of them counts (audit.json lists them)" for ids in audit["boilerplate"]]  # fmt: skip
    lines += [f"left out as {why}: {len(ids)}" for why, ids in audit["left_out"].items() if ids]
    for merged in audit["joined"]:
        lines.append(f"{' and '.join(merged['articles'][:3])} are now one group, in {merged['now']}")  # fmt: skip
    lines += [f"note: {finding['message']}" for finding in audit["findings"]]
    return "\n".join([*lines, f"wrote {dataset}"])
