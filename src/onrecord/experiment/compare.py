"""``compare``: runs side by side on the same sentences, and whether they differ."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from onrecord.core.errors import BadInput
from onrecord.core.files import require, write_json, write_text
from onrecord.core.table_reader import read_table
from onrecord.experiment import runs, scoring
from onrecord.experiment.reporting.compare_page import compare_page, verdict_words


def compare_runs(
    names: Sequence[str],
    predicted: Sequence[npt.NDArray[np.int64]],
    gold: npt.NDArray[np.int64],
    groups: Sequence[str],
    labels: Sequence[str],
    *,
    replicates: int = scoring.REPLICATES,
    seed: int = 0,
) -> dict[str, Any]:
    """Return each run's scores and each pair's difference, all on the same rows.

    ``predicted`` has one array of label indices a run. A pair has a paired bootstrap over groups for each
    measure, which gives the verdict, and the exact McNemar test, which is blind to groups.
    """
    per_group = [scoring.group_confusions(gold, p, groups, len(labels)) for p in predicted]
    measured = scoring.measures(labels, gold)
    return {
        "n": len(gold),
        "n_groups": len(per_group[0]),
        "runs": {
            name: scoring.intervals(counts, measured, replicates=replicates, seed=seed)
            for name, counts in zip(names, per_group, strict=True)
        },
        "pairs": [
            {
                "first": names[i],
                "second": names[j],
                "difference": {
                    key: scoring.paired_difference(
                        per_group[i], per_group[j], measure, replicates=replicates, seed=seed
                    )
                    for key, measure in measured.items()
                    if measure is not None
                },
                "mcnemar": scoring.mcnemar(predicted[i] == gold, predicted[j] == gold),
            }
            for i, j in combinations(range(len(names)), 2)
        ],
    }


def aligned(
    folders: Sequence[Path],
) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64], list[str], list[str]]:
    """Return the runs' predictions, the gold labels, the groups and the label names, in one order of rows.

    Raises BadInput unless the runs were scored on the same sentences with the same gold. Where runs differ
    in their groups, the first run's hold.
    """
    tables = [read_table(require(f / "predictions.parquet", f"evaluate run={f}")) for f in folders]
    rows = [
        {r["id"]: r for r in t.select(["id", "label", "predicted"]).to_pylist()} for t in tables
    ]
    first = rows[0]
    for folder, other in zip(folders[1:], rows[1:], strict=True):
        if set(other) != set(first):
            raise BadInput(
                f"{folder}: expected the {len(first)} sentences that {folders[0]} was scored on, found "
                f"{len(set(other) & set(first))} of them among {len(other)}"
            )
        for identifier, row in first.items():
            if other[identifier]["label"] != row["label"]:
                raise BadInput(
                    f"{folder}: gold of {identifier!r} is {other[identifier]['label']!r}, in "
                    f"{folders[0]} {row['label']!r}"
                )
    labels = [n for n in tables[0].column_names if n not in ("id", "label", "predicted")]
    place = {name: i for i, name in enumerate(labels)}
    order = sorted(first)
    known = {r["id"]: r["group_id"] for r in read_table(folders[0] / "groups.parquet").to_pylist()}
    predicted = [np.array([place[r[i]["predicted"]] for i in order]) for r in rows]
    gold = np.array([place[first[i]["label"]] for i in order])
    return predicted, gold, [known[i] for i in order], labels


def main(cfg: DictConfig) -> None:
    """Write compare.json (``cfg.out``) and a page beside it; print the runs and their differences as a table."""
    folders = [Path(run) for run in cfg.runs or ()]
    if len(folders) < 2:
        raise BadInput("runs: expected at least two run folders, runs=A,B")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise BadInput(f"runs: a folder is named twice among {', '.join(map(str, folders))}")
    if Path(cfg.out).suffix != ".json":
        raise BadInput(
            f"out={cfg.out}: expected a name that ends in .json: the page lies beside it"
        )
    reports: dict[str, Any] = {}
    for folder in folders:
        runs.read_run(folder)
        report = runs.read_report(folder)
        name = str(report["signature"]["name"])
        reports[name if name not in reports else str(folder)] = report
    names = list(reports)
    predicted, gold, groups, labels = aligned(folders)
    found = compare_runs(
        names, predicted, gold, groups, labels, replicates=int(cfg.replicates), seed=int(cfg.seed)
    )
    found["folders"] = {name: str(folder) for name, folder in zip(names, folders, strict=True)}
    told = summary(found, str(cfg.measure))
    html = Path(cfg.out).with_suffix(".html")
    write_json(cfg.out, found)
    write_text(html, compare_page(found, reports))
    print(told)
    print(f"  wrote {cfg.out} and {html}")


def summary(found: Mapping[str, Any], measure: str) -> str:
    """Return a comparison as a table for a terminal; raises BadInput for a measure that it has not."""
    scored = {name: run.get(measure) for name, run in found["runs"].items()}
    if None in scored.values():
        raise BadInput(f"measure={measure}: expected one of {', '.join(scores_of(found))}")
    lines = [f"{measure} of {found['n']} sentences in {found['n_groups']} groups"]
    lines += [f"  {name:<28} {_interval(score)}" for name, score in scored.items()]
    for pair in found["pairs"]:
        if measure not in pair["difference"]:
            continue
        told = pair["difference"][measure]
        better = verdict_words(pair, told["verdict"])
        lines.append(
            f"  {pair['first']} − {pair['second']}: {_interval(told)}  difference: {better}"
        )
        p = pair["mcnemar"]["p"]
        lines.append(f"    exact McNemar (blind to groups): p = {p:.3g}")
    return "\n".join(lines)


def scores_of(found: Mapping[str, Any]) -> list[str]:
    """Return the names of the measures that a comparison has."""
    return list(next(iter(found["runs"].values())))


def _interval(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return "undefined"
    ends = "" if score["low"] is None else f" [{score['low']:.3f}, {score['high']:.3f}]"
    return f"{score['value']:.3f}{ends}"
