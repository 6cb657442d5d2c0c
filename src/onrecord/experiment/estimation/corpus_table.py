"""The rows of a corpus as an estimate needs them: labels, predictions and who was drawn, checked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from onrecord.core.errors import BadInput
from onrecord.experiment.estimation.design import Bools, Design, Floats, Ints, Kind, drawn_design

UNLABELLED = -1
PROBABILITY = "p_"  # the beginning of a probability column's name


@dataclass(frozen=True)
class Corpus:
    """The n rows of a corpus and K labels.

    ``label`` (n,) numbers people's labels, -1 where there is none; ``predicted`` (n, K) is the model's probability
    of each label, or 1 for the label it predicts, None without a model; ``named`` (n,) numbers the predicted label;
    ``drawn`` (n,) marks the labelled rows of a probability sample; ``group`` (n,) numbers the groups.
    """

    frame: pd.DataFrame
    labels: Sequence[str]
    label: Ints
    predicted: Floats | None
    named: Ints | None
    drawn: Bools
    probability: Floats
    group: Ints
    stratum: Ints | None
    kind: Kind | None

    def design(self, rows: Bools) -> Design:
        """Return the design of the drawn rows among ``rows`` (n,), read off the whole corpus."""
        stratum = None if self.stratum is None else self.stratum[rows]
        return drawn_design(
            self.drawn[rows], self.probability[rows], self.group[rows], stratum, self.kind
        )


def read_corpus(
    frame: pd.DataFrame,
    *,
    labels: Sequence[str] | None = None,
    stratum: str | None = None,
    drawn: Kind | None = None,
) -> Corpus:
    """Return the corpus of a data frame, one row a sentence; raises BadInput naming row and column at fault.

    Columns: ``label`` (null where no person labelled the row), ``predicted`` (a label) or a ``p_LABEL`` column a
    label, ``group`` (null: a group of its own), ``inclusion_probability`` (of the row's being labelled).
    ``labels`` is their order; by default sorted. ``stratum`` names a column within whose values rows were drawn
    singly; ``drawn`` says how the sample was drawn, by default it is read off the labels.
    """
    for column in [c for c in ("label", stratum) if c and c not in frame]:
        raise BadInput(
            f"expected the column {column!r}, found {', '.join(map(str, frame.columns))}"
        )
    if not len(frame):
        raise BadInput("expected rows, found none")
    given = frame["label"]
    known = given.notna().to_numpy()
    soft = [str(c)[len(PROBABILITY) :] for c in frame.columns if str(c).startswith(PROBABILITY)]
    found = {str(v) for v in given[known]} | set(soft)
    if "predicted" in frame:
        found |= {str(v) for v in frame["predicted"].dropna()}
    names = sorted(found) if labels is None else list(labels)
    if unknown := sorted(found - set(names)):
        raise BadInput(f"label {unknown[0]!r} is not among labels={','.join(names)}")
    if len(names) < 2:
        raise BadInput(f"expected two labels or more, found {', '.join(names) or 'none'}")
    code = {name: i for i, name in enumerate(names)}
    label = np.full(len(frame), UNLABELLED, dtype=np.int64)
    label[known] = [code[str(v)] for v in given[known]]
    predicted, named = _predictions(frame, names, code, soft)
    probability = _numbers(frame, "inclusion_probability")
    group = (
        frame["group"] if "group" in frame else pd.Series([None] * len(frame), index=frame.index)
    )
    own = pd.Series(range(len(frame)), index=frame.index)
    group_code = pd.factorize(group.astype("string").fillna("row " + own.astype("string")))[0]
    strata = (
        None
        if stratum is None
        else pd.factorize(frame[stratum].astype("string"), use_na_sentinel=False)[0]
    )
    is_drawn = known & np.isfinite(probability)
    wrong = is_drawn & ~((probability > 0) & (probability <= 1))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BadInput(
            f"row {row + 1}: expected an inclusion_probability above 0 and at most 1, found {probability[row]:g}"
        )
    corpus = Corpus(
        frame.reset_index(drop=True), names, label, predicted, named, is_drawn, probability,
        group_code.astype(np.int64), None if strata is None else strata.astype(np.int64), drawn,
    )  # fmt: skip
    if drawn is None and is_drawn.any():
        kind = corpus.design(np.ones(len(frame), dtype=bool)).kind
        return Corpus(**{**vars(corpus), "kind": kind})
    return corpus


def _predictions(
    frame: pd.DataFrame, names: Sequence[str], code: dict[str, int], soft: Sequence[str]
) -> tuple[Floats | None, Ints | None]:
    """Return the model's probabilities (n, K) and its label (n,); None where the table has no predictions."""
    if soft:
        if missing := sorted(set(names) - set(soft)):
            raise BadInput(
                f"expected the column '{PROBABILITY}{missing[0]}' beside the other probabilities"
            )
        chances = np.column_stack([_numbers(frame, PROBABILITY + name) for name in names])
        wrong = ~(
            np.isfinite(chances).all(axis=1)
            & (chances >= 0).all(axis=1)
            & (chances <= 1).all(axis=1)
        )
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise BadInput(
                f"row {row + 1}: expected probabilities from 0 to 1, found {chances[row].tolist()}"
            )
        if "predicted" not in frame:
            return chances, chances.argmax(axis=1)
    elif "predicted" not in frame:
        return None, None
    if frame["predicted"].isna().any():
        row = int(np.flatnonzero(frame["predicted"].isna())[0])
        raise BadInput(f"row {row + 1}: expected a predicted label in every row, found none")
    named = np.array([code[str(v)] for v in frame["predicted"]], dtype=np.int64)
    return (chances if soft else np.eye(len(names))[named]), named


def _numbers(frame: pd.DataFrame, column: str) -> Floats:
    """Return a column as floats, NaN where it is null or absent; raises BadInput for what is no number."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    values = pd.to_numeric(frame[column], errors="coerce")
    wrong = (values.isna() & frame[column].notna()).to_numpy()
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BadInput(
            f"row {row + 1}: expected a number as {column}, found {frame[column].iloc[row]!r}"
        )
    return values.to_numpy(dtype=float)
