"""``curve``: how the score grows with the number of sentences, and what more of them would give."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from markupsafe import escape
from omegaconf import DictConfig, OmegaConf

from onrecord.core.errors import BadInput
from onrecord.core.files import write_json, write_text
from onrecord.core.intervals import Floats, Ints, format_score, percentile_interval, too_few_groups
from onrecord.core.workspace import Workspace
from onrecord.experiment import runs, scoring
from onrecord.experiment.cross_validation import grouped_folds
from onrecord.experiment.data import Examples, read_examples
from onrecord.experiment.models.embeddings import attach_vectors
from onrecord.experiment.models.registry import (
    fit_model,
    label_probabilities,
    make_model,
    wants_vectors,
)
from onrecord.experiment.models.text_features import NO_CACHE, cached_features

EXPONENTS = np.geomspace(0.05, 2.0, 60)
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 400, 60, 20, 40, 50  # of the plot, in pixels


class Fit(TypedDict):
    """The power law ``a - b * n ** -c``."""

    a: float
    b: float
    c: float


class Point(TypedDict):
    """The score at a number of training sentences, with its 95 % interval."""

    size: int
    value: float
    low: float | None
    high: float | None


class Extrapolation(Point):
    """The score to expect after ``more`` sentences."""

    more: int
    fit: Fit


class Curve(TypedDict):
    """``curve.json``, apart from what it is of. ``reason`` says why there are no intervals."""

    measure: str
    n: int
    n_groups: int
    repeats: int
    reason: str | None
    points: list[Point]
    extrapolation: list[Extrapolation]


class CurveFile(Curve):
    """``curve.json``: a curve, and the learner and data that it is of."""

    model: str
    learner: str
    data: str
    origin: str
    seed: int


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


def extrapolate(sizes: Floats, curve: Floats, drawn: Floats, more: int) -> Extrapolation:
    """Return the score to expect after ``more`` sentences, with an interval from the replicates' own fits."""
    size = float(sizes[-1] + more)
    a, b, c = fit_power_law(sizes, curve[None])
    low_a, low_b, low_c = fit_power_law(sizes, drawn)
    low, high = percentile_interval(low_a - low_b * size**-low_c)
    return Extrapolation(
        more=more, size=round(size), value=float(a[0] - b[0] * size ** -c[0]), low=low, high=high,
        fit=Fit(a=float(a[0]), b=float(b[0]), c=float(c[0])),
    )  # fmt: skip


