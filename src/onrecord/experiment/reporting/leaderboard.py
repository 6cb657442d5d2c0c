"""The leaderboard: every evaluated run with its signature, rebuilt from the run folders."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from onrecord.core.files import read_jsonl, write_text
from onrecord.core.html import page, rendered_sections
from onrecord.core.tables import write_parquet
from onrecord.experiment import runs

SCORES = ("macro_f1", "f_avg", "accuracy")
SCHEMA = pa.schema(
    [("run", pa.string()), ("name", pa.string()), ("classifier", pa.string()), ("question", pa.string()), ("on", pa.string()),
     ("n", pa.int64()), ("n_groups", pa.int64())]
    + [(f"{s}{end}", pa.float64()) for s in SCORES for end in ("", "_low", "_high")]
    + [("ece", pa.float64()), ("origin", pa.string()), ("data", pa.string()), ("split", pa.string()),
       ("config", pa.string()), ("seed", pa.int64()), ("onrecord", pa.string()), ("heading", pa.string())]
)  # fmt: skip
COLUMNS = {  # heading → key of a row
    "model": "name", "classifier": "classifier", "macro-F1": "macro_f1", "low": "macro_f1_low", "high": "macro_f1_high",
    "F_avg": "f_avg", "accuracy": "accuracy", "ECE": "ece", "n": "n", "groups": "n_groups", "config": "config",
    "split": "split", "seed": "seed", "run": "run",
}  # fmt: skip


def leaderboard_row(run: str, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report's line of the leaderboard."""
    row = {"run": run, **{k: report["signature"].get(k) for k in ("name", "classifier", "on", "data", "split", "config", "seed", "onrecord")}}  # fmt: skip
    row |= {k: report[k] for k in ("question", "n", "n_groups", "origin", "heading")}
    row["ece"] = report["calibration"]["ece"]
    for score in SCORES:
        found = report[score]
        row |= {score: found["value"], f"{score}_low": found["low"], f"{score}_high": found["high"]}
    return row


def rebuild(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Write the leaderboard of these run folders, best first, and return its rows."""
    rows = []
    for folder in sorted(set(folders), key=str):
        if (folder / "report.json").is_file() and (folder / "run.json").is_file():
            rows.append(leaderboard_row(str(folder), runs.read_report(folder)))
    rows.sort(key=lambda r: (str(r["data"]), str(r["on"]), -(r["macro_f1"] or 0), r["run"]))
    write_parquet(runs.LEADERBOARD, rows, SCHEMA)
    write_text(runs.LEADERBOARD.with_suffix(".html"), leaderboard_page(rows))
    return rows


def known_folders() -> set[Path]:
    """Return the run folders there are, with those elsewhere whose test scores were seen."""
    looked = read_jsonl(runs.LOOKS, runs.Look) if runs.LOOKS.exists() else []
    return {p.parent for p in runs.RUNS.glob("*/run.json")} | {Path(look["run"]) for look in looked}


def leaderboard_page(rows: list[dict[str, Any]]) -> str:
    """Return the leaderboard as a page: a section for each dataset and way of scoring."""
    parts = list(dict.fromkeys((row["data"], row["on"]) for row in rows))
    lead = "Overlapping confidence intervals don't tell you which model is better; `onrecord compare` does."
    sections = rendered_sections("leaderboard.html", rows=rows, parts=parts, columns=COLUMNS)
    return page("Leaderboard", lead, sections)
