"""The shards of `ingest`: articles are read in batches, and written when the groups of copies are known.

Batches are kept in a scratch folder until then, so that an interrupted run resumes. Files that have not
changed since the last run are not read again: their rows are taken from its output.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate, chain
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput
from onrecord.core.files import atomic, write_json
from onrecord.core.records import ARTICLES, ArticleRow
from onrecord.core.tables import (
    RowRange,
    read_batches,
    read_values,
    shard_files,
    table_from_rows,
)
from onrecord.corpus import dedupe
from onrecord.corpus.article_shards import rules_hash
from onrecord.corpus.readers.articles import FileFields, article
from onrecord.corpus.readers.formats import Raw, raw_articles
from onrecord.corpus.readers.sources import MB, Part, escape_unprintable, suffix

# Code points of one shard's texts: a few long articles are as much as a full shard.
MAX_LETTERS = 1 << 23
BATCHES_A_SHARD = 8
# Read once and removed: what compressing saves is not worth its time.
SCRATCH_OPTIONS: dict[str, Any] = {
    "compression": "none", "use_dictionary": False, "write_statistics": False,
}  # fmt: skip
BATCHES = b"onrecord.batches"  # in a shard's metadata: of what its row groups were read
GROUP_COLUMNS = pa.schema([ARTICLES.field("group_id"), ARTICLES.field("copy_of")])

Sidecar = Mapping[str, FileFields]


class Complaint(TypedDict):
    """A file, or a row of one, that could not be used."""

    file: str
    error: str


class Batch(NamedTuple):
    """Some articles of one unit of work: where their rows and their sketches are.

    ``unit`` is the hash of what the unit was read from, ``number`` counts its batches. ``encodings`` names the
    articles whose encoding was guessed.
    """

    unit: str
    number: int
    rows: RowRange
    letters: int = 0
    sketches: str = ""
    complaints: Sequence[Complaint] = ()
    encodings: Sequence[str] = ()

    @property
    def size(self) -> int:
        """The number of articles."""
        return self.rows.last - self.rows.first


@dataclass(frozen=True)
class ReadSettings:
    """How articles are read: the settings of ``conf/ingest.yaml`` that their rows depend on."""

    columns: Mapping[str, str]
    text_mb: float
    file_mb: float
    bands: int
    rows: int
    shard_size: int


def read_unit(
    unit: tuple[Sequence[Part], Sidecar],
    *,
    scratch: Path,
    settings: ReadSettings,
    written: Mapping[str, Sequence[RowRange]],
) -> list[Batch]:
    """Return the batches of a unit of work, read into ``scratch`` unless they are there already.

    ``written`` names the units that the present output holds whole, and where.
    """
    parts, sidecar = unit
    content = json.dumps([rules_hash(), [*map(part_hash, parts)], sidecar, repr(settings)])
    key = hashlib.sha256(content.encode()).hexdigest()[:32]
    # Complaints name a place in the file, which may have moved.
    done = scratch / f"{key}-{parts[0].first}.json"
    if done.exists():
        return msgspec.json.decode(done.read_bytes(), type=list[Batch])
    found: list[Batch] = []
    if key in written:
        for rows in written[key]:
            texts = [text for (text,) in read_values(rows, ["text"])]
            found.append(_sketched(Batch(key, len(found), rows), texts, scratch, settings))
        return found
    limits = {"text_mb": settings.text_mb, "file_mb": settings.file_mb}
    raws = ((p, raw) for p in parts for raw in raw_articles(p, settings.columns, **limits))
    for number, raw_batch in enumerate(batches(raws, settings.shard_size)):
        articles, complaints, encodings = articles_of(raw_batch, sidecar)
        path = scratch / f"{key}-{number}.parquet"
        with atomic(path) as temporary:
            pq.write_table(table_from_rows(articles, ARTICLES), temporary, **SCRATCH_OPTIONS)
        rows = RowRange(str(path), 0, len(articles))
        batch = Batch(key, number, rows, complaints=complaints, encodings=encodings)
        found.append(_sketched(batch, [a["text"] for a in articles], scratch, settings))
    write_json(done, msgspec.to_builtins(found))
    return found


def _sketched(batch: Batch, texts: Sequence[str], scratch: Path, settings: ReadSettings) -> Batch:
    """Return the batch with its number of letters, after writing the sketches of its texts."""
    path = scratch / f"{batch.unit}-{batch.number}.sketches"
    dedupe.write_sketches(path, texts, bands=settings.bands, rows=settings.rows)
    return batch._replace(letters=sum(map(len, texts)), sketches=str(path))


def part_hash(part: Part) -> list[Any]:
    """Return a part's name and a hash of its bytes; of a part of a Parquet file also its rows."""
    path = Path(part.path)
    lines = suffix(path) == ".jsonl"
    digest = hashlib.sha256()
    try:
        if not path.is_file():  # opening a pipe would wait for ever
            return [part.name, "no file"]
        left = (part.last or 0) - part.first if lines else path.stat().st_size
        with path.open("rb") as file:
            file.seek(part.first if lines else 0)
            while left > 0 and (data := file.read(min(left, MB))):
                digest.update(data)
                left -= len(data)
    except OSError as error:  # refused when it is read
        return [part.name, error.errno]
    return [part.name, digest.hexdigest(), *([] if lines else [part.first, part.last])]


def batches(
    raws: Iterable[tuple[Part, Raw | BadInput]], shard_size: int
) -> Iterator[list[tuple[Part, Raw | BadInput]]]:
    """Yield raw articles in batches, each a part of a shard by their number and by their letters."""
    held: list[tuple[Part, Raw | BadInput]] = []
    letters = 0
    for part, raw in raws:
        held.append((part, raw))
        letters += 0 if isinstance(raw, BadInput) else len(raw["text"])
        if len(held) * BATCHES_A_SHARD >= shard_size or letters * BATCHES_A_SHARD >= MAX_LETTERS:
            yield held
            held, letters = [], 0
    if held:
        yield held


