"""Shares, differences, trends and regressions of labels over a corpus, each estimated and explained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np
import pandas as pd

from onrecord.core.errors import BadInput
from onrecord.experiment.estimation.corpus_table import Corpus
from onrecord.experiment.estimation.corrected import FEWEST_UNITS, Interval, Sides, estimated
from onrecord.experiment.estimation.design import Bools, Floats
from onrecord.experiment.estimation.functionals import Solver, Undefined, linear, logistic

Kind = Literal["share", "difference", "trend", "coefficient"]
NOT_DRAWN = "no probability sample: inclusion_probability is given for no labelled row"
DAYS = 365.2425  # a trend over dates is per year


class PeopleOnly(TypedDict):
    """What the people's labels alone give."""

    value: float | None
    low: float | None
    high: float | None


class Estimate(TypedDict):
    """One estimate; shares of 1. ``by`` is empty for the whole corpus; ``versus`` names what a difference is from.

    ``naive`` is the figure of the predictions alone. ``power`` is how much of the model was used: 0 is people alone.
    ``pooled`` says whether a domain's power leans on the whole corpus's. ``reason`` says why a figure is null.
    """

    kind: Kind
    label: str
    by: dict[str, str]
    value: float | None
    low: float | None
    high: float | None
    people_only: PeopleOnly
    naive: float | None
    n: int
    n_labelled: int
    n_groups: int
    power: float | None
    pooled: bool
    reason: str | None
    versus: NotRequired[str]
    term: NotRequired[str]
    unit: NotRequired[str]


@dataclass(frozen=True)
class Question:
    """One estimand: the solver's ``contrast`` over ``rows`` (n,), with its ``regressors`` (n, p)."""

    kind: Kind
    by: Mapping[str, str]
    rows: Bools
    regressors: Floats
    contrast: Floats
    solver: Solver = linear
    outcome: Floats | None = None  # where the label is a covariate, and this column the outcome
    extra: Mapping[str, str] = field(default_factory=dict)


def shares(corpus: Corpus, by: Sequence[str]) -> Iterator[Question]:
    """Yield the overall share, then each value's of each column, then each value's difference from the others."""
    n = len(corpus.label)
    one = np.ones((n, 1))
    yield Question("share", {}, np.ones(n, dtype=bool), one, np.ones(1))
    for column in by:
        values = _column(corpus, column).astype("string")
        stated = values.notna().to_numpy()
        names = sorted(values.dropna().unique())
        for name in names:
            yield Question(
                "share",
                {column: name},
                _has(values, name),
                one,
                np.ones(1),
            )
        for name in names if len(names) > 1 else []:
            inside = _has(values, name).astype(np.float64)
            yield Question(
                "difference", {column: name}, stated, np.column_stack([np.ones(n), inside]), np.array([0.0, 1.0]),
                extra={"versus": names[1 - names.index(name)] if len(names) == 2 else "all others"},
            )  # fmt: skip


def trend(corpus: Corpus, column: str) -> Question:
    """Return the change of a label's share per unit of a number column, or per year of a date column."""
    time, unit = _time(_column(corpus, column), column)
    stated = np.isfinite(time)
    middle = time[stated].mean() if stated.any() else 0.0
    regressors = np.column_stack([np.ones(len(time)), np.nan_to_num(time - middle)])
    return Question(
        "trend", {}, stated, regressors, np.array([0.0, 1.0]), extra={"term": column, "unit": unit}
    )


def regression(
    corpus: Corpus,
    covariates: Sequence[str],
    model: Literal["linear", "logistic"],
    outcome: str | None,
) -> Iterator[Question]:
    """Yield the coefficients of a label on columns, or of ``outcome`` on a label and columns.

    A text column gives an indicator a value but the first in sorted order. With ``outcome`` (a number column) the
    label's indicator is the first covariate, and its coefficient comes first.
    """
    n = len(corpus.label)
    terms: dict[str, Floats] = {"intercept": np.ones(n)}
    for column in covariates:
        terms |= _terms(_column(corpus, column), column)
    regressors = np.column_stack(list(terms.values()))
    rows = np.asarray(np.isfinite(regressors).all(axis=1), dtype=np.bool_)
    target = None
    names = list(terms)
    if outcome is not None:
        if model == "logistic":
            raise BadInput(f"outcome={outcome}: expected regression=linear, found logistic")
        target = pd.to_numeric(_column(corpus, outcome), errors="coerce").to_numpy(dtype=float)
        rows = rows & np.isfinite(target)
        names.append("label")
    solver = logistic if model == "logistic" else linear
    for place, name in enumerate(names):
        if name == "intercept":
            continue
        contrast = np.eye(len(names))[place]
        yield Question(
            "coefficient", {}, rows, np.nan_to_num(regressors), contrast, solver, target,
            {"term": name, "unit": "log odds" if model == "logistic" else "share"},
        )  # fmt: skip


