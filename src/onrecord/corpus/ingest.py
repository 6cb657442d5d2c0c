"""Files to articles: read, hashed, titled, furniture marked, grouped with their copies."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from onrecord.core.errors import BadInput
from onrecord.core.files import remove, write_jsonl
from onrecord.core.parallel import map_shards, shard_keys, write_shards
from onrecord.core.records import ARTICLES
from onrecord.core.workspace import Workspace
from onrecord.corpus import changed_articles, dedupe
from onrecord.corpus.article_shards import repeated, rules_hash, shortened
from onrecord.corpus.ingest_shards import (
    Batch,
    Complaint,
    ReadSettings,
    Sidecar,
    article_tables,
    output_shards,
    read_unit,
    shard_content,
    values,
    with_sidecar,
    written_units,
)
from onrecord.corpus.readers.articles import read_sidecar
from onrecord.corpus.readers.sources import (
    article_files,
    base_of,
    suffix,
    unsupported_files,
    work_units,
)

MAX_LISTED = 10  # bad files, and files in other encodings, that the summary lists


def sidecar_path(source: str, given: str | None) -> Path | None:
    """Return the sidecar of a source: the one given, else ``articles.csv`` in its folder or beside it."""
    if given:
        if not Path(given).is_file():
            raise BadInput(f"sidecar: expected a table, found nothing at {given}")
        return Path(given)
    folder = base_of(source)
    places = [folder / "articles.csv"]
    if not Path(source).is_file():
        places.append(folder.parent / "articles.csv")
    return next((place for place in places if place.is_file() and place != Path(source)), None)


def duplicate_ids(batches: Sequence[Batch]) -> dict[int, Complaint]:
    """Return, for each article whose id an earlier one has, its index and what is wrong, in order."""
    again = repeated(name for (name,) in values(batches, "article_id"))
    first: dict[str, str] = {}
    found: dict[int, Complaint] = {}
    for index, (name, file) in enumerate(
        values(batches, "article_id", "source_file") if again else ()
    ):
        if name in first:
            error = (
                f"{file}: expected ids that differ, found a second article with the id "
                f"{name!r}; the first is in {first[name]}"
            )
            found[index] = {"file": file, "error": error}
        elif hash(name) in again:
            first[name] = file
    return found


def group_columns(
    ids: Sequence[str], published: Sequence[str | None], roots: Sequence[int]
) -> tuple[list[str], list[str | None]]:
    """Return ``group_id`` and ``copy_of`` of each article, ``roots`` being what :func:`dedupe.groups` found.

    The original of a group is the article published first, by date and then by id; the others are copies
    of it, and the group bears the least of its articles' ids.

    >>> group_columns(["b", "a", "c"], [None, "2025-01-02", None], [0, 0, 2])
    (['a', 'a', 'c'], ['a', None, None])
    """
    name: dict[int, str] = {}
    first: dict[int, tuple[str, str]] = {}
    for identifier, day, root in zip(ids, published, roots, strict=True):
        name[root] = min(name.get(root, identifier), identifier)
        first[root] = min(first.get(root, ("~", "")), (day or "9", identifier))
    copies = [None if first[r][1] == i else first[r][1] for i, r in zip(ids, roots, strict=True)]
    return [name[root] for root in roots], copies


def refusal(bad: Sequence[Complaint], usable: bool, on_error: str) -> str | None:
    """Return why ``ingest`` stops at the files that are bad, in one line, or None where it goes on."""
    if on_error not in {"skip", "fail"}:
        return f"on_error: expected skip or fail, found {on_error!r}"
    if not bad or (usable and on_error == "skip"):
        return None
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    return bad[0]["error"] + more + ("; on_error=skip leaves them out" if usable else "")


@contextmanager
def scratch_folder(workspace: Path) -> Iterator[Path]:
    """Yield a folder for what is read; it stays until a run is whole. Bad input leaves no new workspace."""
    is_new = not workspace.exists()
    scratch = workspace.resolve() / f".{Workspace.articles.name}.read"
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        yield scratch
    except BadInput:
        if is_new:
            remove(workspace)
        raise
    remove(scratch)


def group_articles(
    batches: Sequence[Batch], without: Set[int], rules: Mapping[str, Any]
) -> tuple[dict[int, tuple[str, str | None]], int]:
    """Return ``group_id`` and ``copy_of`` of each article that has copies, and the number of all groups.

    Those ``without`` are compared with none. ``rules`` are those of ``dedupe`` in ``conf/ingest.yaml``.
    """
    rules = {key: value for key, value in rules.items() if key != "rows"}
    sketches = dedupe.Sketches(Path(batch.sketches) for batch in batches)
    roots = dedupe.groups(sketches, without=without, **rules)
    sizes = np.bincount(roots, minlength=1)
    copied = np.flatnonzero(sizes[roots] > 1).tolist()
    wanted = {*copied}
    rows = values(batches, "article_id", "published") if wanted else ()
    ids_and_days = [row for index, row in enumerate(rows) if index in wanted]
    ids, published = zip(*ids_and_days, strict=True) if ids_and_days else ((), ())
    columns = group_columns(ids, published, roots[copied].tolist())
    groups = dict(zip(copied, zip(*columns, strict=True), strict=True))
    return groups, int(np.count_nonzero(sizes)) - len(without)


def main(cfg: DictConfig) -> None:
    """Read the article files and write ``articles.parquet``."""
    workspace = Workspace(Path(cfg.workspace))
    how = {"engine": cfg.engine.name, "workers": cfg.workers}
    source, target = str(cfg.articles), workspace.articles
    files = article_files(source)
    table = sidecar_path(source, cfg.sidecar)
    sidecar = read_sidecar(table.read_bytes(), cfg.columns, str(table)) if table else {}
    settings = ReadSettings(
        dict(cfg.columns), **cfg.limits, bands=cfg.dedupe.bands, rows=cfg.dedupe.rows,
        shard_size=cfg.shard_size,
    )  # fmt: skip
    with scratch_folder(workspace.folder) as scratch:
        units = with_sidecar(work_units(files, cfg.shard_size), sidecar)
        written = written_units(target)
        read = partial(read_unit, scratch=scratch, settings=settings, written=written)
        batches = [b for part in map_shards(read, units, what="reading", **how) for b in part]
        same = duplicate_ids(batches)
        bad = [c for batch in batches for c in batch.complaints] + [*same.values()]
        usable = sum(batch.size for batch in batches) > len(same)
        if reason := refusal(bad, usable, cfg.on_error):
            raise BadInput(reason)
        now = partial(values, batches, "article_id", "sha256", without=same.keys())
        changes = changed_articles.compare(partial(changed_articles.hashes, target), now)
        texts = partial(values, batches, "article_id", "text")
        lost = changed_articles.orphans(workspace.annotations, changes, texts)
        if (reason := changed_articles.refusal(changes, lost)) and not cfg.accept_changes:
            raise BadInput(reason)
        groups, n_groups = group_articles(batches, same.keys(), dict(cfg.dedupe))
        shards = output_shards(batches, groups, same.keys(), cfg.shard_size)
        schema = ARTICLES.with_metadata(extractor(name for _, name in files))
        keys = shard_keys(map(shard_content, shards), rules_hash(), schema)
        n, _ = write_shards(
            target, article_tables, shards, schema, keys=keys, what="writing", **how
        )
    report_left_out(workspace.rejected, bad, [e for batch in batches for e in batch.encodings])
    print(
        f"{n} articles in {n_groups} groups (copies of a story share one) in {target}: {changes.summary()}"
    )
    report_unused(source, files, sidecar, table)
    if lost:
        print(f"{sum(lost.values())} annotations are orphaned, of {', '.join(sorted(lost))}")


def extractor(sources: Iterable[str]) -> dict[str, str]:
    """Return the version of what took the text out of pages, for the table's metadata, if there are pages."""
    pages = any(suffix(name) in {".html", ".htm"} for name in sources)
    return {"html_extractor": f"trafilatura {version('trafilatura')}"} if pages else {}


def report_left_out(rejected: Path, bad: Sequence[Complaint], encodings: Sequence[str]) -> None:
    """Print which encodings were guessed and what was left out; the file ``rejected`` lists all of that."""
    if encodings:
        print(f"not UTF-8, encoding guessed: {shortened(encodings, MAX_LISTED)}")
    rejected.unlink(missing_ok=True)
    if bad:
        write_jsonl(rejected, bad)
        print(f"left out {len(bad)}, all listed in {rejected}:")
        print("\n".join(f"  {row['error']}" for row in bad[:MAX_LISTED]))


def report_unused(
    source: str, files: Sequence[tuple[Path, str]], sidecar: Sidecar, sidecar_file: Path | None
) -> None:
    """Print which rows of the sidecar name no article, and which files are of kinds that are not read."""
    names = {name for path, full in files for name in (full, path.name)}
    rows = [] if Path(source).is_file() else [name for name in sidecar if name not in names]
    if rows:
        print(f"{sidecar_file}: {len(rows)} rows name no article: {shortened(rows, MAX_LISTED)}")
    if left := unsupported_files(source):
        print(f"{len(left)} files of other kinds were not read: {shortened(left, 3)}")
