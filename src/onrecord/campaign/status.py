"""How far the campaign is: a table in the terminal and ``status.html``."""

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from onrecord.campaign.agree import report_lines
from onrecord.campaign.agreement.long_table import answers_of_annotations
from onrecord.campaign.agreement.measures import coefficient
from onrecord.campaign.collect import collect_as_asked
from onrecord.campaign.launch import read_plan
from onrecord.campaign.planning.qualification import Score, feedback_page, record_results
from onrecord.campaign.progress import Progress, progress, to_read
from onrecord.core.agreement_report import AlphaFigures
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, read_object, write_text
from onrecord.core.html import Interval, Section, bar_plot, interval_plot, notice, page, table, text
from onrecord.core.records import (
    Annotation,
    Launched,
    SentenceRow,
    text_sha256,
)
from onrecord.core.votes import Versions, counted_annotations, latest_annotations
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import read_guidelines
from onrecord.scheme.instrument import versions_of
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme

COLUMNS = ("annotator", "round", "done", "left", "skip", "/hour", "ends", "s/task", "checks", "repeats")  # fmt: skip
COMMENTS = 200  # shown in status.html


def cells(row: Progress) -> list[str]:
    """Return a row of the table for people."""
    return [
        row.annotator,
        row.round,
        f"{row.done}/{row.tasks}",
        str(row.left),
        f"{row.skipped / row.tasks:.0%}" if row.tasks else "–",
        "–" if row.per_hour is None else f"{row.per_hour:.0f}",
        "done" if not row.left else "–" if row.end is None else f"{row.end:%d %b %H:%M}",
        "–" if row.seconds is None else f"{row.seconds:.0f}",
        share(row.checks),
        share(row.repeats),
    ]


def share(score: Score) -> str:
    """Return a score for people.

    >>> share(Score(3, 4)), share(Score(0, 0))
    ('3/4', '–')
    """
    return "–" if score.share is None else f"{score.right}/{score.total}"


def agreement_so_far(
    annotations: Iterable[Annotation],
    sentences: Sequence[SentenceRow],
    scheme: Scheme,
    versions: Versions | None = None,
) -> dict[str, AlphaFigures]:
    """Return each question's alpha and interval by the annotations that count, without furniture."""
    groups = {s["sentence_id"]: str(s["group_id"]) for s in sentences if not s["furniture"]}
    texts = {s["sentence_id"]: text_sha256(s["text"]) for s in sentences}
    counted = counted_annotations(annotations, texts, versions=versions)
    rows = [r for r in counted if r["sentence_id"] in groups]
    answers = answers_of_annotations(rows, scheme, groups, {})
    return {
        name: coefficient(own, level=scheme.questions[name].level) for name, own in answers.items()
    }


def agreement_blocks(agreement: Mapping[str, AlphaFigures]) -> list[Markup]:
    """Return the plot and the table of agreement so far."""
    known = [(name, q) for name, q in agreement.items() if q["alpha"] is not None]
    columns = [
        "question",
        "alpha",
        "low",
        "high",
        "sentences with two answers",
        "without an interval because",
    ]
    cells_ = [
        [
            name.replace("_", " "),
            q["alpha"],
            q["low"],
            q["high"],
            q["n_pairable"],
            q.get("reason", ""),
        ]
        for name, q in agreement.items()
    ]
    bars = [Interval(name.replace("_", " "), q["alpha"], q["low"], q["high"]) for name, q in known]
    plot = [interval_plot(bars, "Nominal alpha, with 95 % intervals")] if bars else []
    return [*plot, table("Nominal alpha", columns, cells_)]


def status_page(
    rows: Sequence[Progress],
    agreement: Mapping[str, AlphaFigures],
    outcome: Sequence[Mapping[str, Any]],
    marked: Sequence[Annotation],
    *,
    title: str,
    texts: Mapping[str, str],
    origins: Sequence[str],
    attention: Sequence[str],
    now: datetime,
) -> str:
    """Return ``status.html``: progress, agreement so far, qualification, and flags and comments to read.

    ``attention`` are the lines of what needs somebody's attention.
    """
    done, tasks = sum(r.done for r in rows), sum(r.tasks for r in rows)
    blocks = [notice(line) for line in attention]
    blocks += [
        notice(f"These labels are {origin}-made.") for origin in origins if origin == "machine"
    ]
    blocks += [notice("These labels are simulated: they are not human labels.")] * (
        "simulated" in origins
    )
    bars = [(f"{r.annotator}, {r.round}", 100 * r.done / r.tasks if r.tasks else 0.0) for r in rows]
    blocks += [bar_plot(bars, "Done, in per cent of the tasks", largest=100)]
    blocks += [
        table(
            "Tasks done and left, tasks an hour at work, expected end (UTC), median seconds a task, "
            "answers right in hidden checks, answers repeated as before",
            COLUMNS,
            [cells(r) for r in rows],
        )
    ]
    sections = [
        Section("Who has done what", blocks),
        Section(
            "Agreement so far",
            agreement_blocks(agreement),
            "Without furniture; checks, repeats and qualification are not in it. The command agree reports more.",
        ),
    ]  # fmt: skip
    if outcome:
        shown = [[o["annotator"], o["round"], f"{o['done']} of {o['tasks']}",
                  None if o["score"] is None else round(100 * o["score"]), round(100 * o["pass_mark"]), o["state"]]
                 for o in outcome]  # fmt: skip
        columns = ["annotator", "round", "done", "right, %", "pass mark, %", "state"]
        sections.append(Section("Qualification", [table("Qualification", columns, shown)]))
    notes = [
        [
            r["annotator"],
            texts.get(r["sentence_id"], r["sentence_id"]),
            ", ".join(r["flags"]),
            r["comment"],
        ]
        for r in marked[:COMMENTS]
    ]
    read = (
        table("The newest first", ["annotator", "sentence", "flags", "comment"], notes)
        if notes
        else text("None yet.")
    )
    sections.append(Section("Flags and comments to read", [read]))
    lead = f"{done} of {tasks} tasks are annotated. As of {now:%d %B %Y, %H:%M} UTC."
    return page(
        f"{title}: status", lead, sections, "Holds sentences of the articles: not for publication."
    )


