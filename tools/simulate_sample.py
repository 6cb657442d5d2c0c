"""
Make the three simulated annotators of the sample campaign from its writer's gold.

Nobody annotated the sample: every row written here says ``"origin": "simulated"``. Each annotator is
a small error model. Errors come more often on some sentences than on others (a difficulty that the
three share, as people do), go to the labels that people confuse, and follow the annotator's habits:
annotator-1 is careful, annotator-2 falls back on "neutral" and skips headlines, annotator-3 drifts:
worse, and fonder of "judgement", the further on in the work. All chance comes from the seed, drawn
anew for each annotator and sentence, so that a new article leaves the rows of the others alone.

    python tools/simulate_sample.py [--out data/sample/simulated] [--seed 20260701]
"""

import argparse
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onrecord.core.files import read_jsonl, write_jsonl

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
SEED = 20260701

# What a label is mistaken for, with weights: neighbours in the guidelines' decision order.
MISTAKEN = {
    "speaker": {
        "author": {"politician": 2, "agency": 3, "other": 2, "advocate": 1, "expert": 1},
        "politician": {"author": 5, "agency": 2, "advocate": 1},
        "agency": {"author": 4, "expert": 1, "politician": 1, "other": 1},
        "advocate": {"other": 4, "author": 3, "politician": 1},
        "expert": {"author": 3, "other": 2, "agency": 1, "advocate": 1},
        "other": {"author": 4, "advocate": 2},
    },
    "claim_type": {
        "policy": {"judgement": 5, "effect": 2, "rule": 1},
        "effect": {"judgement": 5, "fact": 4, "rule": 1, "policy": 1},
        "judgement": {"effect": 4, "fact": 3, "policy": 2},
        "rule": {"fact": 6, "policy": 1, "effect": 1},
        "fact": {"rule": 3, "judgement": 3, "effect": 3},
        "none": {"judgement": 3, "policy": 1, "fact": 1},
    },
    "stance": {
        "favor": {"neutral": 6, "none": 2, "against": 1},
        "against": {"neutral": 6, "none": 2, "favor": 1},
        "neutral": {"none": 6, "favor": 2, "against": 2},
        "none": {"neutral": 7, "favor": 1, "against": 2},
    },
}

COMMENTS = {
    "speaker": ("Who says this? The cue is a sentence away.", "Quoted, but by whom is not plain."),
    "claim_type": (
        "Half judgement, half prediction.",
        "Could be rule: it is what the ordinance says.",
        "Two clauses of different kinds.",
    ),
    "stance": (
        "Leans one way only if the sentence before is read with it.",
        "Names the fare, not the plan. Does that count?",
        "A joke. Took it as none.",
    ),
}


@dataclass(frozen=True)
class Annotator:
    """An error model: chance of an error per question, and habits. Times are in seconds."""

    name: str
    error: Mapping[str, float]
    slips: float  # chance that a right speaker is given with a short or a wrong name
    median: float  # for a sentence of 120 characters
    spread: float  # sigma of the log of the time
    drift: float = 0.0  # added to every chance of an error by the end of the work
    leaning: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # weights to multiply
    skips_headlines: float = 0.0
    talk: float = 0.03  # chance of a comment


ANNOTATORS = (
    Annotator("annotator-1", {"speaker": 0.045, "claim_type": 0.11, "stance": 0.085}, 0.03, 21, 0.45),
    Annotator(
        "annotator-2",
        {"speaker": 0.07, "claim_type": 0.16, "stance": 0.15},
        0.08,
        14,
        0.60,
        leaning={"stance": {"neutral": 3.0}},
        skips_headlines=0.12,
        talk=0.01,
    ),
    Annotator(
        "annotator-3",
        {"speaker": 0.05, "claim_type": 0.12, "stance": 0.08},
        0.05,
        26,
        0.50,
        drift=0.14,
        leaning={"claim_type": {"judgement": 2.0}},
        talk=0.05,
    ),
)  # fmt: skip


def pick(chance: random.Random, weights: Mapping[str, float]) -> str:
    """Return a key, drawn by its weight."""
    return chance.choices(list(weights), list(weights.values()))[0]


def answer(
    gold: str, question: str, annotator: Annotator, rate: float, chance: random.Random
) -> str:
    """Return the annotator's label where the writer's is ``gold`` and errors come at ``rate``."""
    roll = chance.random()
    leaning = annotator.leaning.get(question, {})
    wrong = {k: w * leaning.get(k, 1.0) for k, w in MISTAKEN[question][gold].items()}
    instead = pick(chance, wrong)
    # Who leans towards a label seldom errs away from it.
    rate = rate / leaning.get(gold, 1.0)
    return instead if roll < rate else gold


