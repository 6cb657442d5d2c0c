"""A campaign's sentences as the rows of an estimate: gold, predictions and the plan's probabilities, joined."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, read_object, require
from onrecord.core.records import GoldRow, PlanRow, sentence_of
from onrecord.core.table_reader import read_table
from onrecord.core.workspace import Workspace
from onrecord.experiment.estimation.corpus_table import PROBABILITY


def campaign_rows(workspace: Workspace, predictions: Path | None) -> pd.DataFrame:
    """Return one row a predicted sentence, with its article's outlet and date and its suggested speaker's type.

    A labelled sentence has the prediction that its run made out of fold. Where drawn sentences have no gold
    (annotated by nobody yet, or unresolved), the others of its stratum of probability stand for them: they are taken
    to be missing at random. Raises BadInput where the workspace lacks a file, naming the command that makes it.
    """
    path = require(predictions or workspace.predictions, "predict")
    source = read_object(
        require(path.with_name(Workspace.predictions_source.name), "predict"),
        ["run", "question", "target", "folder"], "predict",
    )  # fmt: skip
    frame = _with_out_of_fold(read_table(path, ["id", "predicted"]).to_pandas(), source)
    sentences = (
        workspace.read_sentences().select(["sentence_id", "article_id", "group_id"]).to_pandas()
    )
    articles = workspace.read_articles().select(["article_id", "outlet", "published"]).to_pandas()
    speakers = workspace.read_speakers().select(["sentence_id", "speaker"]).to_pandas()
    context = sentences.merge(articles, on="article_id").merge(
        speakers, on="sentence_id", how="left"
    )
    frame = frame.merge(context, left_on="id", right_on="sentence_id", how="left", validate="1:1")
    if frame["sentence_id"].isna().any():
        raise BadInput(
            f"{path}: sentence {frame['id'][frame['sentence_id'].isna()].iloc[0]} is not in {workspace.sentences}: run `onrecord predict` again"
        )
    gold = {
        row["sentence_id"]: row["labels"].get(source["question"])
        for row in read_jsonl(workspace.require(Workspace.gold), GoldRow)
    }
    plan = read_jsonl(workspace.require(Workspace.plan), PlanRow)
    chance = {
        row["sentence_id"]: row["inclusion_probability"] for row in plan if row["purpose"] == "main"
    }
    frame["label"] = frame["id"].map(gold)
    frame["inclusion_probability"] = frame["id"].map(chance).astype(float)
    drawn = frame["inclusion_probability"].notna()
    answered = frame["label"].notna().where(drawn)
    frame["inclusion_probability"] *= answered.groupby(
        frame["inclusion_probability"].round(9)
    ).transform("mean")
    return frame.rename(columns={"group_id": "group"}).drop(columns=["sentence_id"])


def _with_out_of_fold(frame: pd.DataFrame, source: dict[str, str]) -> pd.DataFrame:
    """Return the predictions with a column ``p_LABEL`` a label, those of the run's own sentences out of fold."""
    labels: Sequence[str] = [c for c in frame.columns if c not in {"id", "predicted"}]
    folder = Path(source["folder"])
    if not folder.is_dir():
        raise BadInput(f"{folder}: the run that predicted is gone: run `onrecord predict` again")
    held_out = read_table(folder / "out_of_fold.parquet", ["id", "predicted", *labels]).to_pandas()
    held_out["id"] = [sentence_of(identifier, source["target"]) for identifier in held_out["id"]]
    held_out = held_out.drop_duplicates("id").set_index("id")
    frame = frame.set_index("id")
    known = frame.index.intersection(held_out.index)
    columns = ["predicted", *labels]
    frame.loc[known, columns] = held_out.loc[known, columns]
    return frame.reset_index().rename(columns={label: f"{PROBABILITY}{label}" for label in labels})