def print_status(
    console: Console,
    rows: Sequence[Progress],
    agreement: Mapping[str, AlphaFigures],
    title: str,
) -> None:
    """Print the progress and the agreement so far."""
    overview = Table(
        title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0)
    )
    lines = [cells(row) for row in rows]
    shown = [i for i in range(len(COLUMNS)) if i < 4 or any(line[i] != "–" for line in lines)]
    for i in shown:
        overview.add_column(COLUMNS[i], justify="left" if i < 2 else "right", no_wrap=True)
    for line in lines:
        overview.add_row(*(line[i] for i in shown))
    console.print(overview)
    print("\n".join(report_lines(agreement)))


class Look(NamedTuple):
    """What the terminal shows."""

    rows: list[Progress]
    agreement: dict[str, AlphaFigures]
    attention: list[str]


def look(
    workspace: Workspace,
    scheme: Scheme,
    versions: Versions,
    reported: Sequence[str],
    *,
    title: str,
) -> Look:
    """Write ``status.html`` and the pages of practice, and return what the terminal shows.

    ``reported`` are collect's lines.
    """
    launched = read_jsonl(workspace.require(Workspace.launched), Launched)
    rows: Any = latest_annotations(read_annotations(workspace.annotations))
    sentences: list[SentenceRow] = workspace.read_sentences().to_pylist()
    texts = {row["sentence_id"]: row["text"] for row in sentences}
    known = workspace.known_answers
    answers = read_object(known, ["answers"], "plan")["answers"] if known.exists() else {}
    now = datetime.now(UTC)
    found = progress(launched, rows, answers, scheme, now)
    agreement = agreement_so_far(rows, sentences, scheme, versions)
    outcome = record_results(workspace, read_plan(workspace), scheme)
    guidelines = read_guidelines(scheme)
    for annotator in dict.fromkeys(o["annotator"] for o in outcome if o["done"]):
        mine = [r for r in rows if r["annotator"] == annotator and r["purpose"] == "qualification"]
        practice = feedback_page(
            annotator, rows=mine, answers=answers, texts=texts, scheme=scheme, guidelines=guidelines,
            outcome=outcome,
        )  # fmt: skip
        write_text(workspace.practice_pages / f"{annotator}.html", practice)
    html = status_page(
        found, agreement, outcome, to_read(rows), title=title, texts=texts,
        origins=sorted({r["origin"] for r in rows}), attention=reported, now=now,
    )  # fmt: skip
    write_text(workspace.status_page, html)
    return Look(found, agreement, list(reported))


def collect_and_look(cfg: DictConfig, workspace: Workspace, scheme: Scheme) -> Look:
    """Collect as the command line asks, and look."""
    reported, _ = collect_as_asked(cfg, workspace)
    versions = versions_of(cfg.campaign, scheme)
    return look(workspace, scheme, versions, reported[1:], title=cfg.campaign.title)


def main(cfg: DictConfig) -> None:
    """Show how the campaign is doing, once, or again every ``watch`` seconds until interrupted (Ctrl+C)."""
    workspace, scheme, console = Workspace(Path(cfg.workspace)), load_scheme(), Console()
    seen: Look | None = None
    try:
        while True:
            try:
                seen = collect_and_look(cfg, workspace, scheme)
            except BadInput as error:
                if not (cfg.watch and seen):
                    raise
                now = datetime.now(UTC)  # the server restarts
                seen = seen._replace(attention=[f"No look at {now:%H:%M:%S} UTC: {error}"])
            if cfg.watch and sys.stdout.isatty():
                console.clear()
            print_status(console, seen.rows, seen.agreement, cfg.campaign.title)
            print("\n".join([*seen.attention, f"→ {workspace.status_page}"]), flush=True)
            if not cfg.watch:
                return
            time.sleep(max(1, cfg.watch))
    except KeyboardInterrupt:  # the way to end a watch, asleep or not
        if not (cfg.watch and seen):
            raise
