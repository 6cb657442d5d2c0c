"""Article files: which a source has, and the units of work that they are read in."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.core.errors import BadInput

SINGLE = (".txt", ".html", ".htm")  # one article a file
SUFFIXES = (*SINGLE, ".jsonl", ".jsonl.gz", ".csv", ".parquet")
RANGE = 1 << 22  # bytes of a .jsonl file in one part
MB = 1 << 20


@dataclass(frozen=True)
class Part:
    """A file, or a range of one: bytes of a .jsonl file, rows of a .parquet one. ``name`` is within the source."""

    path: str
    name: str
    first: int = 0
    last: int | None = None


def suffix(path: str | Path) -> str:
    """Return a file's format by its name, or "" where it is none that is read.

    >>> suffix("a/b.JSONL.gz")
    '.jsonl.gz'
    """
    name = str(path).lower()
    return next((s for s in SUFFIXES if name.endswith(s)), "")


def base_of(source: str) -> Path:
    """Return the folder that the names of a source's files are within.

    >>> base_of("news/2025/*/a?.txt").as_posix()
    'news/2025'
    """
    path = Path(source)
    if path.is_dir() or path.is_file():
        return path if path.is_dir() else path.parent
    return Path(*takewhile(lambda part: not set(part) & set("*?["), path.parts[:-1]))


def article_files(source: str) -> list[tuple[Path, str]]:
    """Return the article files of a folder (and the folders in it), a file or a glob: ``(path, name)``, sorted.

    Raises BadInput where there is none. Hidden files and a sidecar ``articles.csv`` are no articles; a link
    to nothing and a pipe that have an article's name are among them, and are refused when they are read.
    """
    if not source:
        raise BadInput("articles: expected a folder, a file or a glob, found nothing")
    path, base = Path(source), base_of(source)
    if path.is_dir():
        found = sorted(path.rglob("*"))
    else:
        found = [path] if path.is_file() else glob_files(path)
    files = [p for p in found if not p.is_dir()]
    kept = [
        (p, escape_unprintable(p.relative_to(base).as_posix()))
        for p in files
        if suffix(p) and (p == path or (p.name != "articles.csv" and not p.name.startswith(".")))
    ]
    if not kept:
        there = f"{len(files)} files of other kinds" if files else "nothing"
        raise BadInput(f"{source}: expected articles ({', '.join(SUFFIXES)}), found {there} there")
    return kept


def glob_files(pattern: Path) -> list[Path]:
    """Return the paths that a glob finds, sorted."""
    try:
        return sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    except ValueError as error:
        raise BadInput(f"{pattern}: expected a folder, a file or a glob, found {error}") from error


def escape_unprintable(name: str) -> str:
    r"""Return a name or a message in one line: what cannot be printed is escaped.

    >>> escape_unprintable("a\n\udcff.csv")
    'a\\n\\udcff.csv'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def unsupported_files(source: str) -> list[str]:
    """Return the names of a folder's files that are no articles of a kind that is read, such as ``x.pdf``."""
    folder = Path(source)
    found = sorted(folder.rglob("*")) if folder.is_dir() else []
    kept = (p for p in found if not suffix(p) and not p.name.startswith(".") and p.is_file())
    return [escape_unprintable(p.name) for p in kept]


def work_units(files: Sequence[tuple[Path, str]], size: int) -> list[tuple[Part, ...]]:
    """Return the files as units of work: up to ``size`` articles, or one table, or a range of a large one."""
    single = [Part(str(path), name) for path, name in files if suffix(path) in SINGLE]
    units = [tuple(single[at : at + size]) for at in range(0, len(single), size)]
    for path, name in files:
        kind = suffix(path)
        if kind in SINGLE:
            continue
        if path.is_file() and kind in {".jsonl", ".parquet"}:
            ranges = line_ranges(path) if kind == ".jsonl" else group_ranges(path, size)
            units += [(Part(str(path), name, first, last),) for first, last in ranges]
        else:  # a pipe is not opened: it would wait
            units.append((Part(str(path), name),))
    return units


def line_ranges(path: Path) -> list[tuple[int, int]]:
    """Return ranges of RANGE bytes of a .jsonl file, each to the end of its last line.

    A file that cannot be read is one range, refused when it is read.
    """
    size = path.stat().st_size
    cuts = [0]
    try:
        with path.open("rb") as file:
            while cuts[-1] + RANGE < size:
                file.seek(cuts[-1] + RANGE - 1)
                while (line := file.readline(MB)) and not line.endswith(b"\n"):
                    pass
                cuts.append(file.tell())
    except OSError:
        return [(0, size)]
    return list(pairwise([*cuts, size] if cuts[-1] < size or len(cuts) == 1 else cuts))


def group_ranges(path: Path, size: int) -> list[tuple[int, int]]:
    """Return row ranges of a Parquet file: row groups, joined until they have ``size`` rows.

    A file that is none is one range, refused when it is read.
    """
    try:
        metadata = pq.read_metadata(path)
    except (OSError, pa.ArrowException, UnicodeError):
        return [(0, 0)]
    cuts, at = [0], 0
    for group in range(metadata.num_row_groups):
        at += metadata.row_group(group).num_rows
        if at - cuts[-1] >= size:
            cuts.append(at)
    return list(pairwise(cuts if cuts[-1] == at and at else [*cuts, at]))
