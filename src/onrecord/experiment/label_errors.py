"""``label_errors``: gold labels that are probably wrong, ranked, as a page and as a plan for re-annotation.

Confident learning (Northcutt, Jiang and Chuang 2021) over predictions out of fold, by group: a label is a likely
error where the model gives another one more probability than it usually gives that one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from omegaconf import DictConfig

from onrecord.core.files import write_jsonl, write_text
from onrecord.core.html import Section, notice, page, table, text
from onrecord.core.intervals import Floats, Ints
from onrecord.core.records import PlanRow, sentence_of
from onrecord.core.workspace import Workspace
from onrecord.experiment import runs
from onrecord.experiment.data import Examples, read_examples
from onrecord.experiment.reporting.report import ORIGINS


class LabelError(TypedDict):
    """A gold label that is probably wrong: its own probability, and the label that the model would give."""

    rank: int
    id: str
    target: str
    label: str
    given: float
    suggested: str
    probability: float


def error_margins(probabilities: Floats, gold: Ints) -> tuple[Floats, Ints]:
    """Return by how much each label is exceeded, and by which other label.

    ``probabilities`` has shape (rows, K), predicted out of fold. Each label's probability is divided by the mean
    probability that the model gives to rows with this label; the margin is the best other label's quotient
    less the given one's, above 0 where the label is a likely error.

    >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.95, 0.05]])
    >>> error_margins(probabilities, np.array([0, 0, 1, 1]))[0].round(2).tolist()
    [-0.82, -0.47, -1.65, 1.0]
    """
    rows, labels = probabilities.shape
    usual = np.array(
        [probabilities[gold == k, k].mean() if (gold == k).any() else 1.0 for k in range(labels)]
    )
    quotient = probabilities / np.maximum(usual, 1e-9)
    given = quotient[np.arange(rows), gold].copy()
    quotient[np.arange(rows), gold] = -np.inf
    return quotient.max(axis=1) - given, quotient.argmax(axis=1)


def rank_label_errors(examples: Examples, probabilities: Floats) -> list[LabelError]:
    """Return the likely label errors, those first to which the model gives the least probability.

    That order found more planted errors than the margin did (benchmarks/label_errors.md).
    """
    margin, other = error_margins(probabilities, examples.labels)
    given = probabilities[np.arange(len(probabilities)), examples.labels]
    order = [i for i in np.argsort(given, kind="stable") if margin[i] > 0]
    frame = examples.frame
    return [
        LabelError(
            rank=rank, id=frame["id"].iloc[i], target=frame["target"].iloc[i],
            label=examples.names[examples.labels[i]], given=round(float(given[i]), 6),
            suggested=examples.names[other[i]],
            probability=round(float(probabilities[i, other[i]]), 6),
        )
        for rank, i in enumerate(order, 1)
    ]  # fmt: skip


def recheck_plan(rows: Sequence[LabelError], annotators: Sequence[str]) -> list[PlanRow]:
    """Return a plan in which every annotator sees every sentence again, blind to which label is in question."""
    sentences = sorted({sentence_of(row["id"], row["target"]) for row in rows})
    return [
        PlanRow(
            task_id=f"recheck-{annotator}-{position}", sentence_id=sentence, annotator=annotator,
            round="recheck", position=position, purpose="adjudication", suggestion_shown=False,
            inclusion_probability=1.0,
        )
        for annotator in annotators
        for position, sentence in enumerate(sentences, 1)
    ]  # fmt: skip


def label_errors_page(
    rows: Sequence[LabelError], texts: Mapping[str, str], name: str, origin: str, total: int
) -> str:
    """Return the page of the likely label errors, with their sentences."""
    cells = [[texts[r["id"]], r["label"], r["given"], r["suggested"], r["probability"], r["id"]] for r in rows]  # fmt: skip
    columns = ("sentence", "gold", "its probability", "the model's label", "probability", "id")
    blocks = [table("Lowest probability first", columns, cells)] if cells else [text("None.")]
    if origin != "people":
        blocks.insert(0, notice(f"Labels made by {ORIGINS.get(origin, origin)}."))
    lead = (
        f"{len(rows)} of {total:,} gold labels to which the model {name}, which never saw them or their group, "
        "prefers another. A reason to read the sentence again, not a correction."
    )
    return page("Likely label errors", lead, [Section("Gold labels to read again", blocks)])


def main(cfg: DictConfig) -> None:
    """Write the likely label errors as rows, as a page and as a plan into the workspace."""
    workspace = Workspace(Path(cfg.workspace))
    examples = read_examples(workspace.require(Workspace.dataset))
    folder, run = runs.run_on(cfg.run, examples.signature)
    examples = examples.development()
    ids = list(examples.frame["id"])
    rows = rank_label_errors(examples, runs.read_out_of_fold(folder, ids, examples.names))
    top = rows[: int(cfg.most)]
    texts = dict(zip(ids, examples.frame["text"], strict=True))
    write_jsonl(workspace.label_errors, top)
    write_jsonl(workspace.label_errors_plan, recheck_plan(top, [str(a) for a in cfg.annotators]))
    page_of_errors = label_errors_page(top, texts, run["name"], examples.origin, len(ids))
    write_text(workspace.label_errors_page, page_of_errors)
    print(f"{len(rows)} of {len(ids)} gold labels are likely errors; the first {len(top)} are planned for a second reading")  # fmt: skip
    print(f"  read: {workspace.label_errors_page}\n  plan: {workspace.label_errors_plan}")
