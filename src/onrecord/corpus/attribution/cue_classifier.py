"""How likely a cue outside quotations truly reports its sentence: a small logistic regression.

The rules find a cue and its subject; whether the sentence asserts what the cue reports is then a matter of
degree: how much of it is reported, what kind of subject and verb form, what stands around them. The features
are named and hold no words; the weights were fitted on the train half of polnear-dev by
``benchmarks/attribution_cue_classifier.py`` and are shipped as ``cue_classifier.skops``.
"""

import json
import math
from collections.abc import Mapping
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


def features(
    row: Tokens, cue: Attribution, *, cues: int, first_paragraph: bool
) -> dict[str, float]:
    """Return the features of a cue in its sentence, in the order of the model's weights."""
    words, lowercased = row.words, row.lowercased
    verb = VERBS.get(lowercased[cue.at])
    begin, end = cue.subject
    subject = lowercased[begin:end]
    after = lowercased[cue.at + 1] if cue.at + 1 < len(lowercased) else "."
    before = lowercased[cue.at - 1] if cue.at else ""
    spoken = cue.cue != "according to"
    return {
        "coverage": cue.coverage,
        "coverage_squared": cue.coverage**2,
        "verb_of_saying": cue.strength == SAY,
        "verb_of_clauses": cue.strength == CLAUSE,
        "verb_of_quotations": cue.strength == QUOTE,
        "according_to": not spoken,
        "participle": verb is not None and verb.participle,
        "often_a_noun": verb is not None and verb.nounish,
        "base_form": verb is not None and verb.base,
        "verb_of_wish": verb is not None and verb.wish,
        "verb_of_opinion": verb is not None and verb.opinion,
        "inverted": cue.inverted,
        "negated": cue.negated,
        "postposed": spoken and postposed(row, cue.at, cue.subject),
        "subject_pronoun": subject[0] in LEX.pronouns,
        "subject_he_or_she": subject[0] in {"he", "she"},
        "subject_ends_in_capital": words[end - 1][:1].isupper(),
        "subject_has_capital": any(word[:1].isupper() for word in words[begin:end]),
        "subject_length": len(subject) / 10,
        "subject_has_determiner": subject[0] in LEX.determiners,
        "subject_plural": subject[-1].endswith("s"),
        "subject_opens_sentence": begin == 0,
        "subject_position": begin / len(lowercased),
        "cue_position": cue.at / len(lowercased),
        "sentence_length": len(lowercased) / 40,
        "cues_in_sentence": cues,
        "that_follows": after == "that",
        "to_follows": after == "to",
        "preposition_follows": after in LEX.prepositions,
        "pause_follows": after in {",", "."},
        "clause_follows": spoken and clause_follows(row, cue.at),
        "auxiliary_before": before in LEX.aux,
        "modal_before": before in LEX.modals,
        "perfect_before": before in LEX.perfect,
        "sentence_opens_with_small_word": lowercased[0] in LEX.prepositions_conjunctions,
        "relative_before_subject": not LEX.relative_subjects.isdisjoint(lowercased[:begin]),
        "has_number": any(word.isdigit() for word in words),
        "question": lowercased[-1] == "?",
        "first_paragraph": first_paragraph,
        "condition_before": not LEX.conditions.isdisjoint(lowercased[: cue.at]),
    }


class Weights(NamedTuple):
    """A fitted logistic regression with its scaling folded in."""

    intercept: float
    weights: tuple[float, ...]

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability that the cue reports its sentence."""
        z = self.intercept + sum(map(mul, self.weights, features.values()))
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
