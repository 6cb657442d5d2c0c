"""Files between stages: text, JSON and JSON Lines, written whole or not at all, and checked when read."""

import ctypes
import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, overload

import msgspec

from onrecord.core.errors import BadInput

Row = TypeVar("Row")


def require(path: str | Path, command: str) -> Path:
    """Return ``path`` if it exists; else raise BadInput naming the command that makes it."""
    if not Path(path).exists():
        raise BadInput(f"{path} is not there yet: run `onrecord {command}` first")
    return Path(path)


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def put_in_place(new: Path, path: Path) -> None:
    """Move a file or folder to ``path`` in one step; what was there is removed.

    A folder takes the place of another by an exchange of names, which Linux and macOS have. On a file system
    without it there is a moment at which nothing is at ``path``, but never half of a folder.
    """
    old = path.with_name(f".{path.name}.old")
    remove(old)
    if not path.exists() or (new.is_file() and path.is_file()):
        new.replace(path)
        return
    here, name = (-2, "renameatx_np") if sys.platform == "darwin" else (-100, "renameat2")
    exchange = getattr(ctypes.CDLL(None), name, None)  # flag 2: exchange
    if exchange is None or exchange(here, os.fsencode(new), here, os.fsencode(path), 2):
        path.replace(old)
        new.replace(path)
        new = old
    remove(new)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: str | Path, text: str, *, mode: int | None = None) -> None:
    """Write UTF-8 text, newlines as they are; ``mode`` (such as 0o600) holds from the first byte on."""
    with atomic(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode or 0o666)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)


def write_json(path: str | Path, value: Any) -> None:
    """Write one JSON value, indented, keys in the order given."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def write_jsonl(path: str | Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line."""
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Return the JSON value in a file; raises BadInput where it is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: expected JSON, found {error}") from error


def read_object(path: str | Path, keys: Iterable[str], made_by: str) -> dict[str, Any]:
    """Return the JSON object in a file that the command ``made_by`` writes; raises BadInput where a key is missing."""
    found = read_json(path)
    missing = [key for key in keys if not isinstance(found, dict) or key not in found]
    if missing:
        raise BadInput(
            f"{path}: expected the key {missing[0]!r}, found none: run `onrecord {made_by}` again"
        )
    return dict(found)


@overload
def read_jsonl(path: str | Path) -> list[dict[str, Any]]: ...
@overload
def read_jsonl(path: str | Path, row_type: type[Row]) -> list[Row]: ...
def read_jsonl(path: str | Path, row_type: type[Any] | None = None) -> list[Any]:
    """Return the rows of a JSON Lines file, each checked against ``row_type`` (a TypedDict) if given."""
    rows = []
    try:
        with Path(path).open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    rows.append(parse_row(line, f"{path}, line {number}", row_type))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: expected JSON Lines in UTF-8, found {error}") from error
    return rows


def parse_row(line: str, where: str, row_type: type | None = None) -> dict[str, Any]:
    """Return one line's JSON object, checked; raises BadInput saying what was expected and where."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise BadInput(f"{where}: expected a JSON object, found {error}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{where}: expected a JSON object, found {type(row).__name__}")
    if row_type is not None:
        check_row(row, row_type, where)
    return row


def check_row(row: Mapping[str, Any], row_type: type, where: str) -> None:
    """Raise BadInput unless ``row`` has every required key of the TypedDict, each of its type.

    The row itself stays as it was: a key that the type does not name is kept.
    """
    try:
        msgspec.convert(row, row_type)
    except msgspec.ValidationError as error:
        complaint = str(error)
        raise BadInput(f"{where}: {complaint[:1].lower()}{complaint[1:]}") from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path``, waiting for whoever holds it; the kernel frees it at any death."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256, in hex, of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
