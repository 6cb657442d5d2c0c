"""Do the intervals cover? Five scenarios of articles that are easy or hard as a whole, 12 to 60 groups.

python benchmarks/intervals.py [DRAWS]

Each draw is a small campaign: three annotators label every sentence, and two models, equally good, predict it. The
truth of a figure is its value in 60,000 groups. The percentile bootstrap, which was used before, is beside.
"""

import sys
from typing import NamedTuple

import numpy as np

from onrecord.campaign.agreement.coefficients import Metric
from onrecord.campaign.agreement.group_sums import coefficients, sums_by_group, total
from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import measure
from onrecord.experiment import scoring

LABELS = ["a", "b", "c", "d"]
NOMINAL = Metric(1 - np.eye(4), np.eye(4))
GROUPS = (12, 20, 30, 60)
FIGURES = ("alpha", "percent", "AC1", "specific, rarest", "accuracy", "macro-F1", "F1, rarest")
TRUTH, REPLICATES = 60_000, 400


class Scenario(NamedTuple):
    """``shares`` of the labels; sentences a group and their spread (gamma; 0: all alike); how the groups' difficulty
    correlates (``icc`` of the annotators' skill), and how much labels vary between groups (Dirichlet ``mixing``)."""

    shares: tuple[float, ...]
    size: float
    spread: float
    icc: float
    mixing: float
    skill: float


SCENARIOS = {
    "even labels": Scenario((0.25, 0.25, 0.25, 0.25), 8, 0.0, 0.05, 50, 0.80),
    "a rare label": Scenario((0.50, 0.30, 0.15, 0.05), 8, 0.0, 0.10, 20, 0.80),
    "labels by topic": Scenario((0.40, 0.30, 0.20, 0.10), 15, 0.0, 0.10, 2, 0.75),
    "groups of unequal size": Scenario((0.40, 0.30, 0.20, 0.10), 10, 1.0, 0.15, 10, 0.75),
    "nearly perfect": Scenario((0.50, 0.30, 0.15, 0.05), 8, 0.5, 0.20, 10, 0.97),
}


class Campaign(NamedTuple):
    """Votes (annotators, T), and of each sentence its group, gold and the two models' predictions."""

    votes: np.ndarray
    group: np.ndarray
    gold: np.ndarray
    models: tuple[np.ndarray, np.ndarray]

    @property
    def counts(self) -> np.ndarray:
        return np.stack([(self.votes == k).sum(axis=0) for k in range(4)], axis=1).astype(float)

    def confusions(self, model: int) -> np.ndarray:
        return scoring.group_confusions(self.gold, self.models[model], self.group, 4)

    def answers(self) -> Answers:
        people, tasks = self.votes.shape
        who, what = np.divmod(np.arange(self.votes.size), tasks)
        names = [str(t) for t in range(tasks)], [f"a{i}" for i in range(people)]
        return Answers(what, who, self.votes.ravel(), *names, LABELS, self.group)


def drawn(rng: np.random.Generator, groups: int, of: Scenario) -> Campaign:
    size = of.size * (rng.gamma(1 / of.spread**2, of.spread**2, groups) if of.spread else 1)
    n = np.maximum(1, rng.poisson(size)) if of.spread else np.full(groups, int(of.size))
    group = np.repeat(np.arange(groups), n)
    cumulative = rng.dirichlet(np.array(of.shares) * of.mixing, groups).cumsum(axis=1)[group]
    gold = (rng.random(len(group))[:, None] > cumulative).sum(axis=1).clip(0, 3)
    sure = 1 / of.icc - 1
    skill = rng.beta(of.skill * sure, (1 - of.skill) * sure, groups)[group]

    def by(skill: np.ndarray) -> np.ndarray:
        return np.where(
            rng.random(len(group)) < skill, gold, rng.choice(4, len(group), p=of.shares)
        )

    votes = np.stack([by(skill) for _ in range(3)])
    both = by(0.6 * skill)  # what the models, which learnt from the same data, have in common
    models = tuple(np.where(rng.random(len(group)) < 0.5, both, by(0.6 * skill)) for _ in range(2))
    return Campaign(votes, group, gold, models)


def agreement_of(counts: np.ndarray, group: np.ndarray) -> tuple[float, ...]:
    found = coefficients(total(sums_by_group(counts, group, NOMINAL)), NOMINAL)
    return (
        *(float(found[name]) for name in ("alpha", "percent", "ac1")),
        float(found["specific"][3]),
    )


MEASURES = {
    "accuracy": scoring.accuracy,
    "macro-F1": scoring.MeanF1(range(4)),
    "F1": scoring.MeanF1([3]),
}


def truth(of: Scenario) -> np.ndarray:
    made = drawn(np.random.default_rng(99), TRUTH, of)
    whole = made.confusions(0).sum(axis=0).reshape(4, 4).astype(float)
    return np.array(
        [*agreement_of(made.counts, made.group), *(float(m(whole)) for m in MEASURES.values())]
    )


