"""Coverage and width of `estimate`, beside people alone, predictions alone and the peers' own code.

python benchmarks/estimates.py ../shared/benchmarks [--draws 500] [--only babe]

Every cell draws samples of one corpus whose labels are all known, hides the other labels and asks whether the
95 % interval holds the corpus's own figure. Peers run where they are installed in this environment:
`pip install --no-deps ppi-python potato-annotation` (GPL-3: run here, never shipped), statsmodels.
"""

import argparse
import gzip
import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from onrecord.campaign.planning.sampling import inclusion
from onrecord.experiment.estimation.corpus_table import read_corpus
from onrecord.experiment.estimation.estimands import answered, regression, shares, trend

try:
    from potato.labeling_engine.contracts.ppi import ppi_mean as potato_mean
except ImportError:
    potato_mean = None
try:
    from ppi_py import ppi_mean_ci
except ImportError:
    ppi_mean_ci = None

LABELS = 300  # labelled sentences a draw, on average


def out_of_fold(texts, labels, groups):
    """Return the probabilities of a plain TF-IDF logistic regression, predicted out of fold by group."""
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True, max_features=60_000),
        LogisticRegression(C=3, max_iter=300),
    )
    return cross_val_predict(
        model, texts, labels, groups=groups, cv=GroupKFold(4), method="predict_proba"
    )


def rows_of(folder: Path, name: str):
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def table(label, texts, group, domain, time):
    label, group = np.asarray(label), np.asarray(group)
    chances = out_of_fold(texts, label, group)
    columns = {f"p_{name}": chances[:, i] for i, name in enumerate(np.unique(label))}
    return pd.DataFrame({"gold": label, "group": group, "domain": domain, "time": time, **columns})


def babe(folder):
    rows = [r for r in rows_of(folder, "babe") if r["label"] in {"Biased", "Non-biased"}]
    groups = [r["group"] or f"row {i}" for i, r in enumerate(rows)]
    texts = [r["text"] for r in rows]
    outlets = [str(r["outlet"]) for r in rows]
    return table(
        [r["label"] for r in rows], texts, groups, outlets, [len(t.split()) for t in texts]
    )


