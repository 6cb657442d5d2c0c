"""``estimate``: how often, by whom, rising or not, over a whole corpus, from a labelled sample and a model."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
import pandas as pd
from omegaconf import DictConfig, OmegaConf

from onrecord import __version__
from onrecord.core.errors import BadInput
from onrecord.core.files import write_json, write_text
from onrecord.core.intervals import format_score
from onrecord.core.table_reader import read_table
from onrecord.core.workspace import Workspace
from onrecord.experiment.estimation.campaign_rows import campaign_rows
from onrecord.experiment.estimation.corpus_table import Corpus, read_corpus
from onrecord.experiment.estimation.design import Kind
from onrecord.experiment.estimation.estimands import (
    NOT_DRAWN,
    Estimate,
    Question,
    answered,
    shares,
)
from onrecord.experiment.estimation.estimands import (
    regression as regression_questions,
)
from onrecord.experiment.estimation.estimands import (
    trend as trend_question,
)
from onrecord.experiment.reporting.estimates_page import estimates_page

HOW_DRAWN = {
    "groups": "whole groups of articles were drawn: every group with a labelled sentence is labelled whole",
    "rows": "sentences were drawn one by one",
    "two_stage": "groups were drawn first, then sentences within them",
    None: NOT_DRAWN,
}


class DesignSummary(TypedDict):
    """How the labelled sentences were drawn, and what the figures rest on."""

    drawn: Kind | None
    words: str
    n: int
    n_labelled: int
    n_labelled_without_probability: int
    n_groups: int
    stratum: str | None
    predictions: bool


class Estimates(TypedDict):
    """What ``estimates.json`` holds."""

    estimates: list[Estimate]
    design: DesignSummary
    signature: str


def estimate(
    frame: pd.DataFrame,
    *,
    by: str | Sequence[str] = (),
    trend: str | None = None,
    covariates: str | Sequence[str] = (),
    regression: Literal["linear", "logistic"] = "logistic",
    outcome: str | None = None,
    labels: Sequence[str] | None = None,
    stratum: str | None = None,
    drawn: Kind | None = None,
) -> Estimates:
    """Return estimates for a corpus, corrected for the model's errors, with 95 % confidence intervals.

    ``frame`` has one row a sentence: ``label`` (null where no person labelled it), ``predicted`` (a label) or one
    ``p_LABEL`` column a label, ``inclusion_probability`` (of the row's being labelled), ``group`` (null: a group of
    its own), and the columns that ``by``, ``trend``, ``covariates``, ``outcome`` and ``stratum`` name. ``by``: shares
    by a column's values, and each value's difference from the others. ``trend``: the change of each share per year of
    a date column, or per unit of a number column. ``covariates``: a regression of each label on these columns;
    with ``outcome``, of that column on the label and these columns. ``drawn``: how the sample was drawn
    (``groups``, ``rows``, ``two_stage``); by default it is read off which rows are labelled.

    The corpus is the population: intervals say how far the sample may lie from it. Raises BadInput for a table
    that cannot be used.

    Sources: Särndal, Swensson and Wretman (1992); Egami et al. (2023); Angelopoulos, Duchi and Zrnic (2023).
    """
    by, covariates = ([one] if isinstance(one, str) else one for one in (by, covariates))
    corpus = read_corpus(frame, labels=labels, stratum=stratum, drawn=drawn)
    questions = list(shares(corpus, by))
    if trend is not None:
        questions.append(trend_question(corpus, trend))
    if covariates or outcome is not None:
        questions += regression_questions(
            corpus, covariates, "linear" if outcome is not None else regression, outcome
        )
    found = [
        one for place in range(len(corpus.labels)) for one in _answers(corpus, questions, place)
    ]
    return Estimates(
        estimates=found, design=_summary(corpus, stratum), signature=_signature(frame, questions)
    )


def _answers(corpus: Corpus, questions: Sequence[Question], place: int) -> list[Estimate]:
    """Return a label's estimates; shares of domains lean on the power of the overall share, which comes first."""
    overall = answered(corpus, questions[0], place)
    domains = [
        answered(corpus, q, place, overall["power"] if q.kind == "share" else None)
        for q in questions[1:]
    ]
    return [overall, *domains]