def named(
    text: str,
    speaker: str,
    *,
    gold: Mapping[str, Any],
    candidates: list[str],
    slips: float,
    chance: random.Random,
) -> tuple[str | None, dict[str, int] | None]:
    """Return the name that goes with ``speaker``, and where it first stands in ``text``."""
    roll, other = chance.random(), chance.choice(candidates or [""])
    if speaker in ("author", "none"):
        return None, None
    name = gold["speaker_name"] or other
    if gold["speaker_name"] and roll < slips:
        name = name.split()[-1] if roll < slips * 0.6 else other
    if not name:
        return None, None
    start = text.find(name)
    return name, {"start": start, "end": start + len(name)}


def annotate(
    gold_rows: Iterable[Mapping[str, Any]],
    texts: Mapping[str, str],
    annotator: Annotator,
    seed: int,
) -> list[dict[str, Any]]:
    """Return one simulated annotation for every sentence of prose, in the annotator's own order."""
    articles: dict[str, list[Mapping[str, Any]]] = {}
    for row in gold_rows:
        if row["furniture"] is None:
            articles.setdefault(row["article_id"], []).append(row)
    order = sorted(
        articles, key=lambda name: random.Random(f"{seed}/{annotator.name}/{name}").random()
    )
    work = [row for name in order for row in articles[name]]
    rows = []
    for done, gold in enumerate(work):
        text, key = texts[gold["article_id"]], gold["sentence_id"]
        names = sorted({r["labels"]["speaker_name"] or "" for r in articles[gold["article_id"]]})
        chance = random.Random(f"{seed}/{annotator.name}/{key}")
        # The same for all three: 0.25 (plain) to 3.25 (hard), 1 on average, most of them easy.
        difficulty = 0.25 + 3.0 * random.Random(f"{seed}/{key}").random() ** 3
        tired = annotator.drift * done / len(work)
        labels: dict[str, str | None] = {
            question: answer(
                gold["labels"][question],
                question,
                annotator,
                min(0.95, (rate + tired * (question != "speaker")) * difficulty),
                chance,
            )
            for question, rate in annotator.error.items()
        }
        skipped = chance.random() < annotator.skips_headlines and gold["part"] is not None
        if skipped:
            labels = dict.fromkeys(labels, "none")
        name, span = named(
            text,
            labels["speaker"] or "",
            gold=gold["labels"],
            candidates=[n for n in names if n and n != gold["labels"]["speaker_name"]],
            slips=annotator.slips,
            chance=chance,
        )
        if labels["speaker"] not in ("author", "none") and name is None:
            labels["speaker"] = "author"  # nobody in the article to credit it to
        flags = [flag for flag in gold["flags"] if chance.random() < 0.6 and not skipped]
        if not flags and chance.random() < 0.02:
            flags = ["needs_context"]
        comment = ""
        if chance.random() < annotator.talk * difficulty:
            question = chance.choice(list(COMMENTS))
            comment = chance.choice(COMMENTS[question])
        length = (60 + (gold["end"] - gold["start"]) / 2) / 120
        seconds = annotator.median * length * chance.lognormvariate(0, annotator.spread)
        rows.append(
            {
                "sentence_id": key,
                "article_id": gold["article_id"],
                "start": gold["start"],
                "end": gold["end"],
                "text_sha256": gold["text_sha256"],
                "annotator": annotator.name,
                "labels": {
                    "speaker": labels["speaker"],
                    "speaker_name": name,
                    "claim_type": labels["claim_type"],
                    "stance": labels["stance"],
                },
                "speaker_span": span,
                "flags": flags,
                "comment": comment,
                "seconds": round(max(2.0, seconds), 1),
                "origin": "simulated",
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the sample's simulated annotators.")
    parser.add_argument("--out", type=Path, default=SAMPLE / "simulated")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    gold = read_jsonl(SAMPLE / "writer.jsonl")
    texts = {
        path.stem: path.read_bytes().decode("utf-8")
        for path in sorted((SAMPLE / "articles").glob("*.txt"))
    }
    for annotator in ANNOTATORS:
        rows = annotate(gold, texts, annotator, options.seed)
        write_jsonl(options.out / f"{annotator.name}.jsonl", rows)
        print(f"{annotator.name}: {len(rows)} simulated annotations in {options.out}")


if __name__ == "__main__":
    main()