def gwsd(folder):
    rows = rows_of(folder, "gwsd-train")
    own = [f"row {i}" for i in range(len(rows))]
    batches = [str(r["batch"] // 5) for r in rows]
    return table(
        [r["label"] for r in rows],
        [r["text"] for r in rows],
        own,
        batches,
        [r["batch"] for r in rows],
    )


def semeval(folder):
    rows = rows_of(folder, "semeval2016")
    own = [f"row {i}" for i in range(len(rows))]
    texts = [f"{r['target'].replace(' ', '_')} {r['text']}" for r in rows]
    lengths = [len(r["text"].split()) for r in rows]
    return table([r["label"] for r in rows], texts, own, [r["target"] for r in rows], lengths)


def polnear(folder):
    found = []
    for doc in rows_of(folder, "polnear-dev"):
        year, month = doc["doc_id"].split("_")[1].split("-")[:2]
        for s in doc["sentences"]:
            label = "attributed" if s["speaker"] else "none"
            at = 12 * int(year) + int(month)
            found.append(
                (label, doc["text"][s["start"] : s["end"]], doc["doc_id"], doc["publisher"], at)
            )
    return table(*[list(column) for column in zip(*found, strict=True)])


def simulated(_folder):
    """Groups of 1 to 20 sentences that lean one way; the model is worse for one outlet, and its errors go together."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 21, 600)
    group = np.repeat(np.arange(600), sizes)
    outlet = (rng.integers(0, 4, 600))[group]
    month = (rng.integers(0, 24, 600))[group]
    lean = 0.25 + 0.1 * (outlet == 1) + 0.006 * month + rng.normal(0, 0.15, 600)[group]
    yes = rng.random(len(group)) < np.clip(lean, 0.02, 0.98)
    right = np.clip(0.85 - 0.2 * (outlet == 2) + rng.normal(0, 0.1, 600)[group], 0.4, 1)
    predicted = np.where(rng.random(len(group)) < right, yes, ~yes)
    return pd.DataFrame(
        {"gold": np.where(yes, "against", "other"), "group": group, "domain": outlet.astype(str), "time": month,
         "p_against": predicted.astype(float), "p_other": 1.0 - predicted}
    )  # fmt: skip


CORPORA = {
    "babe": babe,
    "gwsd": gwsd,
    "polnear": polnear,
    "semeval": semeval,
    "simulated": simulated,
}


def draw(frame, design, probability, rng):
    """Return which rows are drawn, with their probabilities, and the name of a stratum column."""
    n = len(frame)
    if design == "sentence":
        chosen = np.zeros(n, dtype=bool)
        chosen[rng.choice(n, LABELS, replace=False)] = True
        return chosen, np.full(n, LABELS / n)
    if design == "stratified":
        chosen = np.zeros(n, dtype=bool)
        for rows in probability["strata"]:
            size = probability["seats"]
            chosen[rng.choice(rows, min(size, len(rows)), replace=False)] = True
        return chosen, probability["stratified"]
    if design == "uncertainty":
        order = rng.permutation(n)
        ends = np.cumsum(probability["uncertainty"][order])
        ticks = np.arange(LABELS) + rng.uniform()
        chosen = np.zeros(n, dtype=bool)
        chosen[order[np.minimum(np.searchsorted(ends, ticks, side="right"), n - 1)]] = True
        return chosen, probability["uncertainty"]
    code = probability["group"]
    groups = code.max() + 1
    size = probability["n_groups"]
    taken = np.zeros(groups, dtype=bool)
    taken[rng.choice(groups, size, replace=False)] = True
    return taken[code], np.full(n, size / groups)


def probabilities(frame):
    n = len(frame)
    chances = frame[[c for c in frame if c.startswith("p_")]].to_numpy()
    doubt = 1 - chances.max(axis=1)
    share = inclusion(doubt, LABELS)  # as `plan sampling=uncertainty` draws
    domain = pd.factorize(frame["domain"])[0]
    strata = [np.flatnonzero(domain == d) for d in range(domain.max() + 1)]
    seats = max(2, round(LABELS / len(strata)))
    stratified = np.empty(n)
    for rows in strata:
        stratified[rows] = min(1, seats / len(rows))
    code = pd.factorize(frame["group"])[0]
    wanted = max(40, round(LABELS / (n / (code.max() + 1))))
    return {"uncertainty": share, "strata": strata, "seats": seats, "stratified": stratified,
            "group": code, "n_groups": min(wanted, code.max())}  # fmt: skip


def questions_of(corpus, domain):
    found = list(shares(corpus, ["domain"]))
    pick = {q.kind: q for q in found if q.by == {"domain": domain}}
    return {
        "share": found[0],
        "domain share": pick["share"],
        "difference": pick["difference"],
        "trend": trend(corpus, "time"),
        "logit": next(iter(regression(corpus, ["time"], "logistic", None))),
    }


def peers(people, model, chosen, group, design):
    """Return each peer's interval for the overall share from its own code; those that are not installed are left out."""
    found = {}
    independent = design in {"sentence", "whole articles"}  # what both take rows for
    if independent and potato_mean is not None:
        got = potato_mean(people[chosen], model[chosen], model, 0.95)
        found["Potato ppi_mean"] = (got["lo"], got["hi"])
    if independent and ppi_mean_ci is not None:
        low, high = ppi_mean_ci(people[chosen], model[chosen], model[~chosen], alpha=0.05)
        found["ppi-python"] = (float(np.ravel(low)[0]), float(np.ravel(high)[0]))
    if design == "whole articles":
        fit = sm.OLS(people[chosen], np.ones(chosen.sum())).fit(
            cov_type="cluster", cov_kwds={"groups": group[chosen]}
        )
        found["statsmodels, people alone, clustered"] = tuple(fit.conf_int()[0])
    return found


def measure(name, frame, design, draws, seed):
    label = {"polnear": "attributed", "babe": "Biased", "simulated": "against"}.get(name, "against")
    domain = frame["domain"].value_counts().index[0]
    known = probabilities(frame)
    kind = "groups" if design == "whole articles" else "rows"
    stratum = "domain" if design == "stratified" else None
    base = frame.assign(label=frame["gold"], inclusion_probability=1.0)
    corpus = read_corpus(base, stratum=stratum, drawn=kind)
    place = list(corpus.labels).index(label)
    questions = questions_of(corpus, domain)
    truth = {
        key: answered(corpus, q, place)["people_only"]["value"] for key, q in questions.items()
    }
    people = (frame["gold"] == label).to_numpy(float)
    model = frame[f"p_{label}"].to_numpy()
    rng = np.random.default_rng(seed)
    seen, beside = {key: [] for key in questions}, {}
    for _ in range(draws):
        chosen, probability = draw(frame, design, known, rng)
        sample = replace(corpus, drawn=chosen, probability=np.where(chosen, probability, np.nan))
        prior = None
        for key, question in questions.items():
            one = answered(sample, question, place, prior if key == "domain share" else None)
            prior = one["power"] if key == "share" else prior
            alone = one["people_only"]
            if one["low"] is None:
                continue
            seen[key].append(
                (one["low"] <= truth[key] <= one["high"], alone["low"] <= truth[key] <= alone["high"],
                 one["high"] - one["low"], alone["high"] - alone["low"])
            )  # fmt: skip
        for peer, (low, high) in peers(people, model, chosen, known["group"], design).items():
            beside.setdefault(peer, []).append((low <= truth["share"] <= high, high - low))
    return seen, beside


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--draws", type=int, default=500)
    arguments.add_argument("--only")
    given = arguments.parse_args()
    if not given.folder.is_dir():
        sys.exit(f"{given.folder} is absent: this benchmark needs the public data")
    warnings.simplefilter("ignore")
    error = np.sqrt(0.95 * 0.05 / given.draws)
    print(f"{given.draws} draws a cell: Monte Carlo error of a coverage of .95 is {error:.3f}.\n")
    print(
        "| corpus | sample | figure | coverage | people alone | width against people alone | cells without |"
    )
    print("|---|---|---|---|---|---|---|")
    rivals = []
    for name, make in CORPORA.items():
        if given.only and name != given.only:
            continue
        frame = make(given.folder)
        for design in ("sentence", "stratified", "uncertainty", "whole articles"):
            seen, beside = measure(name, frame, design, given.draws, seed=1)
            for key, rows in seen.items():
                held, alone, width, people = np.array(rows, dtype=float).T
                print(
                    f"| {name} | {design} | {key} | {held.mean():.3f} | {alone.mean():.3f} | "
                    f"{width.mean() / people.mean():.3f} | {given.draws - len(rows)} |", flush=True,
                )  # fmt: skip
            own = np.array(seen["share"], dtype=float)
            for peer, rows in beside.items():
                held, width = np.array(rows, dtype=float).T
                rivals.append(
                    (
                        name,
                        design,
                        peer,
                        held.mean(),
                        width.mean() / own[:, 2].mean(),
                        own[:, 0].mean(),
                    )
                )
    print(
        "\n| corpus | sample | peer, overall share | its coverage | its width against ours | our coverage |"
    )
    print("|---|---|---|---|---|---|")
    for name, design, peer, held, width, ours in rivals:
        print(f"| {name} | {design} | {peer} | {held:.3f} | {width:.2f} | {ours:.3f} |")


if __name__ == "__main__":
    main()
