"""The tables of a workspace; where one is not there yet, the verb that makes it is named."""

from pathlib import Path

import pyarrow as pa

from onrecord.core.files import require
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS
from onrecord.core.tables import read_parquet


def read_articles(workspace: Path) -> pa.Table:
    """Return ``articles.parquet``; raises BadInput where it is missing or lacks a column, as do the others."""
    return read_parquet(require(workspace / "articles.parquet", "ingest"), ARTICLES)


def read_sentences(workspace: Path) -> pa.Table:
    """Return ``sentences.parquet``."""
    return read_parquet(require(workspace / "sentences.parquet", "segment"), SENTENCES)


def read_speakers(workspace: Path) -> pa.Table:
    """Return ``speakers.parquet``."""
    return read_parquet(require(workspace / "speakers.parquet", "attribute"), SPEAKERS)
