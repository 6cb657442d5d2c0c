"""``curve``: how the score grows with the number of sentences, and what more of them would give."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
from omegaconf import DictConfig, OmegaConf

from onrecord.core.errors import BadInput
from onrecord.core.files import write_json, write_text
from onrecord.core.html import render
from onrecord.core.intervals import Floats, Ints, format_score, percentile_interval, too_few_groups
from onrecord.core.workspace import Workspace
from onrecord.experiment import runs, scoring
from onrecord.experiment.cross_validation import grouped_folds
from onrecord.experiment.data import Examples, read_examples
from onrecord.experiment.models.embeddings import attach_vectors
from onrecord.experiment.models.registry import (
    ModelSpec,
    fit_model,
    label_probabilities,
    make_model,
    wants_vectors,
)
from onrecord.experiment.models.text_features import NO_CACHE, cached_features

EXPONENTS = np.geomspace(0.05, 2.0, 60)
WIDTH, HEIGHT = 720, 400  # of the plot, in pixels
MARGIN = {"left": 60, "right": 20, "top": 40, "bottom": 50}


class Point(TypedDict):
    """The score at a number of training sentences, or after ``more``: then by the power law ``fit``, a, b and c."""

    size: int
    value: float
    low: float | None
    high: float | None
    more: NotRequired[int]
    fit: NotRequired[dict[str, float]]


class Curve(TypedDict):
    """``curve.json``: the curve and what it is of. ``reason`` says why there are no intervals."""

    model: str
    learner: str
    data: str
    origin: str
    seed: int
    measure: str
    n: int
    n_groups: int
    repeats: int
    reason: str | None
    points: list[Point]
    extrapolation: list[Point]


def measure_curve(
    examples: Examples,
    fit: Callable[[Examples], Any],
    shares: Sequence[float],
    *,
    folds: int,
    repeats: int,
    seed: int,
) -> tuple[Floats, Ints]:
    """Return the sizes trained on and what was predicted at each.

    Sizes are the mean number of training sentences, shape (shares,). Predictions have shape (repeats,
    shares, rows): each row is predicted out of fold by a model trained on a share of the other groups,
    drawn again in each repeat and nested, so that a larger share holds the smaller. Raises BadInput where a
    share leaves fewer than two labels to learn.
    """
    groups = examples.groups
    sizes = np.zeros(len(shares))
    predicted = np.zeros((repeats, len(shares), len(groups)), dtype=np.int64)
    for repeat in range(repeats):
        cut = grouped_folds(examples, folds, seed + repeat)
        for number, (train, test) in enumerate(cut):
            names = np.unique(groups[train].astype(str))
            np.random.default_rng([seed, repeat, number]).shuffle(names)
            for place, share in enumerate(shares):
                kept = set(names[: max(1, round(share * len(names)))])
                rows = train[np.isin(groups[train].astype(str), list(kept))]
                if len(set(examples.labels[rows].tolist())) < 2:
                    raise BadInput(
                        f"shares: {share} of the groups leaves {len(rows)} sentences of one label: start higher"
                    )
                model = fit(examples.take(rows))
                found = label_probabilities(model, examples.frame.iloc[test], len(examples.names))
                predicted[repeat, place, test] = found.argmax(axis=1)
                sizes[place] += len(rows) / (len(cut) * repeats)
    return sizes, predicted


def fit_power_law(sizes: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (a, b, c) of ``a - b * n ** -c`` fitted to each row of ``values``, shape (rows, sizes).

    Least squares weighted by n; c is the best of a grid, a is at most 1 and b at least 0. The inverse
    power law is how classifiers' scores usually grow (Cortes et al. 1994; Figueroa et al. 2012).
    """
    weight = sizes / sizes.sum()
    best = np.full(len(values), np.inf)
    found = np.zeros((3, len(values)))
    for c in EXPONENTS:
        x = sizes**-c
        centre_x, centre_y = (weight * x).sum(), values @ weight
        spread = (weight * (x - centre_x) ** 2).sum()
        slope = ((values - centre_y[:, None]) * (weight * (x - centre_x))).sum(axis=1) / spread
        b = np.maximum(-slope, 0.0)
        a = centre_y + b * centre_x
        over = a > 1
        b[over] = ((1 - values[over]) * weight * x).sum(axis=1) / (weight * x**2).sum()
        a[over] = 1.0
        error = (weight * (a[:, None] - b[:, None] * x - values) ** 2).sum(axis=1)
        better = error < best
        best[better] = error[better]
        found[:, better] = np.stack([a, b, np.full(len(values), c)])[:, better]
    return found[0], found[1], found[2]


