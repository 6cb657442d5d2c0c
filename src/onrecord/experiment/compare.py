"""``compare``: runs side by side on the same sentences, and whether they differ."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import cast

from omegaconf import DictConfig

from onrecord.core.errors import BadInput
from onrecord.core.files import require, write_json, write_text
from onrecord.core.intervals import Ints, format_number, format_score
from onrecord.core.table_reader import read_table
from onrecord.experiment import runs, scoring
from onrecord.experiment.reporting.compare_page import Compared, Pair, compare_page, verdict_words
from onrecord.experiment.reporting.report import Report


def compare_runs(
    names: Sequence[str],
    predicted: Sequence[Ints],
    gold: Ints,
    groups: Sequence[str],
    labels: Sequence[str],
    *,
    baseline: str | None = None,
) -> Compared:
    """Return each run's scores and the differences between pairs, all on the same rows.

    ``predicted`` has one array of label indices a run. With ``baseline`` every other run is tested against it, else
    every pair. The verdicts are by t tests over groups, corrected for the number of pairs; the exact McNemar test,
    blind to groups, is beside them.
    """
    per_group = [scoring.group_confusions(gold, p, groups, len(labels)) for p in predicted]
    measured = {k: m for k, m in scoring.measures(labels, gold).items() if m is not None}
    pairs = list(combinations(range(len(names)), 2))
    if baseline is not None:
        pairs = [(i, names.index(baseline)) for i, name in enumerate(names) if name != baseline]
    found = [
        Pair(
            first=names[i],
            second=names[j],
            difference={
                key: scoring.paired_difference(per_group[i], per_group[j], measure)
                for key, measure in measured.items()
            },
            mcnemar=scoring.mcnemar(predicted[i] == gold, predicted[j] == gold),
        )
        for i, j in pairs
    ]
    for key in measured:
        tested = [d for pair in found if (d := pair["difference"][key])["p"] is not None]
        corrected = scoring.holm([d["p"] or 0.0 for d in tested])
        for difference, p in zip(tested, corrected, strict=True):
            difference["p_holm"] = p
            difference["verdict"] = scoring.verdict(difference["value"] or 0.0, p)
    scores = {
        name: scoring.intervals(counts, scoring.measures(labels, gold))
        for name, counts in zip(names, per_group, strict=True)
    }
    return Compared(
        n=len(gold), n_groups=len(per_group[0]), baseline=baseline, runs=scores, pairs=found, folders={}
    )  # fmt: skip


def aligned(
    folders: Sequence[Path],
) -> tuple[list[Ints], Ints, list[str], list[str]]:
    """Return the runs' predictions, the gold labels, the groups and the label names, in one order of rows.

    Raises BadInput unless the runs were scored on the same sentences with the same gold. Where runs differ
    in their groups, the first run's hold.
    """
    files = [require(f / "predictions.parquet", f"evaluate run={f}") for f in folders]
    first, *others = (read_table(f).to_pandas().set_index("id").sort_index() for f in files)
    for folder, other in zip(folders[1:], others, strict=True):
        if not other.index.equals(first.index):
            raise BadInput(
                f"{folder}: expected the {len(first)} sentences that {folders[0]} was scored on, found "
                f"{len(other.index.intersection(first.index))} of them among {len(other)}"
            )
        for identifier in first.index[first["label"] != other["label"]]:
            raise BadInput(
                f"{folder}: gold of {identifier!r} is {other['label'][identifier]!r}, in "
                f"{folders[0]} {first['label'][identifier]!r}"
            )
    labels = [str(name) for name in first.columns if name not in ("label", "predicted")]
    groups = read_table(folders[0] / "groups.parquet").to_pandas().set_index("id")["group_id"]
    predicted = [frame["predicted"].map(labels.index).to_numpy() for frame in (first, *others)]
    return predicted, first["label"].map(labels.index).to_numpy(), list(groups[first.index]), labels


def read_reports(folders: Sequence[Path]) -> dict[str, Report]:
    """Return the report of each run by its name, or by its folder where two have one name."""
    reports: dict[str, Report] = {}
    for folder in folders:
        runs.read_run(folder)
        report = cast(Report, runs.read_report(folder))
        name = report["signature"]["name"]
        reports[name if name not in reports else str(folder)] = report
    return reports


def main(cfg: DictConfig) -> None:
    """Write compare.json (``cfg.out``) and a page beside it; print the runs and their differences as a table."""
    folders, out = [Path(run) for run in cfg.runs or ()], Path(cfg.out)
    if len(folders) < 2:
        raise BadInput("runs: expected at least two run folders, runs=A,B")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise BadInput(f"runs: a folder is named twice among {', '.join(map(str, folders))}")
    if out.suffix != ".json":
        raise BadInput(f"out={out}: expected a name that ends in .json: the page lies beside it")
    reports = read_reports(folders)
    predicted, gold, groups, labels = aligned(folders)
    by_folder = dict(zip(map(str, folders), reports, strict=True))
    baseline = by_folder.get(str(cfg.baseline), cfg.baseline)
    if baseline is not None and baseline not in reports:
        raise BadInput(f"baseline: expected one of {', '.join(reports)}, found {baseline!r}")
    found = compare_runs(list(reports), predicted, gold, groups, labels, baseline=baseline)
    found["folders"] = {name: folder for folder, name in by_folder.items()}
    words = summary(found, str(cfg.measure))
    write_json(out, found)
    write_text(out.with_suffix(".html"), compare_page(found, reports))
    print(words)
    print(f"  wrote {out} and {out.with_suffix('.html')}")


def summary(found: Compared, measure: str) -> str:
    """Return a comparison as a table for a terminal; raises BadInput for a measure that it has not."""
    scored = {name: run.get(measure) for name, run in found["runs"].items()}
    lines = [f"{measure} of {found['n']} sentences in {found['n_groups']} groups"]
    for name, score in scored.items():
        if score is None:
            known = ", ".join(found["runs"][name])
            raise BadInput(f"measure={measure}: expected one of {known}")
        lines.append(f"  {name:<28} {format_score(score)}")
    for pair in found["pairs"]:
        if measure not in pair["difference"]:
            continue
        difference = pair["difference"][measure]
        better = verdict_words(pair, difference["verdict"])
        lines.append(f"  {pair['first']} − {pair['second']}: {format_score(difference)}  difference: {better}")  # fmt: skip
        if difference["p"] is not None:
            detectable = format_number(difference["detectable"])
            lines.append(
                f"    p = {difference['p']:.3g}, corrected for {len(found['pairs'])} pairs {difference['p_holm']:.3g}; "
                f"the smallest difference that these groups would show: {detectable}"
            )
        lines.append(f"    exact McNemar (blind to groups): p = {pair['mcnemar']['p']:.3g}")
    return "\n".join(lines)
