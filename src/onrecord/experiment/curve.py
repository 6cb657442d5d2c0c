"""``curve``: how the score grows with the number of sentences, and what more of them would give."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig, OmegaConf

from onrecord.core.errors import BadInput
from onrecord.core.files import write_json, write_text
from onrecord.experiment import runs, scoring
from onrecord.experiment.cross_validation import grouped_folds
from onrecord.experiment.curve_plot import curve_svg
from onrecord.experiment.data import Examples, read_examples
from onrecord.experiment.feature_cache import NOWHERE, features_folder, features_kept
from onrecord.experiment.models.embeddings import attach_vectors
from onrecord.experiment.models.registry import fit_model, label_probabilities
from onrecord.experiment.train import development, make_from, wants_vectors

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
EXPONENTS = np.geomspace(0.05, 2.0, 60)


def measure_curve(
    examples: Examples,
    fit: Callable[[Examples], Any],
    shares: Sequence[float],
    *,
    folds: int,
    repeats: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Floats, Ints]:
    """Return the sizes trained on and what was predicted at each.

    Sizes are the mean number of training sentences, shape (shares,). Predictions have shape (repeats,
    shares, rows): each row is predicted out of fold by a model trained on a share of the other groups,
    drawn anew in each repeat and nested, so that a larger share holds the smaller. Raises BadInput where a
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
                chances = label_probabilities(model, examples.frame.iloc[test], len(examples.names))
                predicted[repeat, place, test] = chances.argmax(axis=1)
                sizes[place] += len(rows) / (len(cut) * repeats)
            progress(repeat * len(cut) + number + 1, repeats * len(cut))
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


def extrapolate(sizes: Floats, curve: Floats, drawn: Floats, more: int) -> dict[str, Any]:
    """Return what ``more`` sentences would give, with an interval from the replicates' own fits."""
    size = float(sizes[-1] + more)
    a, b, c = fit_power_law(sizes, curve[None])
    value = float(a[0] - b[0] * size ** -c[0])
    found: dict[str, Any] = {"more": more, "size": round(size), "value": value, "low": None, "high": None}  # fmt: skip
    if len(drawn):
        low_a, low_b, low_c = fit_power_law(sizes, drawn)
        ends = np.percentile(low_a - low_b * size**-low_c, [2.5, 97.5])
        found |= {"low": float(ends[0]), "high": float(ends[1])}
    return {**found, "fit": {"a": float(a[0]), "b": float(b[0]), "c": float(c[0])}}


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
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Return ``curve.json``'s content: points with intervals, the fit and what more sentences would give."""  # fmt: skip
    measured = scoring.measures(examples.names, examples.labels).get(measure)
    if measured is None:
        raise BadInput(f"measure={measure}: not defined for the labels {', '.join(examples.names)}")
    if (
        len(shares) < 3
        or sorted(set(shares)) != list(shares)
        or not 0 < shares[0] <= shares[-1] <= 1
    ):
        raise BadInput(
            f"shares: expected three or more, rising, above 0 up to 1, found {list(shares)}"
        )
    sizes, predicted = measure_curve(
        examples, fit, shares, folds=folds, repeats=repeats, seed=seed, progress=progress
    )
    groups = list(examples.groups)
    curve, drawn = resampled_curves(
        examples.labels, predicted, groups, len(examples.names), measured, replicates=replicates, seed=seed
    )  # fmt: skip
    n_groups = len(set(groups))
    reason = scoring.too_few_groups(n_groups)
    if reason:
        drawn = drawn[:0]
    ends = np.percentile(drawn, [2.5, 97.5], axis=0) if len(drawn) else None
    points = [
        {"size": round(float(size)), "value": float(curve[i]),
         "low": None if ends is None else float(ends[0, i]),
         "high": None if ends is None else float(ends[1, i])}
        for i, size in enumerate(sizes)
    ]  # fmt: skip
    return {
        "measure": measure, "n": len(groups), "n_groups": n_groups, "repeats": repeats, "reason": reason,
        "points": points, "extrapolation": [extrapolate(sizes, curve, drawn, m) for m in more],
    }  # fmt: skip


def main(cfg: DictConfig) -> None:
    """Write curve.json and curve.svg into the workspace; print what more sentences would give."""
    workspace = Path(cfg.workspace)
    examples = development(read_examples(workspace / "dataset"))
    settings: Any = OmegaConf.to_container(cfg, resolve=True)
    cache = cfg.cache if cfg.cached else NOWHERE
    if wants_vectors(settings):
        examples = attach_vectors(examples, str(cfg.encoder), cache)
    with features_kept(features_folder(cache, workspace)):
        found = make_curve(
            examples, lambda part: fit_model(make_from(settings), part, soft=bool(cfg.soft)),
            [float(s) for s in cfg.shares], [int(m) for m in cfg.more], measure=str(cfg.measure),
            folds=int(cfg.folds), repeats=int(cfg.repeats), replicates=int(cfg.replicates), seed=int(cfg.seed),
        )  # fmt: skip
    found = {"model": cfg.model.name, "learner": runs.learner_hash(settings), "data": examples.signature, "origin": examples.origin, "seed": int(cfg.seed), **found}  # fmt: skip
    write_json(workspace / "curve.json", found)
    write_text(workspace / "curve.svg", curve_svg(found))
    print(f"{cfg.model.name}, {found['measure']} out of fold by number of training sentences")
    for point in found["points"]:
        print(f"  {point['size']:>7,}  {with_ends(point)}")
    for told in found["extrapolation"]:
        print(f"  {told['more']:,} more sentences would give about {with_ends(told)}")
    if found["reason"]:
        print(f"  no intervals: {found['reason']}")
    print(
        f"  wrote {workspace / 'curve.json'} and {workspace / 'curve.svg'}; `onrecord evaluate` shows it"
    )


def with_ends(score: Mapping[str, Any]) -> str:
    """Return a value with its interval where it has one."""
    ends = "" if score["low"] is None else f" [{score['low']:.3f}, {score['high']:.3f}]"
    return f"{score['value']:.3f}{ends}"
