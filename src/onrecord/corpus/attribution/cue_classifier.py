"""How likely a cue outside quotations truly reports its sentence: a small logistic regression.

The rules find a cue and its subject; whether the sentence asserts what the cue reports is then a matter of
degree: how much of it is reported, what kind of subject and verb form, what stands around them. The features
are named and hold no words; the weights were fitted on the train half of polnear-dev by
``benchmarks/attribution_cue_classifier.py`` and are shipped as ``cue_classifier.skops``.
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from io import BytesIO
from operator import mul
from typing import Any, NamedTuple
from zipfile import ZipFile

import numpy as np

from onrecord.corpus.attribution.clauses import clause_follows, postposed
from onrecord.corpus.attribution.cues import Attribution
from onrecord.corpus.attribution.lexicon import CLAUSE, LEX, QUOTE, SAY, VERBS
from onrecord.corpus.attribution.tokens import Tokens

THRESHOLD = 0.3  # near the best F1 out of fold on the train half, on the side of recall

FEATURES = (
    "coverage", "coverage_squared", "verb_of_saying", "verb_of_clauses", "verb_of_quotations", "according_to",
    "participle", "often_a_noun", "base_form", "verb_of_wish", "verb_of_opinion", "inverted", "negated",
    "postposed", "subject_pronoun", "subject_he_or_she", "subject_ends_in_capital", "subject_has_capital",
    "subject_length", "subject_has_determiner", "subject_plural", "subject_opens_sentence", "subject_position",
    "cue_position", "sentence_length", "cues_in_sentence", "that_follows", "to_follows", "preposition_follows",
    "pause_follows", "clause_follows", "auxiliary_before", "modal_before", "perfect_before",
    "sentence_opens_with_small_word", "relative_before_subject", "has_number", "question", "first_paragraph",
    "condition_before",
)  # fmt: skip


def features(
    row: Tokens, cue: Attribution, *, cues: int, first_paragraph: bool
) -> tuple[float, ...]:
    """Return the values of :data:`FEATURES` for a cue in its sentence, in their order."""
    words, lowercased = row.words, row.lowercased
    verb = VERBS.get(lowercased[cue.at])
    begin, end = cue.subject
    subject = lowercased[begin:end]
    after = lowercased[cue.at + 1] if cue.at + 1 < len(lowercased) else "."
    before = lowercased[cue.at - 1] if cue.at else ""
    spoken = cue.cue != "according to"
    return (
        cue.coverage,
        cue.coverage**2,
        cue.strength == SAY,
        cue.strength == CLAUSE,
        cue.strength == QUOTE,
        not spoken,
        verb is not None and verb.participle,
        verb is not None and verb.nounish,
        verb is not None and verb.base,
        verb is not None and verb.wish,
        verb is not None and verb.opinion,
        cue.inverted,
        cue.negated,
        spoken and postposed(row, cue.at, cue.subject),
        subject[0] in LEX.pronouns,
        subject[0] in {"he", "she"},
        words[end - 1][:1].isupper(),
        any(word[:1].isupper() for word in words[begin:end]),
        len(subject) / 10,
        subject[0] in LEX.determiners,
        subject[-1].endswith("s"),
        begin == 0,
        begin / len(lowercased),
        cue.at / len(lowercased),
        len(lowercased) / 40,
        cues,
        after == "that",
        after == "to",
        after in LEX.prepositions,
        after in {",", "."},
        spoken and clause_follows(row, cue.at),
        before in LEX.aux,
        before in LEX.modals,
        before in LEX.perfect,
        lowercased[0] in LEX.prepositions_conjunctions,
        not LEX.relative_subjects.isdisjoint(lowercased[:begin]),
        any(word.isdigit() for word in words),
        lowercased[-1] == "?",
        first_paragraph,
        not LEX.conditions.isdisjoint(lowercased[: cue.at]),
    )


class Weights(NamedTuple):
    """A fitted logistic regression with its scaling folded in."""

    intercept: float
    weights: tuple[float, ...]

    def probability(self, values: Sequence[float]) -> float:
        """Return the probability that the cue reports its sentence."""
        z = self.intercept + sum(map(mul, self.weights, values))
        return 1 / (1 + math.exp(-z))


@cache
def weights() -> Weights:
    """Return the shipped model's weights.

    A skops file is a zip of plain arrays and what they belong to. The arrays are read as such: skops would
    import scikit-learn for them, which costs more than attributing a thousand articles.
    """
    data = files("onrecord.corpus.attribution").joinpath("cue_classifier.skops").read_bytes()
    with ZipFile(BytesIO(data)) as archive:
        steps = json.loads(archive.read("schema.json"))["content"]["content"]["steps"]["content"]
        scaler, regression = (step["content"][1]["content"]["content"] for step in steps)

        def array(owner: Any, name: str) -> Any:
            return np.load(BytesIO(archive.read(owner[name]["file"])), allow_pickle=False)

        scaled = array(regression, "coef_")[0] / array(scaler, "scale_")
        offset = (scaled * array(scaler, "mean_")).sum()
        intercept = float(array(regression, "intercept_")[0] - offset)
    return Weights(intercept, tuple(float(w) for w in scaled))
