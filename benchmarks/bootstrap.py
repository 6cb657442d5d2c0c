"""The bootstrap over groups from distinct per-group confusions, beside a plain loop over rows (CPU seconds).

python benchmarks/bootstrap.py
"""

import time

import numpy as np
from sklearn.metrics import f1_score

from onrecord.experiment.scoring import drawn_confusions, group_confusions, mean_f1


def naive(gold, predicted, groups, replicates, seed):
    """Draw groups, gather their rows, score: what the fast way must equal in distribution."""
    generator = np.random.default_rng(seed)
    rows = {g: np.flatnonzero(groups == g) for g in np.unique(groups)}
    names = list(rows)
    found = []
    for _ in range(replicates):
        drawn = np.concatenate(
            [rows[names[i]] for i in generator.integers(0, len(names), len(names))]
        )
        found.append(f1_score(gold[drawn], predicted[drawn], average="macro"))
    return np.array(found)


def fast(gold, predicted, groups, replicates, seed):
    per_group = group_confusions(gold, predicted, groups, 4)
    return mean_f1([0, 1, 2, 3])(drawn_confusions(per_group, replicates, seed).reshape(-1, 4, 4))


def main() -> None:
    generator = np.random.default_rng(1)
    print(
        "| rows | groups | 10,000 replicates, s | loop over 200, s | ratio a replicate | ends differ by |"
    )
    print("|---|---|---|---|---|---|")
    for rows, count in [(1249, 1249), (2000, 200), (20_000, 2000), (100_000, 5000)]:
        gold = generator.integers(0, 4, rows)
        predicted = np.where(generator.random(rows) < 0.6, gold, generator.integers(0, 4, rows))
        groups = np.sort(generator.integers(0, count, rows)) if count < rows else np.arange(rows)
        start = time.process_time()
        ours = fast(gold, predicted, groups, 10_000, 1)
        took = time.process_time() - start
        start = time.process_time()
        peer = naive(gold, predicted, groups, 200, 2)
        peer_took = time.process_time() - start
        ratio = (peer_took / 200) / (took / 10_000)
        apart = np.abs(np.percentile(ours, [5, 95]) - np.percentile(peer, [5, 95])).max()
        print(
            f"| {rows:,} | {len(np.unique(groups)):,} | {took:.2f} | {peer_took:.2f} | {ratio:,.0f} | {apart:.4f} |"
        )


if __name__ == "__main__":
    main()
