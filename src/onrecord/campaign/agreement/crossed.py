"""Alpha without each annotator, and its interval for other annotators like these.

The interval over groups holds for these annotators. Over annotators and groups crossed, the variance is that of the
groups plus that of the annotators, less that of their cells, which both hold (Cameron, Gelbach & Miller 2011; Owen
2007). Letters: N annotations, T tasks, K labels, A annotators.
"""

import numpy as np

from onrecord.campaign.agreement.coefficients import Metric, alpha, lowest
from onrecord.campaign.agreement.long_table import Answers
from onrecord.core.agreement_report import OtherAnnotators
from onrecord.core.intervals import Floats, Ints, interval_around, jackknife_error

FEWEST_ANNOTATORS = 3  # with two, alpha without one of them does not exist


def alpha_without(
    answers: Answers, counts: Floats, of: Metric, units: Ints, n_units: int
) -> Floats:
    """Return alpha without each unit's annotations, shape (n_units,); a unit has at most one annotation a task.

    ``units`` (N,) numbers the unit of each annotation. A task left with one annotation pairs with nothing.
    """
    n = counts.sum(axis=1)
    pairable = n >= 2
    far = counts @ of.distance  # (T, K): of a label, its distance to all annotations of the task
    whole = np.where(pairable, (far * counts).sum(axis=1), 0.0)
    disagreement = float((whole / np.maximum(n - 1, 1)).sum())
    marginals = counts[pairable].sum(axis=0)
    kept = pairable[answers.task]
    task, label, unit = answers.task[kept], answers.label[kept], units[kept]
    left = n[task] - 1
    now = np.where(left > 1, (whole[task] - 2 * far[task, label]) / np.maximum(left - 1, 1), 0.0)
    lost = np.bincount(unit, whole[task] / left - now, n_units).astype(np.float64)
    gone = np.zeros((n_units, counts.shape[1]))
    np.add.at(gone, (unit, label), 1.0)
    last = left == 1  # its other annotation goes too
    np.add.at(gone, unit[last], counts[task[last]] - np.eye(counts.shape[1])[label[last]])
    return alpha(marginals - gone, np.asarray(disagreement - lost), of.distance)


def without_annotators(answers: Answers, counts: Floats, of: Metric) -> dict[str, float | None]:
    """Return alpha without each annotator; None where it is undefined."""
    without = alpha_without(answers, counts, of, answers.annotator, len(answers.annotators))
    return {
        name: None if np.isnan(value) else float(value)
        for name, value in sorted(zip(answers.annotators, without, strict=True))
    }


def for_others(
    answers: Answers, counts: Floats, of: Metric, value: float, without_group: Floats
) -> OtherAnnotators:
    """Return alpha's interval over annotators and groups crossed, ``value`` being alpha, or the reason for none."""
    people = len(answers.annotators)
    found: OtherAnnotators = {"low": None, "high": None, "n_annotators": people}
    if people < FEWEST_ANNOTATORS:
        return found | {"reason": f"{people} annotators, fewer than {FEWEST_ANNOTATORS}"}
    without = alpha_without(answers, counts, of, answers.annotator, people)
    _, cells = np.unique(
        answers.group[answers.task] * people + answers.annotator, return_inverse=True
    )
    of_cells = alpha_without(answers, counts, of, cells, int(cells.max()) + 1)
    if np.isnan(without).any() or np.isnan(of_cells).any():
        return found | {"reason": "undefined without one of the annotators"}
    groups, annotators, both = (
        jackknife_error(part) ** 2 for part in (without_group, without, of_cells)
    )
    whole = max(groups + annotators - both, groups)
    units = float(min(len(without_group), people))
    if whole > 0:  # Satterthwaite's degrees of freedom
        units = 1 + whole**2 / (groups**2 / (len(without_group) - 1) + annotators**2 / (people - 1))
    floor = lowest(counts[counts.sum(axis=1) >= 2].sum(axis=0))
    found["low"], found["high"] = interval_around(
        value, float(np.sqrt(whole)), units, "coefficient", floor
    )
    return found