def articles_of(
    batch: Sequence[tuple[Part, Raw | BadInput]], sidecar: Sidecar
) -> tuple[list[ArticleRow], list[Complaint], list[str]]:
    """Return the rows of raw articles, what could not be used, and the places of guessed encodings."""
    rows: list[ArticleRow] = []
    complaints: list[Complaint] = []
    encodings: list[str] = []
    for part, raw in batch:
        try:
            if isinstance(raw, BadInput):
                raise raw
            rows.append(article(raw, sidecar.get(part.name, {}), part.name))
        except BadInput as error:
            complaints.append({"file": part.name, "error": escape_unprintable(str(error))})
            continue
        if raw["encoding"] != "utf-8":
            encodings.append(f"{raw['where']} ({raw['encoding']})")
    return rows, complaints, encodings


def with_sidecar(
    units: Iterable[Sequence[Part]], sidecar: Sidecar
) -> list[tuple[Sequence[Part], Sidecar]]:
    """Return each unit of work with what the sidecar says of its files, by path or else by bare name."""

    def fields(part: Part) -> FileFields:
        return sidecar.get(part.name) or sidecar.get(Path(part.name).name) or {}

    return [(parts, {p.name: fields(p) for p in parts if fields(p)}) for parts in units]


def values(
    batches: Iterable[Batch], *columns: str, without: Set[int] = frozenset()
) -> Iterator[tuple[Any, ...]]:
    """Yield some columns' values, article by article, those at the indices ``without`` left out."""
    rows = chain.from_iterable(read_values(batch.rows, columns) for batch in batches)
    return (row for at, row in enumerate(rows) if at not in without)


class GroupedBatch(NamedTuple):
    """A batch with what was found of its articles, by their place in it: groups, and repeated ids.

    ``reusable`` is false where the next run must read its unit again: rows of it are left out, or there is
    something to report.
    """

    unit: str
    number: int
    reusable: bool
    rows: RowRange
    groups: dict[int, tuple[str, str | None]]
    duplicates: list[int]


def output_shards(
    batches: Sequence[Batch],
    groups: Mapping[int, tuple[str, str | None]],
    duplicates: Set[int],
    size: int,
) -> list[list[GroupedBatch]]:
    """Return runs of batches that fit a shard of ``size`` articles, with ``group_id`` and ``copy_of`` by place.

    ``groups`` gives both for the articles that have copies; ``duplicates`` are left out.
    """
    ends = accumulate(batch.size for batch in batches)
    places = [range(end - batch.size, end) for batch, end in zip(batches, ends, strict=True)]
    again = {b.unit for b in batches if b.complaints or b.encodings}
    again |= {
        b.unit for b, own in zip(batches, places, strict=True) if not duplicates.isdisjoint(own)
    }
    shards: list[list[GroupedBatch]] = []
    count = letters = 0
    for batch, own in zip(batches, places, strict=True):
        if not batch.size:
            continue
        count, letters = count + batch.size, letters + batch.letters
        if not shards or count > size or letters > MAX_LETTERS:
            shards.append([])
            count, letters = batch.size, batch.letters
        found = {at - own.start: groups[at] for at in own if at in groups}
        dropped = [at - own.start for at in own if at in duplicates]
        reusable = batch.unit not in again
        shards[-1].append(
            GroupedBatch(batch.unit, batch.number, reusable, batch.rows, found, dropped)
        )
    return shards


def shard_content(shard: Sequence[GroupedBatch]) -> list[object]:
    """Return all that a shard of articles depends on; where its batches were kept is no part of it."""
    return [each._replace(rows=RowRange("", 0, 0)) for each in shard]


def article_tables(shard: Sequence[GroupedBatch]) -> Iterator[pa.Table]:
    """Yield the articles of a shard, batch by batch, with their groups filled in.

    The first table's metadata says of what the batches were read.
    """
    sizes = [b.rows.last - b.rows.first - len(b.duplicates) for b in shard]
    read = [(b.unit if b.reusable else "", n) for b, n in zip(shard, sizes, strict=True)]
    metadata = {BATCHES: json.dumps(read).encode()}
    for batch in shard:
        table = pa.concat_tables(read_batches(batch.rows, ARTICLES.names)).combine_chunks()
        ids = table["article_id"].to_pylist()
        found = [batch.groups.get(at, (name, None)) for at, name in enumerate(ids)]
        pairs = table_from_rows([{"group_id": g, "copy_of": c} for g, c in found], GROUP_COLUMNS)
        for name in GROUP_COLUMNS.names:
            table = table.set_column(ARTICLES.get_field_index(name), name, pairs[name])
        if batch.duplicates:
            table = table.filter(pa.array([at not in batch.duplicates for at in range(len(ids))]))
        yield table.replace_schema_metadata(metadata)
        metadata = {}


def written_units(path: Path) -> dict[str, list[RowRange]]:
    """Return, by their hash, the units that an ``articles.parquet`` was read from, and where it has their rows."""
    found: dict[str, list[RowRange]] = defaultdict(list)
    for file in shard_files(path):
        try:
            metadata = pq.read_metadata(file).metadata or {}
        except (OSError, pa.ArrowException):
            continue
        begin = 0
        for unit, size in json.loads(metadata.get(BATCHES, b"[]")):
            found[unit].append(RowRange(str(file.resolve()), begin, begin + size))
            begin += size
    return {unit: rows for unit, rows in found.items() if unit}