def _summary(corpus: Corpus, stratum: str | None) -> DesignSummary:
    labelled = corpus.label >= 0
    kind = corpus.kind if corpus.drawn.any() else None
    return DesignSummary(
        drawn=kind, words=HOW_DRAWN[kind], n=len(labelled), n_labelled=int(corpus.drawn.sum()),
        n_labelled_without_probability=int((labelled & ~corpus.drawn).sum()),
        n_groups=len(np.unique(corpus.group)), stratum=stratum, predictions=corpus.predicted is not None,
    )  # fmt: skip


def _signature(frame: pd.DataFrame, questions: Sequence[Question]) -> str:
    rows = pd.util.hash_pandas_object(frame.astype("string"), index=False).to_numpy()
    asked = [(q.kind, dict(q.by), dict(q.extra)) for q in questions]
    digest = hashlib.sha256(
        repr((__version__, list(frame.columns), asked)).encode() + rows.tobytes()
    )
    return digest.hexdigest()[:16]


def design_table(corpus_frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as packages of R for design-based inference take them (survey, dsl, ipd)."""
    wanted = {
        "id": "id", "label": "gold", "predicted": "prediction", "inclusion_probability": "probability",
        "group": "cluster", "stratum": "stratum",
    }  # fmt: skip
    kept = {old: new for old, new in wanted.items() if old in corpus_frame}
    chances = [c for c in corpus_frame.columns if str(c).startswith("p_")]
    table = corpus_frame[[*kept, *chances]].rename(columns=kept)
    table["labelled"] = table["gold"].notna().astype(int)
    return table


def flat_table(found: Sequence[Estimate]) -> pd.DataFrame:
    """Return ``estimates.csv``: one line an estimate."""
    rows = []
    for one in found:
        column, value = next(iter(one["by"].items()), ("", ""))
        people = one["people_only"]
        rows.append(
            {"kind": one["kind"], "label": one["label"], "column": column, "by": value,
             "versus": one.get("versus", ""), "term": one.get("term", ""), "unit": one.get("unit", ""),
             "value": one["value"], "low": one["low"], "high": one["high"],
             "people_only": people["value"], "people_only_low": people["low"], "people_only_high": people["high"],
             "naive": one["naive"], "n": one["n"], "n_labelled": one["n_labelled"], "n_groups": one["n_groups"],
             "reason": one["reason"] or ""}
        )  # fmt: skip
    return pd.DataFrame(rows)


def summary_lines(found: Estimates) -> list[str]:
    """Return the overall shares and how the sample was drawn, for a terminal."""
    lines = [
        f"{found['design']['n_labelled']:,} of {found['design']['n']:,} rows labelled; {found['design']['words']}"
    ]
    for one in found["estimates"]:
        if one["kind"] != "share" or one["by"]:
            continue
        naive = "" if one["naive"] is None else f"; uncorrected {one['naive']:.3f}"
        lines.append(f"  {one['label']:<12} {format_score(one)}{naive}")
    return lines


def main(cfg: DictConfig) -> None:
    """Write estimates.json, estimates.csv, estimates.html and design.csv into the workspace."""
    workspace = Workspace(Path(cfg.workspace))
    if cfg.rows:
        frame = read_table(Path(cfg.rows), ["label"]).to_pandas()
    else:
        frame = campaign_rows(workspace, Path(cfg.predictions) if cfg.predictions else None)
    try:
        found = estimate(
            frame, by=list(cfg.by), trend=cfg.trend, covariates=list(cfg.covariates), regression=cfg.regression,
            outcome=cfg.outcome, labels=None if cfg.labels is None else list(cfg.labels), stratum=cfg.stratum,
            drawn=cfg.drawn,
        )  # fmt: skip
    except BadInput as error:
        raise BadInput(f"{cfg.rows or workspace.folder}: {error}") from error
    for path in (workspace.estimates, workspace.prevalence):
        write_json(path, found)
    write_text(workspace.estimates_table, flat_table(found["estimates"]).to_csv(index=False))
    if cfg.stratum:
        frame["stratum"] = frame[cfg.stratum]
    write_text(workspace.estimates_design, design_table(frame).to_csv(index=False))
    title = str(OmegaConf.select(cfg, "campaign.title"))
    write_text(
        workspace.estimates_page,
        estimates_page(found["estimates"], found["design"], title, found["signature"]),
    )
    print(
        "\n".join(
            [*summary_lines(found), f"  wrote {workspace.estimates_page} and {workspace.estimates}"]
        )
    )