def make_curve(
    examples: Examples,
    fit: Callable[[Examples], Any],
    shares: Sequence[float],
    more: Sequence[int],
    *,
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
    sizes, predicted = measure_curve(examples, fit, shares, folds=folds, repeats=repeats, seed=seed)
    groups = list(examples.groups)
    curve, drawn = resampled_curves(
        examples.labels, predicted, groups, len(examples.names), measured, replicates=replicates, seed=seed
    )  # fmt: skip
    n_groups = len(set(groups))
    reason = too_few_groups(n_groups)
    if reason:
        drawn = drawn[:0]
    points = []
    for i, size in enumerate(sizes):
        low, high = percentile_interval(drawn[:, i])
        points.append(Point(size=round(float(size)), value=float(curve[i]), low=low, high=high))
    return Curve(
        measure=measure, n=len(groups), n_groups=n_groups, repeats=repeats, reason=reason,
        points=points, extrapolation=[extrapolate(sizes, curve, drawn, m) for m in more],
    )  # fmt: skip


def main(cfg: DictConfig) -> None:
    """Write curve.json and curve.svg into the workspace; print what more sentences would give."""
    workspace = Workspace(Path(cfg.workspace))
    examples = read_examples(workspace.require(Workspace.dataset)).development()
    spec: Any = OmegaConf.to_container(cfg.model, resolve=True)
    soft, seed = bool(cfg.soft), int(cfg.seed)
    make_model(spec)  # what cannot be made is refused before anything is computed
    cache = cfg.cache if cfg.cached else NO_CACHE
    if wants_vectors(spec):
        examples = attach_vectors(examples, str(cfg.encoder), cache)
    with cached_features(cache):
        found = make_curve(
            examples, lambda part: fit_model(make_model(spec, seed), part, soft=soft),
            [float(s) for s in cfg.shares], [int(m) for m in cfg.more], measure=str(cfg.measure),
            folds=int(cfg.folds), repeats=int(cfg.repeats), replicates=int(cfg.replicates), seed=seed,
        )  # fmt: skip
    curve = CurveFile(
        model=str(spec.get("name", "model")), learner=runs.learner_hash(spec, soft),
        data=examples.signature, origin=examples.origin, seed=seed, **found,
    )  # fmt: skip
    write_json(workspace.curve, curve)
    write_text(workspace.curve_plot, curve_svg(curve))
    print(summary(curve))
    print(f"  wrote {workspace.curve} and {workspace.curve_plot}; `onrecord evaluate` shows it")


def summary(curve: CurveFile) -> str:
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


def curve_svg(curve: CurveFile) -> str:
    """Return a picture of a learning curve: points, their intervals, the fit and its extrapolation."""
    points, further = curve["points"], curve["extrapolation"]
    both: list[Point] = [*points, *further]
    most = max(p["size"] for p in both)
    ends = [v for p in both for v in (p["value"], p["low"], p["high"]) if v is not None]
    low, high = min(ends), max(ends)
    step = 0.05 if high - low < 0.4 else 0.1
    low, high = int(low / step) * step, (int(high / step) + 1) * step

    def x(size: float) -> float:
        return round(float(LEFT + (WIDTH - LEFT - RIGHT) * size / most), 1)

    def y(value: float) -> float:
        return round(float(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)), 1)

    drawn = []
    for i in range(round((high - low) / step) + 1):
        value = low + i * step
        drawn.append(f'<path class="grid" d="M{LEFT} {y(value)}H{WIDTH - RIGHT}"/>')
        drawn.append(
            f'<text x="{LEFT - 8}" y="{y(value) + 4}" text-anchor="end">{value:.2f}</text>'
        )
    for point in both:
        drawn.append(f'<text x="{x(point["size"])}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{point["size"]:,}</text>')  # fmt: skip
    if further:
        fit = further[0]["fit"]
        first = points[0]["size"]
        sizes = [first + (most - first) * i / 80 for i in range(81)]
        path = " ".join(f"{x(n)},{y(fit['a'] - fit['b'] * n ** -fit['c'])}" for n in sizes)
        drawn.append(f'<polyline class="fit" points="{path}"/>')
    for kind, part in (("measured", points), ("extrapolated", further)):
        for point in part:
            if point["low"] is not None and point["high"] is not None:
                drawn.append(f'<path class="{kind}" d="M{x(point["size"])} {y(point["low"])}V{y(point["high"])}"/>')  # fmt: skip
            drawn.append(f'<circle class="{kind}" cx="{x(point["size"])}" cy="{y(point["value"])}" r="4"/>')  # fmt: skip
    title = escape(f"{curve['model']}: {curve['measure']} by number of training sentences")
    words = "; ".join(f"{p['size']}: {p['value']:.3f}" for p in both)
    style = (
        "text{font:12px sans-serif;fill:#333}.title{font-size:14px;font-weight:bold}.grid{stroke:#ddd}"
        ".fit{fill:none;stroke:#888;stroke-dasharray:5 4}path.measured{stroke:#1d5b99;stroke-width:2}"
        "circle.measured{fill:#1d5b99}path.extrapolated{stroke:#b4532a;stroke-width:2}circle.extrapolated{fill:#fff;stroke:#b4532a;stroke-width:2}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}; {words}">'
        f'<style>{style}</style><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
        f'<text class="title" x="{LEFT}" y="22">{title}</text>{"".join(drawn)}'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">training sentences (open: extrapolated)</text></svg>\n'
    )
