"""``suspects``: gold labels that are probably wrong, ranked, as a page and as a plan for re-annotation.

Confident learning (Northcutt, Jiang and Chuang 2021) over predictions out of fold, by group: a label is in
doubt where the model is surer of another one than it usually is of that one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig

from onrecord.core.files import write_jsonl, write_text
from onrecord.core.html import Section, notice, page, table, text
from onrecord.core.records import PlanRow, sentence_of
from onrecord.experiment import runs
from onrecord.experiment.data import Examples, read_examples
from onrecord.experiment.evaluate import out_of_fold_probabilities
from onrecord.experiment.reporting.model_card import ORIGINS
from onrecord.experiment.train import development

Floats = npt.NDArray[np.float64]


def suspicion(chances: Floats, gold: npt.NDArray[np.int64]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return how suspicious each label is, and the label that the model would give instead.

    ``chances`` has shape (rows, K), predicted out of fold. Each label's probability is measured against
    what the model usually gives to rows that bear it (its mean over them); the suspicion is the margin by
    which the best other label exceeds the given one, above 0 where the label is in doubt.

    >>> chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.95, 0.05]])
    >>> suspicion(chances, np.array([0, 0, 1, 1]))[0].round(2).tolist()
    [-0.82, -0.47, -1.65, 1.0]
    """
    rows, labels = chances.shape
    usual = np.array(
        [chances[gold == k, k].mean() if (gold == k).any() else 1.0 for k in range(labels)]
    )
    against = chances / np.maximum(usual, 1e-9)
    given = against[np.arange(rows), gold].copy()
    against[np.arange(rows), gold] = -np.inf
    return against.max(axis=1) - given, against.argmax(axis=1)


def ranked(examples: Examples, chances: Floats) -> list[dict[str, Any]]:
    """Return the labels in doubt by id, those first to which the model gives the least probability.

    That order found more planted errors than the margin did (benchmarks/label_errors.md).
    """
    margin, other = suspicion(chances, examples.labels)
    given = chances[np.arange(len(chances)), examples.labels]
    order = [i for i in np.argsort(given, kind="stable") if margin[i] > 0]
    frame = examples.frame
    return [
        {
            "rank": rank,
            "id": frame["id"].iloc[i],
            "target": frame["target"].iloc[i],
            "label": examples.names[examples.labels[i]],
            "given": round(float(given[i]), 6),
            "suggested": examples.names[other[i]],
            "probability": round(float(chances[i, other[i]]), 6),
        }
        for rank, i in enumerate(order, 1)
    ]


def recheck_plan(rows: Sequence[Mapping[str, Any]], annotators: Sequence[str]) -> list[PlanRow]:
    """Return a plan in which every annotator sees every sentence again, without being told what was doubted."""
    sentences = sorted({sentence_of(str(row["id"]), row["target"]) for row in rows})
    return [
        PlanRow(
            task_id=f"recheck-{annotator}-{position}", sentence_id=sentence, annotator=annotator,
            round="recheck", position=position, purpose="adjudication", suggestion_shown=False,
            inclusion_probability=1.0,
        )
        for annotator in annotators
        for position, sentence in enumerate(sentences, 1)
    ]  # fmt: skip


def suspects_page(
    rows: Sequence[Mapping[str, Any]], texts: Mapping[str, str], name: str, origin: str, total: int
) -> str:
    """Return the page of the labels in doubt, with their sentences."""
    cells = [[texts[r["id"]], r["label"], r["given"], r["suggested"], r["probability"], r["id"]] for r in rows]  # fmt: skip
    columns = ("sentence", "gold", "its probability", "the model says", "probability", "id")
    blocks = [table("The most suspicious first", columns, cells)] if cells else [text("None.")]
    if origin != "people":
        blocks.insert(0, notice(f"Labels made by {ORIGINS.get(origin, origin)}."))
    lead = (
        f"{len(rows)} of {total:,} labels that the model {name}, which never saw them or their group, doubts. "
        "A doubt is a reason to read a sentence again, not a correction."
    )
    return page("Gold labels to read again", lead, [Section("In doubt", blocks)])


def main(cfg: DictConfig) -> None:
    """Write suspects.jsonl, suspects.html and suspects_plan.jsonl into the workspace."""
    workspace = Path(cfg.workspace)
    everything = read_examples(workspace / "dataset")
    folder = Path(cfg.run) if cfg.run else runs.newest_run(everything.signature)
    about = runs.read_run(folder)
    examples = development(everything)
    chances = out_of_fold_probabilities(folder / "out_of_fold.parquet", examples)
    rows = ranked(examples, chances)
    top = rows[: int(cfg.most)]
    texts = dict(zip(examples.frame["id"], examples.frame["text"], strict=True))
    plan = recheck_plan(top, [str(a) for a in cfg.annotators])
    write_jsonl(workspace / "suspects.jsonl", top)
    write_jsonl(workspace / "suspects_plan.jsonl", plan)
    html = suspects_page(top, texts, about["name"], examples.origin, len(examples.frame))
    write_text(workspace / "suspects.html", html)
    print(
        f"{len(rows)} of {len(examples.frame)} gold labels are in doubt; the first {len(top)} are to be read again"
    )
    print(f"  read: {workspace / 'suspects.html'}\n  plan: {workspace / 'suspects_plan.jsonl'}")
