"""``predict``: a trained model over a campaign's sentences."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from omegaconf import DictConfig

from onrecord.core.errors import BadInput
from onrecord.core.files import require, write_json
from onrecord.core.parallel import shard_keys, write_shards
from onrecord.core.records import SENTENCES
from onrecord.core.tables import read_parquet
from onrecord.core.workspace import Workspace
from onrecord.experiment import runs
from onrecord.experiment.data import read_examples
from onrecord.experiment.models.embeddings import vector_columns
from onrecord.experiment.models.registry import label_probabilities, load_model, wants_vectors

NEEDED = ("sentence_id", "article_id", "group_id", "index", "text", "furniture")


def sentence_frame(
    sentences: pa.Table,
    speakers: pa.Table | None,
    outlets: Mapping[str, str],
    target: str,
    context: int,
) -> pd.DataFrame:
    """Return the model's inputs for sentences in the articles' order, furniture left out.

    ``speakers`` are suggestions; ``context`` is how many sentences before and after a model may see, as
    ``build`` gives them. Columns: id, article, group and those of ``examples.INPUTS``.
    """  # fmt: skip
    frame = sentences.select(NEEDED).to_pandas()
    frame = frame[frame["furniture"].isna()].sort_values(["article_id", "index"], kind="stable")
    frame = frame.reset_index(drop=True)
    texts, articles = frame["text"].tolist(), frame["article_id"].tolist()

    def around(i: int, places: range) -> str:
        return " ".join(
            texts[j] for j in places if 0 <= j < len(texts) and articles[j] == articles[i]
        )

    suggested: dict[str, str] = {}
    if speakers is not None:
        suggested = dict(
            zip(*(speakers[c].to_pylist() for c in ("sentence_id", "speaker")), strict=True)
        )
    return pd.DataFrame(
        {
            "id": frame["sentence_id"], "article": articles, "group": frame["group_id"],
            "text": texts, "target": target,
            "before": [around(i, range(i - context, i)) for i in range(len(texts))],
            "after": [around(i, range(i + 1, i + 1 + context)) for i in range(len(texts))],
            "speaker": [suggested.get(i) or "" for i in frame["sentence_id"]],
            "outlet": [outlets.get(a) or "" for a in articles],
        }
    )  # fmt: skip


def shards_by_article(frame: pd.DataFrame, size: int) -> list[pd.DataFrame]:
    """Return the frame in shards of about ``size`` sentences that never part an article."""
    starts = np.flatnonzero((frame["article"] != frame["article"].shift()).to_numpy())
    cuts, begun = [0], 0
    for start in starts:
        if start - begun >= size:
            cuts.append(int(start))
            begun = int(start)
    ends = [*cuts[1:], len(frame)]
    return [frame.iloc[a:b] for a, b in zip(cuts, ends, strict=True) if b > a]


def content_hash(frame: pd.DataFrame) -> str:
    """Return a hash of a shard's inputs, in their order."""
    rows = pd.util.hash_pandas_object(frame, index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()


def prediction_tables(
    frame: pd.DataFrame,
    model_file: Path,
    names: Sequence[str],
    vectors: Callable[[pd.DataFrame], pd.DataFrame] | None,
) -> Iterator[pa.Table]:
    """Yield ``id``, ``predicted`` and one probability a label for a shard's sentences, in order."""
    if vectors is not None:
        frame = vectors(frame)
    probabilities = label_probabilities(_model(model_file), frame, len(names))
    yield runs.probability_table(frame["id"].tolist(), names, probabilities)


@cache
def _model(path: Path) -> Any:
    return load_model(path)


def read_campaign(
    workspace: Workspace, sentences: Path | None, target: str, context: int
) -> pd.DataFrame:
    """Return a campaign's sentences as a model's inputs; ``sentences`` is a file other than the workspace's.

    Raises BadInput where there is none, or one without text.
    """
    source = require(sentences or workspace.sentences, Workspace.sentences.command)
    outlets: dict[str, str] = {}
    if workspace.articles.exists():
        articles = workspace.read_articles()
        outlets = dict(
            zip(*(articles[c].to_pylist() for c in ("article_id", "outlet")), strict=True)
        )
    suggested = workspace.read_speakers() if workspace.speakers.exists() else None
    frame = sentence_frame(read_parquet(source, SENTENCES), suggested, outlets, target, context)
    if not len(frame):
        raise BadInput(f"{source}: expected sentences that are not furniture, found none")
    empty = frame.loc[frame["text"].str.strip() == "", "id"]
    if len(empty):
        raise BadInput(f"{source}: expected a text in sentence {empty.iloc[0]!r}, found none")
    return frame


def predict_all(
    frame: pd.DataFrame, folder: Path, run: runs.Run, path: Path, *,
    encoder: str | None, cache: str | None, engine: str, workers: int, shard_size: int,
) -> pa.Table:  # fmt: skip
    """Write a run's predictions for all sentences to ``path``, shard by shard, and return them."""
    vectors = None
    if wants_vectors(run["settings"]["model"]):
        encoder = str(encoder or run["settings"].get("encoder"))
        vectors = partial(vector_columns, encoder=encoder, cache_folder=cache)
    predict = partial(
        prediction_tables, model_file=folder / "model.skops", names=run["labels"], vectors=vectors
    )
    shards = shards_by_article(frame, shard_size)
    probabilities = [(name, pa.float64()) for name in run["labels"]]
    schema = pa.schema([("id", pa.string()), ("predicted", pa.string()), *probabilities])
    keys = shard_keys(map(content_hash, shards), run["signature"], schema)
    write_shards(
        path, predict, shards, schema, keys=keys, engine=engine, workers=workers, what="predicting"
    )
    return read_parquet(path, schema)


def main(cfg: DictConfig) -> None:
    """Write predictions.parquet and predictions.json into the workspace."""
    workspace = Workspace(Path(cfg.workspace))
    folder = Path(cfg.run) if cfg.run else None
    if folder is None:
        folder = runs.newest_run(read_examples(workspace.require(Workspace.dataset)).signature)
    run = runs.read_run(folder)
    target = str(cfg.target or cfg.campaign.target.name)
    sentences = Path(cfg.sentences) if cfg.sentences else None
    frame = read_campaign(workspace, sentences, target, int(cfg.context))
    table = predict_all(
        frame, folder, run, workspace.predictions,
        encoder=cfg.encoder, cache=cfg.cache, engine=str(cfg.engine.name),
        workers=int(cfg.workers), shard_size=int(cfg.shard_size),
    )  # fmt: skip
    of = {"run": run["signature"], "target": target, "question": run["question"], "origin": run["origin"], "folder": str(folder)}  # fmt: skip
    write_json(workspace.predictions_source, of)
    print(f"{run['name']}: {len(frame)} sentences of {frame['article'].nunique()} articles, toward {target!r}")  # fmt: skip
    for name, n in Counter(table["predicted"].to_pylist()).most_common():
        print(f"  {name:<10} {n / len(frame):.3f} of sentences as predicted, uncorrected")
    print(
        f"  wrote {workspace.predictions}; `onrecord estimate` corrects these shares for the model's errors"
    )
