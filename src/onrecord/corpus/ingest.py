"""Files to articles: read, hashed, titled, furniture marked, grouped with their copies."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from onrecord.core.errors import BadInput
from onrecord.core.files import write_jsonl
from onrecord.core.parallel import map_shards
from onrecord.core.records import ARTICLES
from onrecord.core.tables import write_parquet_stream
from onrecord.corpus import changed_articles, dedupe
from onrecord.corpus.ingest_shards import Pieces, ingest_shard, regrouped, with_sidecar
from onrecord.corpus.readers.articles import read_sidecar
from onrecord.corpus.readers.sources import article_files, base_of, others, shards, suffix
from onrecord.corpus.unchanged import repeated

SHOWN = 10  # bad files, and files in other encodings, that the summary lists


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


def strays(known: Iterable[str], files: Iterable[tuple[Path, str]]) -> list[str]:
    """Return which of a sidecar's rows name no article file, by path or by bare name."""
    names = {name for path, full in files for name in (full, path.name)}
    return [name for name in known if name not in names]


def twins(rows: Iterable[tuple[str, str]], again: Set[int]) -> dict[int, dict[str, str]]:
    """Return, for each article whose id an earlier one has, its index and what is wrong, in order.

    ``rows`` are ids and files; only ids whose hash is in ``again`` are looked at.
    """
    first: dict[str, str] = {}
    found = {}
    for index, (identifier, file) in enumerate(rows):
        if hash(identifier) not in again:
            continue
        if identifier in first:
            said = (
                f"{file}: expected ids that differ, found a second article with the id "
                f"{identifier!r}; the first is in {first[identifier]}"
            )
            found[index] = {"file": file, "error": said}
        first.setdefault(identifier, file)
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


def refusal(bad: Sequence[Mapping[str, str]], usable: bool, on_error: str) -> str | None:
    """Return why ``ingest`` stops at the files that are bad, in one line, or None where it goes on."""
    if on_error not in {"skip", "fail"}:
        return f"on_error: expected skip or fail, found {on_error!r}"
    if not bad or (usable and on_error == "skip"):
        return None
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    return bad[0]["error"] + more + ("; on_error=skip leaves them out" if usable else "")


@contextmanager
def scratch_folder(workspace: Path) -> Iterator[Path]:
    """Yield the folder of the pieces, which stay; of bad input in a new workspace nothing is left."""
    made = not workspace.exists()
    scratch = workspace / ".ingest"
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        yield scratch
    except BadInput:
        if made:
            shutil.rmtree(scratch)
            workspace.rmdir()
        raise


def group(
    pieces: Pieces, without: Set[int], settings: Mapping[str, Any]
) -> tuple[dict[int, tuple[str, str | None]], int]:
    """Return ``group_id`` and ``copy_of`` of each article that has copies, and the number of all groups.

    Those ``without`` are compared with none.
    """
    rules = {key: settings[key] for key in ("jaccard", "containment", "shared", "bucket")}
    sketches = dedupe.Stored(pieces.files(".sketches"))
    roots = dedupe.groups(sketches, bands=settings["bands"], without=without, **rules)
    sizes = np.bincount(roots, minlength=1)
    copied = np.flatnonzero(sizes[roots] > 1).tolist()
    wanted = {*copied}
    rows = pieces.rows("article_id", "published")
    told = [row for index, row in enumerate(rows) if index in wanted] if wanted else []
    ids, published = zip(*told, strict=True) if told else ((), ())
    columns = group_columns(ids, published, roots[copied].tolist())
    groups = dict(zip(copied, zip(*columns, strict=True), strict=True))
    return groups, int(np.count_nonzero(sizes)) - len(without)


def main(cfg: DictConfig) -> None:
    """Read the article files and write ``articles.parquet``."""
    workspace = Path(cfg.workspace)
    options: Any = OmegaConf.to_container(cfg)
    target = workspace / "articles.parquet"
    files = article_files(str(cfg.articles))
    sidecar = sidecar_path(str(cfg.articles), cfg.sidecar)
    known = read_sidecar(sidecar.read_bytes(), cfg.columns, str(sidecar)) if sidecar else {}
    with scratch_folder(workspace) as scratch:
        pieces = read_all(with_sidecar(shards(files, cfg.shard_size), known), scratch, options)
        again = repeated(name for (name,) in pieces.rows("article_id"))
        same = twins(pieces.rows("article_id", "source_file"), again) if again else {}
        bad = [*pieces.notes("bad"), *same.values()]
        usable = next(pieces.rows("article_id", without=same.keys()), None) is not None
        if stopped := refusal(bad, usable, cfg.on_error):
            raise BadInput(stopped)
        now = partial(pieces.rows, "article_id", "sha256", without=same.keys())
        found = changed_articles.compare(partial(changed_articles.hashes, target), now)
        lost = changed_articles.orphans(workspace / "annotations.jsonl", found, pieces.text_of)
        if (stopped := changed_articles.complaint(found, lost)) and not cfg.accept_changes:
            raise BadInput(stopped)
        groups, n_groups = group(pieces, same.keys(), options["dedupe"])
        schema = ARTICLES.with_metadata(extractor(name for (name,) in pieces.rows("source_file")))
        tables = regrouped(pieces.tables(groups, same.keys()), int(cfg.shard_size))
        n = write_parquet_stream(target, tables, schema)
        pieces.prune()
        report(workspace, bad, pieces.notes("encodings"))
    print(
        f"{n} articles in {n_groups} groups (copies of a story share one) in {target}: {found.told()}"
    )
    if not Path(str(cfg.articles)).is_file() and (stray := strays(known, files)):
        more = ", …" if stray[SHOWN:] else ""
        print(f"{sidecar}: {len(stray)} rows name no article: {', '.join(stray[:SHOWN])}{more}")
    if left := others(str(cfg.articles)):
        print(
            f"{len(left)} files of other kinds were not read: {', '.join(left[:3])}{', …' if left[3:] else ''}"
        )
    if lost:
        print(f"{sum(lost.values())} annotations are orphaned, of {', '.join(sorted(lost))}")


def read_all(work: Sequence[Any], scratch: Path, options: Any) -> Pieces:
    """Return the pieces of work, read on the engine that the options name."""
    read = partial(
        ingest_shard,
        folder=str(scratch.resolve()),
        columns=options["columns"],
        limits=options["limits"],
        bands=options["dedupe"]["bands"],
        rows=options["dedupe"]["rows"],
    )
    names = map_shards(
        read, work, engine=options["engine"]["name"], workers=options["workers"], what="reading"
    )
    return Pieces(scratch, list(names))


def extractor(sources: Iterable[str]) -> dict[str, str]:
    """Return the version of what took the text out of pages, for the table's metadata, if there are pages."""
    pages = any(suffix(name) in {".html", ".htm"} for name in sources)
    return {"html_extractor": f"trafilatura {version('trafilatura')}"} if pages else {}


def report(workspace: Path, bad: Sequence[Mapping[str, str]], encodings: Sequence[str]) -> None:
    """Print what was guessed or left out; all that was left out is in ``rejected.jsonl``."""
    if encodings:
        more = f" and {len(encodings) - SHOWN} more" if len(encodings) > SHOWN else ""
        print(f"not UTF-8, encoding guessed: {', '.join(encodings[:SHOWN])}{more}")
    (workspace / "rejected.jsonl").unlink(missing_ok=True)
    if bad:
        write_jsonl(workspace / "rejected.jsonl", bad)
        print(f"left out {len(bad)}, all listed in {workspace / 'rejected.jsonl'}:")
        print("\n".join(f"  {row['error']}" for row in bad[:SHOWN]))