def resampled_curves(
    gold: Ints,
    predicted: Ints,
    groups: Sequence[str],
    labels: int,
    measure: scoring.Measure,
    *,
    replicates: int,
    seed: int,
) -> tuple[Floats, Floats]:
    """Return the curve, shape (sizes,), and its bootstrap replicates, shape (replicates, sizes).

    A replicate draws groups with replacement, the same ones for every size, and one of the repeats for
    each size, so that it holds the chance of the test sentences and of the training sentences.
    """  # fmt: skip
    repeats, sizes, _ = predicted.shape
    counts = np.stack(
        [
            np.hstack([scoring.group_confusions(gold, predicted[r, s], groups, labels) for s in range(sizes)])
            for r in range(repeats)
        ]
    )  # fmt: skip
    shape = (sizes, labels, labels)
    whole = measure(counts.sum(axis=1).reshape(repeats, *shape).astype(float)).mean(axis=0)
    drawn = scoring.drawn_confusions(np.hstack(list(counts)), replicates, seed)
    values = measure(drawn.reshape(replicates, repeats, *shape))
    generator = np.random.default_rng(seed + 1)
    pick = generator.integers(0, repeats, size=(replicates, sizes))
    chosen = np.take_along_axis(values, pick[:, None, :], axis=1)[:, 0]
    return whole, chosen[~np.isnan(chosen).any(axis=1)]


def extrapolate(sizes: Floats, curve: Floats, drawn: Floats, more: int) -> Point:
    """Return the score to expect after ``more`` sentences, with an interval from the replicates' own fits."""
    size = float(sizes[-1] + more)
    a, b, c = (float(part[0]) for part in fit_power_law(sizes, curve[None]))
    drawn_a, drawn_b, drawn_c = fit_power_law(sizes, drawn)
    low, high = percentile_interval(drawn_a - drawn_b * size**-drawn_c)
    return Point(
        more=more, size=round(size), value=a - b * size**-c, low=low, high=high, fit={"a": a, "b": b, "c": c}
    )  # fmt: skip


def make_curve(
    examples: Examples,
    spec: ModelSpec,
    shares: Sequence[float],
    more: Sequence[int],
    *,
    soft: bool,
    measure: str,
    folds: int,
    repeats: int,
    replicates: int,
    seed: int,
) -> Curve:
    """Return the points with intervals, the fit and what more sentences would give."""
    measured = scoring.measures(examples.names, examples.labels).get(measure)
    if measured is None:
        raise BadInput(f"measure={measure}: not defined for the labels {', '.join(examples.names)}")
    rising = sorted(set(shares)) == list(shares)
    if len(shares) < 3 or not rising or not 0 < shares[0] <= shares[-1] <= 1:
        raise BadInput(
            f"shares: expected three or more, rising, above 0 up to 1, found {list(shares)}"
        )
    sizes, predicted = measure_curve(
        examples, lambda part: fit_model(make_model(spec, seed), part, soft=soft), shares,
        folds=folds, repeats=repeats, seed=seed,
    )  # fmt: skip
    groups = list(examples.groups)
    curve, drawn = resampled_curves(
        examples.labels, predicted, groups, len(examples.names), measured, replicates=replicates, seed=seed
    )  # fmt: skip
    reason = too_few_groups(len(set(groups)))
    if reason:
        drawn = drawn[:0]
    points = []
    for i, size in enumerate(sizes):
        low, high = percentile_interval(drawn[:, i])
        points.append(Point(size=round(float(size)), value=float(curve[i]), low=low, high=high))
    return Curve(
        model=str(spec.get("name", "model")), learner=runs.learner_hash(spec, soft), data=examples.signature,
        origin=examples.origin, seed=seed, measure=measure, n=len(groups), n_groups=len(set(groups)),
        repeats=repeats, reason=reason, points=points, extrapolation=[extrapolate(sizes, curve, drawn, m) for m in more],
    )  # fmt: skip


