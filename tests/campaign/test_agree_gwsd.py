"""Human votes of public news data: alpha equals an independent computation, a pilot foretells the width."""

import gzip
import json

import numpy as np
import pytest
from krippendorff import alpha as reference

from onrecord.campaign.agreement.long_table import Answers
from onrecord.campaign.agreement.measures import coefficient, counts_of
from onrecord.campaign.planning.sample_size import read_pilot

LABELS = ["against", "favor", "neutral"]


@pytest.fixture(scope="module")
def votes(shared):
    with gzip.open(shared / "benchmarks/gwsd-train.jsonl.gz", "rt", encoding="utf-8") as file:
        return np.array([[LABELS.index(v) for v in json.loads(line)["votes"]] for line in file])


def answers_of_votes(given):
    what, who = np.divmod(np.arange(given.size), given.shape[1])
    names = [[str(i) for i in range(n)] for n in given.shape]
    return Answers(
        what, who, given.ravel(), *names, LABELS, np.arange(len(given))
    )  # fmt: skip


def test_alpha_of_the_human_votes_with_its_interval_as_the_docs_give_it(votes):
    answers = answers_of_votes(votes)
    found = coefficient(answers, level="nominal")
    expected = reference(value_counts=counts_of(answers), level_of_measurement="nominal")
    assert found["alpha"] == pytest.approx(expected, abs=1e-9)
    shown = [round(found[k], 3) for k in ("alpha", "low", "high")]
    assert shown == [0.332, 0.316, 0.349]
    assert found["unanimous"] == 222


@pytest.mark.parametrize("people", [3, 8])
def test_pilots_predict_the_width_within_15_per_cent(votes, people):
    generator = np.random.default_rng(1)
    predicted, shown = [], []
    for repeat in range(6):
        order = generator.permutation(len(votes))
        pilot = answers_of_votes(votes[order[:200]])
        predicted.append(read_pilot(pilot, annotators=people, seed=repeat).alpha.width(800, 1))
        drawn = generator.permuted(votes[order[200:1000]], axis=1)[:, :people]
        found = coefficient(answers_of_votes(drawn), level="nominal")
        shown.append(found["high"] - found["low"])
    assert np.mean(predicted) == pytest.approx(np.mean(shown), rel=0.15)