def answered(
    corpus: Corpus, question: Question, place: int, prior: float | None = None
) -> Estimate:
    """Return the estimate of one question for the label at ``place``; ``prior`` is the whole corpus's power."""
    rows = question.rows
    drawn = corpus.drawn[rows]
    groups = corpus.group[rows & corpus.drawn]
    people = (corpus.label[rows] == place).astype(float)
    model = None if corpus.predicted is None else corpus.predicted[rows, place]
    regressors = question.regressors[rows]
    found = Estimate(
        kind=question.kind, label=corpus.labels[place], by=dict(question.by),
        value=None, low=None, high=None, people_only=PeopleOnly(value=None, low=None, high=None),
        naive=None, n=int(rows.sum()), n_labelled=int(drawn.sum()), n_groups=len(np.unique(groups)),
        power=None, pooled=False, reason=None,
    )  # fmt: skip
    found.update(question.extra)  # type: ignore[typeddict-item]
    if corpus.named is not None:
        found["naive"] = _naive((corpus.named[rows] == place).astype(float), regressors, question)
    if not drawn.any():
        found["reason"] = NOT_DRAWN if not corpus.drawn.any() else "no labelled row"
        return found
    try:
        result = estimated(
            question.solver,
            question.contrast,
            _sides(people, regressors, question),
            None if model is None else _sides(model, regressors, question),
            corpus.design(rows),
            drawn,
            is_share=question.kind == "share",
            prior_power=prior,
        )
    except Undefined as error:
        found["reason"] = str(error)
        return found
    found["value"], found["people_only"]["value"] = result.corrected.value, result.people_only.value
    found["power"] = result.corrected.power
    found["pooled"] = prior is not None and result.corrected.power > 0
    if drawn.all():
        found["reason"] = "every row is labelled: the figure is exact"
    elif result.n_units < FEWEST_UNITS:
        unit = "rows" if corpus.kind == "rows" else "groups"
        found["reason"] = f"{result.n_units} drawn {unit}, fewer than {FEWEST_UNITS}"
        return found
    _fill(found, result.corrected)
    _fill(found["people_only"], result.people_only)
    return found


def _fill(figure: Estimate | PeopleOnly, interval: Interval) -> None:
    figure["low"], figure["high"] = interval.low, interval.high


def _sides(label: Floats, regressors: Floats, question: Question) -> Sides:
    """Return outcome and regressors, the label on the side where the question has it."""
    if question.outcome is None:
        return Sides(label, regressors)
    return Sides(question.outcome[question.rows], np.column_stack([regressors, label]))


def _naive(label: Floats, regressors: Floats, question: Question) -> float | None:
    try:
        outcome, sides = _sides(label, regressors, question)
        return float(
            question.contrast @ question.solver(outcome, sides, np.ones(len(outcome))).coefficients
        )
    except Undefined:
        return None


def _column(corpus: Corpus, name: str) -> "pd.Series[Any]":
    if name not in corpus.frame:
        raise BadInput(
            f"expected the column {name!r}, found {', '.join(map(str, corpus.frame.columns))}"
        )
    return corpus.frame[name]


def _has(words: "pd.Series[Any]", value: str) -> Bools:
    return np.asarray((words == value).fillna(False), dtype=np.bool_)


def _time(values: "pd.Series[Any]", name: str) -> tuple[Floats, str]:
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().sum() == values.notna().sum():
        return numbers.to_numpy(dtype=float), f"per unit of {name}"
    dates = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
    wrong = (dates.isna() & values.notna()).to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BadInput(
            f"row {row + 1}: expected a number or a date as {name}, found {values.iloc[row]!r}"
        )
    days = (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    return np.asarray(days, dtype=np.float64) / DAYS, "per year"


def _terms(values: "pd.Series[Any]", name: str) -> dict[str, Floats]:
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().sum() == values.notna().sum():
        found = numbers.to_numpy(dtype=float)  # about its mean: the intercept takes the difference
        return {name: found - (np.nanmean(found) if numbers.notna().any() else 0.0)}
    words = values.astype("string")
    missing = words.isna().to_numpy()
    return {
        f"{name}={value}": np.where(missing, np.nan, _has(words, value))
        for value in sorted(words.dropna().unique())[1:]
    }
