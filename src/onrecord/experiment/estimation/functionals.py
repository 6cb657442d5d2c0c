"""What is estimated, as solutions of weighted estimating equations, and how each row pulls on them.

A share is a regression on a constant, a difference one on an indicator, a trend one on time. For each, the
same equations are solved three times: with people's labels on the sample, with predictions on the sample,
and with predictions on the corpus. Letters: n rows, p coefficients.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from onrecord.experiment.estimation.design import Floats

ITERATIONS = 50


class Undefined(Exception):
    """The equations have no finite solution on these rows; the message says why, for the reader."""


@dataclass(frozen=True)
class Solution:
    """The solution of estimating equations over some rows.

    ``coefficients`` (p,); ``scores`` (n, p): each row's weighted term in the equations; ``bread`` (p, p): minus
    the derivative of their sum, so that a row's influence is ``bread⁻¹ scores``; ``pull`` (n, p, p) is summed by
    units for the leverage correction and is given as its factors ``left`` (n, p) and ``right`` (n, p).
    """

    coefficients: Floats
    scores: Floats
    bread: Floats
    left: Floats
    right: Floats


# Takes outcomes (n,), regressors (n, p) and weights (n,).
Solver = Callable[[Floats, Floats, Floats], Solution]


def linear(outcome: Floats, regressors: Floats, weight: Floats) -> Solution:
    """Return weighted least squares; raises Undefined where the regressors are collinear."""
    weighted = regressors * weight[:, None]
    bread = weighted.T @ regressors
    coefficients = _solved(bread, weighted.T @ outcome)
    scores = weighted * (outcome - regressors @ coefficients)[:, None]
    return Solution(coefficients, scores, bread, weighted, regressors)


def logistic(outcome: Floats, regressors: Floats, weight: Floats) -> Solution:
    """Return the weighted logistic regression of outcomes in [0, 1], by Newton's method.

    Raises Undefined where the outcomes are separated (a coefficient would be infinite).
    """
    coefficients = np.zeros(regressors.shape[1])
    total = weight.sum()
    for _ in range(ITERATIONS):
        mean = 1 / (1 + np.exp(-np.clip(regressors @ coefficients, -30, 30)))
        scores = regressors * (weight * (outcome - mean))[:, None]
        weighted = regressors * (weight * mean * (1 - mean))[:, None]
        bread = weighted.T @ regressors
        gradient = scores.sum(axis=0)
        if np.abs(gradient).max() < 1e-8 * total:
            if np.abs(regressors @ coefficients).max() > 15:
                break
            return Solution(coefficients, scores, bread, weighted, regressors)
        step = _solved(bread, gradient)
        coefficients = coefficients + step * min(1.0, 5 / max(np.abs(step).max(), 1e-12))
    raise Undefined("the labelled rows separate the label perfectly: no finite coefficient")


def _solved(bread: Floats, right: Floats) -> Floats:
    scale = np.sqrt(np.clip(np.diag(bread), 1e-300, None))
    scaled = bread / np.outer(scale, scale)
    if np.linalg.cond(scaled) > 1e10:
        raise Undefined(
            "a column does not vary over the labelled rows, or two columns say the same"
        )
    return np.asarray(np.linalg.solve(scaled, right / scale) / scale)