def intervals_now(made: Campaign) -> list[tuple[float | None, float | None]]:
    found = measure(made.answers(), level="nominal")
    rare = found["labels"].get("d", {"specific": {"low": None, "high": None}})["specific"]
    scores = scoring.intervals(made.confusions(0), MEASURES)
    rows = [found, found["percent"], found["ac1"], rare, *scores.values()]
    return [(row["low"], row["high"]) for row in rows]


def intervals_before(made: Campaign, rng: np.random.Generator) -> np.ndarray:
    """The percentile bootstrap over groups; replicates in which a figure is undefined are left out."""
    sums = sums_by_group(made.counts, made.group, NOMINAL)
    groups = len(sums.pairable)
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), REPLICATES).astype(float)
    found = coefficients(sums.map(lambda part: weights @ part), NOMINAL)
    confusions = (weights @ made.confusions(0)).reshape(-1, 4, 4)
    columns = [found["alpha"], found["percent"], found["ac1"], found["specific"][:, 3]]
    columns += [m(confusions) for m in MEASURES.values()]
    return np.nanpercentile(np.stack(columns), [2.5, 97.5], axis=1).T


def main(draws: int) -> None:
    for title, before in (
        ("Student's t around the jackknife (now)", False),
        ("percentile bootstrap (before)", True),
    ):
        print(f"\n{title}: coverage of 95 % intervals, {draws:,} draws a row\n")
        print(
            "| scenario | groups |", " | ".join(FIGURES), "| none given |\n|---|---:|" + "---:|" * 8
        )
        for name, of in SCENARIOS.items():
            at = truth(of)
            for groups in GROUPS:
                rng = np.random.default_rng(groups)
                hits, given = np.zeros(7), np.zeros(7)
                for _ in range(draws):
                    made = drawn(rng, groups, of)
                    pairs = intervals_before(made, rng) if before else intervals_now(made)
                    for i, (low, high) in enumerate(pairs):
                        if low is not None and not np.isnan(low):
                            given[i] += 1
                            hits[i] += low <= at[i] <= high
                cells = " | ".join(f"{share:.3f}" for share in hits / given)
                print(
                    f"| {name} | {groups} | {cells} | {1 - given.min() / draws:.1%} |", flush=True
                )
    print("\nTwo models, equally good: how often `compare` calls them different at 5 %\n")
    print("| scenario | groups | accuracy | macro-F1 |\n|---|---:|---:|---:|")
    every = []
    for name, of in SCENARIOS.items():
        for groups in GROUPS:
            rng = np.random.default_rng(groups + 1000)
            called, tested = np.zeros(2), np.zeros(2)
            for _ in range(4 * draws):
                made = drawn(rng, groups, of)
                pair = made.confusions(0), made.confusions(1)
                for i, key in enumerate(("accuracy", "macro-F1")):
                    p = scoring.paired_difference(*pair, MEASURES[key])["p"]
                    tested[i] += p is not None
                    called[i] += p is not None and p < 0.05
            every.append((groups, *called / tested))
            print(
                f"| {name} | {groups} | {called[0] / tested[0]:.3f} | {called[1] / tested[1]:.3f} |",
                flush=True,
            )
    print(f"\nMean from 20 groups on: {np.mean([row[1:] for row in every if row[0] >= 20]):.3f}.")
    for_others(max(100, draws // 4))


def for_others(draws: int) -> None:
    """Annotators drawn from many: the interval over groups holds for these, the crossed one for others like them."""
    print("\nAnnotators drawn from many like them: coverage of the alpha of all of them\n")
    print(
        "| annotators differ | annotators | groups | over groups | crossed |\n|---|---:|---:|---:|---:|"
    )
    rng = np.random.default_rng(5)

    def campaign(groups: int, people: int, alike: float) -> Answers:
        group = np.repeat(np.arange(groups), 8)
        shares = np.array([0.4, 0.3, 0.2, 0.1])
        gold, easy = rng.choice(4, len(group), p=shares), np.repeat(rng.beta(8, 2, groups), 8)
        skill, lean = (
            rng.beta(0.85 * alike, 0.15 * alike, people),
            rng.dirichlet(shares * alike / 2, people),
        )
        votes = [
            np.where(
                rng.random(len(group)) < easy * skill[a], gold, rng.choice(4, len(group), p=lean[a])
            )
            for a in range(people)
        ]
        return Campaign(np.stack(votes), group, gold, (gold, gold)).answers()

    for words, alike in (("much", 8), ("little", 40)):
        at = np.mean(
            [measure(campaign(60, 60, alike), level="nominal")["alpha"] for _ in range(12)]
        )
        for people in (3, 5, 10, 20):
            for groups in (15, 40):
                found = [
                    measure(campaign(groups, people, alike), level="nominal") for _ in range(draws)
                ]
                own = np.mean([q["low"] <= at <= q["high"] for q in found])
                others = np.mean([q["others"]["low"] <= at <= q["others"]["high"] for q in found])
                print(f"| {words} | {people} | {groups} | {own:.3f} | {others:.3f} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
