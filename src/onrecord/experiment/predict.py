"""``predict``: a trained model over a campaign's sentences, and how common each label is among them."""

import hashlib
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
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS
from onrecord.core.table_reader import read_table
from onrecord.core.tables import read_parquet
from onrecord.experiment import runs
from onrecord.experiment.data import read_examples
from onrecord.experiment.models.embeddings import vector_columns
from onrecord.experiment.models.registry import label_probabilities, load_model
from onrecord.experiment.quantification import estimate_prevalence
from onrecord.experiment.train import wants_vectors

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
    chances = label_probabilities(_model(model_file), frame, len(names))
    columns: dict[str, Any] = {
        "id": pa.array(frame["id"].tolist(), pa.string()),
        "predicted": pa.array([names[i] for i in chances.argmax(axis=1)], pa.string()),
    }
    columns |= {name: pa.array(chances[:, i], pa.float64()) for i, name in enumerate(names)}
    yield pa.table(columns)


@cache
def _model(path: Path) -> Any:
    return load_model(path)


def read_campaign(cfg: DictConfig) -> tuple[pd.DataFrame, str]:
    """Return the sentences that ``cfg`` names as a model's inputs, and the target in words."""
    workspace = Path(cfg.workspace)
    source = require(Path(cfg.sentences or workspace / "sentences.parquet"), "segment")
    sentences = read_parquet(source, SENTENCES)
    speakers, articles = workspace / "speakers.parquet", workspace / "articles.parquet"
    outlets: dict[str, str] = {}
    if articles.exists():
        table = read_parquet(articles, ARTICLES)
        outlets = dict(zip(*(table[c].to_pylist() for c in ("article_id", "outlet")), strict=True))
    target = str(cfg.target or cfg.campaign.target.name)
    suggested = read_parquet(speakers, SPEAKERS) if speakers.exists() else None
    frame = sentence_frame(sentences, suggested, outlets, target, int(cfg.context))
    if not len(frame):
        raise BadInput(f"{source}: expected sentences that are not furniture, found none")
    empty = frame.loc[frame["text"].str.strip() == "", "id"]
    if len(empty):
        raise BadInput(f"{source}: expected a text in sentence {empty.iloc[0]!r}, found none")
    return frame, target


def main(cfg: DictConfig) -> None:
    """Write predictions.parquet and prevalence.json into the workspace."""
    workspace = Path(cfg.workspace)
    folder = (
        Path(cfg.run)
        if cfg.run
        else runs.newest_run(read_examples(workspace / "dataset").signature)
    )
    about = runs.read_run(folder)
    frame, target = read_campaign(cfg)
    vectors = None
    if wants_vectors(about["settings"]):
        encoder = str(cfg.encoder or about["settings"]["encoder"])
        vectors = partial(vector_columns, encoder=encoder, cache_folder=cfg.cache)
    predict = partial(
        prediction_tables,
        model_file=folder / "model.skops",
        names=about["labels"],
        vectors=vectors,
    )
    shards = shards_by_article(frame, int(cfg.shard_size))
    probabilities = [(name, pa.float64()) for name in about["labels"]]
    schema = pa.schema([("id", pa.string()), ("predicted", pa.string()), *probabilities])
    path = workspace / "predictions.parquet"
    write_shards(
        path,
        predict,
        shards,
        schema,
        keys=shard_keys(map(content_hash, shards), about["signature"], schema),
        engine=str(cfg.engine.name),
        workers=int(cfg.workers),
        what="predicting",
    )
    table = read_parquet(path, schema)
    prevalence = estimate_prevalence(
        frame.assign(predicted=table["predicted"].to_pylist()),
        read_table(folder / "out_of_fold.parquet").to_pandas(),
        about["labels"], replicates=int(cfg.replicates), seed=int(cfg.seed),
    )  # fmt: skip
    said = {"run": about["signature"], "target": target, "question": about["question"], "origin": about["origin"]}  # fmt: skip
    write_json(workspace / "prevalence.json", {**said, **prevalence})
    print(
        f"{about['name']}: {len(frame)} sentences of {frame['article'].nunique()} articles, toward {target!r}"
    )
    for name, share in prevalence["overall"]["labels"].items():
        print(f"  {name:<10} {share_words(share)}")
    print(f"  {prevalence['note']}")
    print(f"  wrote {workspace / 'predictions.parquet'} and {workspace / 'prevalence.json'}")


def share_words(share: Mapping[str, Any]) -> str:
    """Return a label's share in words.

    >>> share_words({"predicted": 0.5, "adjusted": 0.4, "low": 0.3, "high": 0.5})
    '0.400 [0.300, 0.500] of sentences, 0.500 as predicted'
    """
    if share["adjusted"] is None:
        return f"{share['predicted']:.3f} of sentences as predicted"
    ends = "" if share["low"] is None else f" [{share['low']:.3f}, {share['high']:.3f}]"
    return f"{share['adjusted']:.3f}{ends} of sentences, {share['predicted']:.3f} as predicted"
