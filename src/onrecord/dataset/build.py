"""``onrecord build``: gold, or any labelled table, to a dataset whose splits do not leak."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from omegaconf import DictConfig, OmegaConf

from onrecord.core.errors import BadInput, CheckFailed
from onrecord.core.files import read_jsonl, require, write_json, write_jsonl
from onrecord.core.records import GoldRow, latest_annotations, origin_of
from onrecord.core.table_reader import read_table
from onrecord.core.workspace import Workspace
from onrecord.dataset.features import SPLITS, Spec, annotation_columns, gold_columns, table, value
from onrecord.dataset.folder import replaced, write_configs, write_minimal_card
from onrecord.dataset.gold_rows import all_counted, join_annotations, join_gold
from onrecord.dataset.labelled_table import join_rows
from onrecord.dataset.splitting.assign import place
from onrecord.dataset.splitting.audit import audited
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme, questions_over, targets_of

Columns = dict[str, list[Any]]


def main(cfg: DictConfig) -> None:
    """Read gold (or rows), split, audit, write ``dataset/``, ``audit.json`` and ``assignments.jsonl``."""
    workspace = Path(cfg.workspace)
    split: dict[str, Any] = OmegaConf.to_container(cfg.split)  # type: ignore[assignment]
    left_out: dict[str, list[str]] = {}
    annotations: Columns | None = None
    if cfg.on_leak not in ("fail", "drop", "report"):
        raise BadInput(f"on_leak={cfg.on_leak}: expected fail, drop or report")
    scheme = load_scheme()
    if cfg.source.name == "rows":
        question, title = "label", Path(str(cfg.rows)).name
        columns, features = read_rows(cfg.rows, cfg.labels)
    else:
        question, title = learnt(scheme, cfg.learn), str(cfg.campaign.title)
        targets = questions_over(scheme, question, targets_of(scheme, cfg.campaign))
        if cfg.learn is not None:  # that question alone, not what it asks of other targets
            targets = {question: targets[question]}
        columns, left_out, annotations = read_gold(workspace, scheme, targets, cfg)
        features = gold_columns(scheme.without(list(targets)[1:]), folds=False)
    record = workspace / "assignments.jsonl"
    earlier = read_jsonl(record) if record.is_file() and cfg.keep_splits else []
    columns, placed = place(columns, split, question, earlier, seed=cfg.seed)
    audit = audited(columns, question, features[question]["names"], split, placed, near=cfg.near_same,
                    min_words=cfg.min_words, on_leak=cfg.on_leak, cue_gain=cfg.cue_gain)  # fmt: skip
    audit["left_out"] = left_out
    write_json(workspace / "audit.json", audit)
    if not audit["passed"]:
        raise CheckFailed(
            f"the split leaks: {audit['summary']} (listed in {workspace / 'audit.json'})"
        )
    if "fold" in columns:
        features = {**features, "fold": value("int32")}
    tables = {"gold": split_tables(columns, features, set(audit["dropped"]))}
    if annotations is not None:
        tables["annotations"] = split_annotations(annotations, columns, scheme)
    card = {
        "question": question, "source": cfg.source.name, "title": title, "split": split, "seed": cfg.seed,
        "origin": origin_of(annotations.get("origin", []), cfg.campaign.origin) if annotations is not None else "people",
        "counts": counts(tables["gold"], question, features[question]["names"]),
        "audit": {key: audit[key] for key in ("summary", "on_leak", "findings", "passed")},
    }  # fmt: skip
    with replaced(workspace / "dataset") as folder:
        write_configs(folder, tables)
        write_minimal_card(folder, tables, title)
        write_json(folder / "dataset.json", card)
    write_jsonl(record, placed["assignments"])
    print(summary(card, audit, workspace))


def read_rows(rows: str | None, labels: Sequence[str] | None) -> tuple[Columns, Mapping[str, Spec]]:
    """Return the columns and features of the table ``rows``; raises BadInput where it cannot be used."""
    if rows is None:
        raise BadInput("source=rows needs rows=FILE (csv, jsonl, jsonl.gz or parquet)")
    declared = None if labels is None else [str(name) for name in labels]
    return join_rows(read_table(Path(rows)).to_pydict(), declared, str(rows))


def learnt(scheme: Scheme, asked: str | None) -> str:
    """Return the question that is learnt; raises BadInput where the scheme has none of that name with labels."""
    if asked is None:
        return scheme.learnt
    if asked not in scheme.questions or scheme.questions[asked].kind != "label":
        raise BadInput(f"learn={asked}: the scheme has no question of that name with labels")
    return asked


def read_gold(
    workspace: Path, scheme: Scheme, targets: Mapping[str, str], cfg: DictConfig
) -> tuple[Columns, dict[str, list[str]], Columns]:
    """Return the columns of ``gold``, what was left out of it, and the columns of ``annotations``."""
    gold = read_jsonl(require(workspace / "gold.jsonl", "adjudicate"), GoldRow)
    articles = Workspace(workspace).read_articles()
    sentences = Workspace(workspace).read_sentences()
    found = read_annotations(require(workspace / "annotations.jsonl", "collect"))
    spoken = Workspace(workspace).read_speakers()
    counted = all_counted(latest_annotations(found), sentences)
    joined = join_gold(
        gold, sentences, articles, spoken, counted, scheme=scheme, targets=targets,
        target_id=cfg.campaign.target.id, context=cfg.context,
    )  # fmt: skip
    if not joined.columns:
        raise BadInput(
            f"{workspace / 'gold.jsonl'}: no sentence with a decided {next(iter(targets))}"
        )
    annotations = join_annotations(
        counted, sentences, articles, scheme=scheme, in_gold=set(joined.columns["sentence_id"])
    )
    return joined.columns, joined.left_out, annotations


def split_tables(
    columns: Columns, features: Mapping[str, Spec], dropped: set[str]
) -> dict[str, pa.Table]:
    """Return a table for each split, without the rows that were dropped."""
    tables = {}
    for split in SPLITS:
        rows = [
            i for i, (sentence, part) in enumerate(zip(columns["sentence_id"], columns["split"], strict=True))
            if part == split and sentence not in dropped
        ]  # fmt: skip
        tables[split] = table(
            features, {name: [columns[name][i] for i in rows] for name in features}, "gold"
        )
    return tables


def split_annotations(
    annotations: Columns, columns: Columns, scheme: Scheme
) -> dict[str, pa.Table]:
    """Return the annotations a split: that of their group; of a group without gold, train."""
    split_of = dict(zip(columns["group_id"], columns["split"], strict=True))
    features, tables = annotation_columns(scheme), {}
    for split in SPLITS:
        rows = [i for i, g in enumerate(annotations.get("group_id", [])) if split_of.get(g, "train") == split]  # fmt: skip
        values = {name: [annotations[name][i] for i in rows] if rows else [] for name in features}
        tables[split] = table(features, values, "annotations")
    return tables


def counts(tables: Mapping[str, pa.Table], question: str, names: Sequence[str]) -> dict[str, Any]:
    """Return per split: rows, groups, rows that are copies, and rows a label."""
    found: dict[str, Any] = {}
    for split, rows in tables.items():
        ids = Counter(rows[question].to_pylist())
        found[split] = {
            "rows": rows.num_rows,
            "groups": len(set(rows["group_id"].to_pylist())),
            "copies": sum(map(bool, rows["is_copy"].to_pylist())),
            "labels": {name: ids[i] for i, name in enumerate(names)},
        }
    return found


def summary(card: Mapping[str, Any], audit: Mapping[str, Any], workspace: Path) -> str:
    """Return what a person wants to read: sizes, leaks, findings."""
    lines = [
        f"{split:<11} {c['rows']:>6} rows in {c['groups']} groups ({c['copies']} copies): "
        + ", ".join(f"{name} {n}" for name, n in c["labels"].items())
        for split, c in card["counts"].items()
        if c["rows"]
    ]
    lines += [f"split by {audit['split']['name']}: {audit['summary']} "
              f"(on_leak={audit['on_leak']}, {len(audit['dropped'])} dropped)"]  # fmt: skip
    for reason, ids in audit["left_out"].items():
        if ids:
            lines.append(f"left out as {reason}: {len(ids)}")
    for join in audit["joined"]:
        lines.append(f"{' and '.join(join['articles'][:3])} are now one group, in {join['now']}")
    lines += [f"note: {finding['message']}" for finding in audit["findings"]]
    return "\n".join([*lines, f"wrote {workspace / 'dataset'}"])
