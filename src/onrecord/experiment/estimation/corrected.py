"""Estimates that the labels of a probability sample correct for a model's errors, with their intervals.

The estimator is a difference of three solutions: ``people on the sample − power x (model on the sample − model
on the corpus)``. Any fixed power is unbiased over samples: 0 is people alone, 1 the model plus its correction.
The best power is estimated for each drawn unit from the other units (cross-fitting), and pulled to 0 where the
sample does not show that the model helps. Variances are those of the drawing (linearised over drawn units), with a
leverage correction for few units (CR2) and Student's t.

Sources: Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling; Angelopoulos, Duchi and Zrnic
(2023), PPI++; Egami et al. (2023), design-based supervised learning; Bell and McCaffrey (2002) for few clusters;
Korn and Graubard (1998) for shares. Coverage: benchmarks/estimates.md.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from onrecord.experiment.estimation.design import Bools, Design, Floats
from onrecord.experiment.estimation.functionals import Solution, Solver

LEVEL = 0.95
NORMAL = float(stats.norm.ppf((1 + LEVEL) / 2))
FEWEST_UNITS = 6  # drawn units that an interval needs
FEWEST_FREEDOM = 5.0  # few units estimate the excess kurtosis too badly to go lower on its account
FEWEST_DESIGN_FREEDOM = (
    3.0  # where one unit dwarfs the others; simulated over articles of unequal length
)
POOLED_UNITS = 20  # the units that the whole corpus counts for in a domain's power
UNSEEN_ERRORS = (
    0.5  # errors of the model that the sample may have missed: a sample without one proves little
)


class Sides(NamedTuple):
    """Both sides of the estimating equations over n rows: outcomes (n,) and regressors (n, p)."""

    outcome: Floats
    regressors: Floats


@dataclass(frozen=True)
class Interval:
    """A value with its 95 % interval; ``power`` says how much of the model was used, 0 for people alone."""

    value: float
    low: float
    high: float
    power: float = 0.0


@dataclass(frozen=True)
class Estimated:
    """One coefficient as people's labels alone give it and as the model helps; ``n_units`` drawn units bear on it."""

    people_only: Interval
    corrected: Interval
    n_units: int


def estimated(  # noqa: PLR0917
    solver: Solver,
    contrast: Floats,
    people: Sides,
    model: Sides | None,
    design: Design,
    labelled: Bools,
    *,
    is_share: bool = False,
    prior_power: float | None = None,
) -> Estimated:
    """Return the contrast (p,) of the solver's coefficients over the corpus, or over one domain of it.

    ``people`` and ``model`` hold all n rows of the corpus; people's outcomes count where ``labelled`` (n,).
    ``design`` is that of the labelled rows, in their order. ``prior_power`` is the whole corpus's, which a domain's
    leans on. Raises Undefined where the equations have no solution on the labelled rows.
    """
    answers = solver(people.outcome[labelled], people.regressors[labelled], design.weight)
    value = float(contrast @ answers.coefficients)
    pulls = _unit_influences(answers, design, contrast)
    reference = _Reference.of(design, answers, contrast)
    alone = reference.interval(value, pulls, is_share=is_share)
    if model is None:
        return Estimated(alone, alone, reference.n_units)
    everywhere = solver(model.outcome, model.regressors, np.ones(len(labelled)))
    sample = solver(model.outcome[labelled], model.regressors[labelled], design.weight)
    model_pulls = _unit_influences(sample, design, contrast)
    power = _powers(pulls, model_pulls, design, reference.n_units, prior_power)
    left = pulls - power * model_pulls
    unseen = UNSEEN_ERRORS * reference.one_error
    if design.variance(left) + unseen >= design.variance(pulls):
        return Estimated(alone, alone, reference.n_units)
    # The mean power on the whole gap, and each unit's own power on its part of it (linearised).
    gap = float(contrast @ (sample.coefficients - everywhere.coefficients))
    terms = (
        everywhere.scores[labelled]
        * design.weight[:, None]
        @ np.linalg.solve(sample.bread.T, contrast)
    )
    mean = float(power.mean())
    shift = mean * gap + float(((power - mean) * design.totals(terms)).sum())
    corrected = reference.interval(
        value - shift, left, is_share=is_share, unseen=unseen, power=mean
    )
    return Estimated(alone, corrected, reference.n_units)


def _unit_influences(solution: Solution, design: Design, contrast: Floats) -> Floats:
    """Return each unit's influence (U,) on the contrast, corrected for its leverage (CR2), strata centred."""
    values, vectors = np.linalg.eigh(solution.bread)
    root = vectors / np.sqrt(values) @ vectors.T  # the inverse square root of the bread
    blocks = design.totals(solution.left[:, :, None] * solution.right[:, None, :])
    leverage = root @ blocks @ root
    hat, turned = np.linalg.eigh((leverage + leverage.transpose(0, 2, 1)) / 2)
    grown = 1 / np.sqrt(np.maximum(1 - hat, 1e-2))
    scores = design.totals(solution.scores) @ root
    corrected = np.einsum("uij,uj,ukj,uk->ui", turned, grown, turned, scores)
    return design.centred(np.asarray(corrected @ (root @ contrast)))