def main(cfg: DictConfig) -> None:
    """Write curve.json and curve.svg into the workspace; print what more sentences would give."""
    workspace = Workspace(Path(cfg.workspace))
    examples = read_examples(workspace.require(Workspace.dataset)).development()
    spec: Any = OmegaConf.to_container(cfg.model, resolve=True)
    make_model(spec)  # what cannot be made is refused before anything is computed
    cache = cfg.cache if cfg.cached else NO_CACHE
    if wants_vectors(spec):
        examples = attach_vectors(examples, str(cfg.encoder), cache)
    with cached_features(cache):
        curve = make_curve(
            examples, spec, [float(s) for s in cfg.shares], [int(m) for m in cfg.more], soft=bool(cfg.soft),
            measure=str(cfg.measure), folds=int(cfg.folds), repeats=int(cfg.repeats),
            replicates=int(cfg.replicates), seed=int(cfg.seed),
        )  # fmt: skip
    write_json(workspace.curve, curve)
    write_text(workspace.curve_plot, curve_svg(curve))
    print(summary(curve))
    print(f"  wrote {workspace.curve} and {workspace.curve_plot}; `onrecord evaluate` shows it")


def summary(curve: Curve) -> str:
    """Return a learning curve in a few lines for a terminal."""
    lines = [f"{curve['model']}, {curve['measure']} out of fold by number of training sentences"]
    lines += [f"  {point['size']:>7,}  {format_score(point)}" for point in curve["points"]]
    lines += [
        f"  {point['more']:,} more sentences would give about {format_score(point)}"
        for point in curve["extrapolation"]
    ]
    if curve["reason"]:
        lines.append(f"  no intervals: {curve['reason']}")
    return "\n".join(lines)


def curve_svg(curve: Curve) -> str:
    """Return a picture of a learning curve: points, their intervals, the fit and its extrapolation."""
    points = [*curve["points"], *curve["extrapolation"]]
    first, most = points[0]["size"], max(p["size"] for p in points)
    ends = [v for p in points for v in (p["value"], p["low"], p["high"]) if v is not None]
    step = 0.05 if max(ends) - min(ends) < 0.4 else 0.1
    low, high = int(min(ends) / step) * step, (int(max(ends) / step) + 1) * step
    across = WIDTH - MARGIN["left"] - MARGIN["right"]
    up = HEIGHT - MARGIN["top"] - MARGIN["bottom"]
    line = []
    if curve["extrapolation"]:
        fit = curve["extrapolation"][0]["fit"]
        sizes = [first + (most - first) * i / 80 for i in range(81)]
        line = [(size, fit["a"] - fit["b"] * size ** -fit["c"]) for size in sizes]
    picture = render(
        "learning_curve.svg", curve=curve, line=line, width=WIDTH, height=HEIGHT, margin=MARGIN,
        ticks=[low + i * step for i in range(round((high - low) / step) + 1)],
        x=lambda size: round(MARGIN["left"] + across * size / most, 1),
        y=lambda value: round(MARGIN["top"] + up * (high - value) / (high - low), 1),
    )  # fmt: skip
    return str(picture)
