"""How the labelled rows were drawn, and the variance that the drawing gives a sum over them.

The corpus is the population: what varies from one sample to the next is which rows people labelled. Letters:
n rows of the corpus, m labelled rows, U drawn units (groups or rows), H strata.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from onrecord.core.errors import BadInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Kind = Literal["groups", "rows", "two_stage"]

FAR = 4.0  # standard deviations by which too few groups are touched for rows that were drawn singly


@dataclass(frozen=True)
class Design:
    """The drawn units, one entry a labelled row unless said otherwise.

    ``unit`` (m,) numbers the drawn units from 0, ``weight`` (m,) is 1 over the inclusion probability,
    ``open_share`` (U,) is 1 less the unit's inclusion probability (the finite population correction) and
    ``stratum`` (U,) numbers the strata, all 0 where none is named.
    """

    kind: Kind
    unit: Ints
    weight: Floats
    open_share: Floats
    stratum: Ints

    @property
    def n_units(self) -> int:
        """The number of drawn units."""
        return len(self.open_share)

    def totals(self, values: Floats) -> Floats:
        """Return sums over each unit's rows: (U, …) from (m, …)."""
        summed: Floats = np.zeros((self.n_units, *values.shape[1:]))
        np.add.at(summed, self.unit, values)
        return summed

    def centred(self, influences: Floats) -> Floats:
        """Return unit influences (U,) less their stratum's mean, scaled for the degree of freedom it costs.

        Without strata they add up to 0 already, and the leverage correction has scaled them. A stratum with one
        unit keeps its influence whole.
        """
        if not self.stratum.any():
            return influences
        size = np.bincount(self.stratum)
        mean = np.bincount(self.stratum, influences) / size
        several = size > 1
        scale = np.sqrt(np.where(several, size / np.maximum(size - 1, 1), 1.0))
        return np.asarray(
            (influences - np.where(several, mean, 0.0)[self.stratum]) * scale[self.stratum]
        )

    def variance(self, centred: Floats) -> float:
        """Return the variance of a sum from its centred unit totals (U,)."""
        return float((self.open_share * centred**2).sum())


def drawn_design(
    labelled: Bools, probability: Floats, group: Ints, stratum: Ints | None, kind: Kind | None
) -> Design:
    """Return the design of a table: ``labelled``, ``probability`` and ``group`` have shape (n,).

    ``kind`` None reads it off the labels: ``groups`` where every group with a labelled row is labelled whole,
    ``two_stage`` where labels sit in far fewer groups than rows drawn singly would touch, else ``rows``.
    A named stratum means rows drawn singly within strata. Raises BadInput for a probability outside (0, 1].
    """
    found = probability[labelled]
    if not ((found > 0) & (found <= 1)).all():
        bad = found[~((found > 0) & (found <= 1))][0]
        raise BadInput(f"inclusion_probability: expected above 0 and at most 1, found {bad!r}")
    kind = kind or ("rows" if stratum is not None else _kind(labelled, probability, group))
    members = np.arange(len(group)) if kind == "rows" else group
    unit = np.unique(members[labelled], return_inverse=True)[1].astype(np.int64)
    first = np.unique(unit, return_index=True)[1]
    # Of two stages a row's probability does not tell its group's: no correction, which is on the safe side.
    open_share = np.ones(len(first)) if kind == "two_stage" else 1 - found[first]
    named = np.zeros(len(group)) if stratum is None else stratum
    strata = np.unique(named[labelled][first], return_inverse=True)[1].astype(np.int64)
    return Design(kind, unit, 1 / found, open_share, strata)


def _kind(labelled: Bools, probability: Floats, group: Ints) -> Kind:
    size = np.bincount(group)
    done = np.bincount(group, labelled, len(size))
    touched = done > 0
    low = np.full(len(size), np.inf)
    high = np.full(len(size), -np.inf)
    np.minimum.at(low, group[labelled], probability[labelled])
    np.maximum.at(high, group[labelled], probability[labelled])
    if (done[touched] == size[touched]).all() and np.allclose(low[touched], high[touched]):
        return "groups"
    missed = np.zeros(len(size))
    np.add.at(missed, group, np.log1p(-np.minimum(_everywhere(labelled, probability), 1 - 1e-12)))
    touch = 1 - np.exp(missed)
    spread = np.sqrt((touch * (1 - touch)).sum())
    return "two_stage" if touched.sum() < touch.sum() - FAR * spread - 1 else "rows"


def _everywhere(labelled: Bools, probability: Floats) -> Floats:
    """Return the probabilities of all rows; where one is not given, the share of rows that are labelled."""
    known = np.isfinite(probability) & (probability > 0)
    return np.where(known, probability, labelled.mean())