def _powers(
    people: Floats, model: Floats, design: Design, n_units: int, prior: float | None
) -> Floats:
    """Return each unit's power (U,), from the covariances of influences (U,) over the other ``n_units`` units.

    Without a prior the power is pulled to 0 by how little the other units show that the model helps: none is left
    where the squared t of the slope is 1 or less, as a model that knows nothing has it. With a prior it is
    pulled to that instead, as if that came from POOLED_UNITS more units.
    """
    share = design.open_share
    n = max(n_units - 1, 1)
    parts = (share * people * model, share * model**2, share * people**2)
    cross, own, total = (part.sum() - part for part in parts)
    with np.errstate(divide="ignore", invalid="ignore"):
        if prior is None:
            slope = cross / own
            left = total - cross * slope
            kept = np.where(left <= 1e-12 * total, 1.0, 1 - left / ((n - 1) * cross * slope))
            power = slope * np.clip(kept, 0, 1)
        else:
            extra = POOLED_UNITS * own / n
            power = (cross + extra * prior) / (own + extra)
    return np.where(own > 0, np.nan_to_num(np.maximum(power, 0.0)), 0.0)


@dataclass(frozen=True)
class _Reference:
    """The distribution that the intervals of one contrast refer to.

    ``expected`` (U,): the variance that each unit would contribute if rows erred alike; ``freedom``: its effective
    degrees of freedom; ``one_error``: the variance that one more error of the model would add.
    """

    design: Design
    expected: Floats
    effective: float
    freedom: float
    open_share: float
    one_error: float
    n_units: int

    @classmethod
    def of(cls, design: Design, solution: Solution, contrast: Floats) -> "_Reference":
        lever = solution.left @ np.linalg.solve(solution.bread, contrast)  # (m,)
        # half as if errors within a unit were independent, half as if they were all alike
        expected = (design.totals(lever**2) + design.totals(np.abs(lever)) ** 2) / 2
        whole = float(expected.sum())
        effective = whole**2 / float((expected**2).sum()) if whole > 0 else 1.0
        open_share = float((design.open_share * expected).sum()) / whole if whole > 0 else 1.0
        # a row counts by its bearing on the contrast, not by its weight: errors are no likelier in rarely drawn rows
        bearing = (lever / design.weight) ** 2
        one_error = open_share * float(np.average(lever**2, weights=bearing)) if whole > 0 else 0.0
        n_units = int((expected > 0).sum())
        floor = min(n_units - len(contrast), FEWEST_DESIGN_FREEDOM)
        freedom = max(effective - len(contrast), floor, 1.0)
        return cls(
            design, expected, effective, freedom, open_share, one_error, int((expected > 0).sum())
        )

    def interval(
        self,
        value: float,
        pulls: Floats,
        *,
        is_share: bool,
        unseen: float = 0.0,
        power: float = 0.0,
    ) -> Interval:
        """Return the interval from unit influences (U,); ``unseen`` is added to their variance."""
        variance = self.design.variance(pulls) + unseen
        half = self._t(pulls) * np.sqrt(variance)
        if is_share:
            low, high = self._share_ends(value, variance, half)
            return Interval(min(max(value, 0.0), 1.0), low, high, power)
        return Interval(value, value - half, value + half, power)

    def _t(self, pulls: Floats) -> float:
        """Return the t quantile, at fewer degrees of freedom where a few units make most of the variance."""
        squares = pulls**2
        freedom = self.freedom
        if squares.any():
            uneven = (squares**2).sum() * self.expected.sum() ** 2
            excess = uneven / ((self.expected**2).sum() * squares.sum() ** 2) - 3
            freedom = max(freedom / (1 + max(float(excess), 0.0) / 2), min(freedom, FEWEST_FREEDOM))
        return float(stats.t.ppf((1 + LEVEL) / 2, freedom))

    def _share_ends(self, value: float, variance: float, half: float) -> tuple[float, float]:
        """Return Wilson's interval at the sample size that would give this variance.

        At 0 or 1 there is no spread to go by: a label that none of U units shows may still have a share of up to
        1 − 0.05^(1/U) in the corpus, so no interval has width zero unless every row is labelled.
        """
        spread = value * (1 - value)
        bound = self.open_share * (1 - (1 - LEVEL) ** (1 / max(self.effective, 1.0)))
        if spread <= 0 or variance <= 0:
            return max(0.0, min(value - half, 1 - bound)), min(1.0, max(value + half, bound))
        pull = (half**2 / spread) / (1 + half**2 / spread)  # z² / (n + z²) at that sample size
        centre = value + pull * (0.5 - value)
        ends = np.sqrt(pull * (1 - pull) * spread + pull**2 / 4)
        return max(0.0, float(centre - ends)), min(1.0, float(centre + ends))
