"""The pieces of work of `ingest`: each read into files of its own, which wait until all are there.

A run that was interrupted goes on where it stopped; when the articles are written, the pieces go.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.corpus import columns as arrow
from onrecord.corpus import dedupe
from onrecord.corpus.article import Known, article
from onrecord.corpus.formats import Part, raw_articles
from onrecord.records import ARTICLES, BadInput, atomic, write_json


def ingest_shard(
    shard: tuple[Sequence[Part], Mapping[str, Known]],
    *,
    folder: str,
    columns: Mapping[str, str],
    limits: Mapping[str, float],
    bands: int,
    rows: int,
) -> str:
    """Read a piece of work into files of its own in ``folder``, unless they are there, and return their name.

    ``NAME.parquet`` holds its articles without groups, ``NAME.sketches`` what :mod:`dedupe` compares of
    them, and ``NAME.json``, which is written last, what could not be read and what was not UTF-8.
    """
    parts, known = shard
    stamps = [
        [asdict(p), Path(p.path).stat().st_size, Path(p.path).stat().st_mtime_ns] for p in parts
    ]
    about = [version("onrecord"), stamps, known, dict(columns), dict(limits), bands, rows]
    name = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]
    path = Path(folder) / name
    if path.with_suffix(".json").exists():
        return name
    found: list[dict[str, Any]] = []
    bad: list[dict[str, str]] = []
    encodings: list[str] = []
    for part in parts:
        told = known.get(part.name, {})
        for raw in raw_articles(part, columns, **limits):
            try:
                if isinstance(raw, BadInput):
                    raise raw
                found.append(article(raw, told, part.name))
            except BadInput as error:
                bad.append({"file": part.name, "error": str(error)})
                continue
            if raw["encoding"] != "utf-8":
                encodings.append(f"{raw['where']} ({raw['encoding']})")
    texts = [row["text"] for row in found]
    dedupe.sketch(texts, bands=bands, rows=rows).save(path.with_suffix(".sketches"))
    with atomic(path.with_suffix(".parquet")) as temporary:
        pq.write_table(arrow.table(found, ARTICLES), temporary, compression="lz4")
    write_json(path.with_suffix(".json"), {"bad": bad, "encodings": encodings})
    return name


def read(path: Path, names: Sequence[str] | None = None) -> pa.Table:
    """Return a piece's table, or some columns of it."""
    with pq.ParquetFile(path) as file:  # read_table would import pandas
        return file.read(columns=names)


def with_sidecar(
    pieces: Iterable[Sequence[Part]], known: Mapping[str, Known]
) -> list[tuple[Sequence[Part], dict[str, Known]]]:
    """Return each piece of work with what the sidecar says of its files, by path or else by bare name."""

    def told(part: Part) -> Known:
        return known.get(part.name) or known.get(Path(part.name).name) or {}

    return [(parts, {p.name: told(p) for p in parts if told(p)}) for parts in pieces]


@dataclass(frozen=True)
class Pieces:
    """The files that the pieces of work left in ``folder``, in the order of the work."""

    folder: Path
    names: Sequence[str]

    def files(self, ending: str) -> list[Path]:
        """Return each piece's file of one kind."""
        return [self.folder / f"{name}{ending}" for name in self.names]

    def column(self, name: str) -> list[Any]:
        """Return one column of all the pieces' articles."""
        return [v for path in self.files(".parquet") for v in read(path, [name])[name].to_pylist()]

    def notes(self, name: str) -> list[Any]:
        """Return what all the pieces noted: ``bad`` or ``encodings``."""
        read = (json.loads(path.read_text("utf-8")) for path in self.files(".json"))
        return [note for notes in read for note in notes[name]]

    def text_of(self, identifier: str) -> str | None:
        """Return the text that an article has, or None where there is no such article."""
        for path in self.files(".parquet"):
            ids = read(path, ["article_id"])["article_id"].to_pylist()
            if identifier in ids:
                text: str = read(path, ["text"])["text"][ids.index(identifier)].as_py()
                return text
        return None

    def tables(
        self, kept: Sequence[bool], groups: Sequence[str], copies: Sequence[str | None]
    ) -> Iterator[pa.Table]:
        """Yield the articles, those that are ``kept``, piece by piece, with their groups filled in."""
        at = 0
        for path in self.files(".parquet"):
            table = read(path)
            end = at + table.num_rows
            for column, values in (("group_id", groups), ("copy_of", copies)):
                place = ARTICLES.get_field_index(column)
                table = table.set_column(place, column, arrow.array(values[at:end], pa.string()))
            chosen = arrow.array(kept[at:end], pa.int8()).cast(pa.bool_())
            yield table.filter(chosen)
            at = end
