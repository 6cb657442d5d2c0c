"""``backup``: the whole workspace with its server's database, in one archive that ``restore`` makes again."""

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from omegaconf import DictConfig

from onrecord import __version__
from onrecord.campaign.labelstudio.database import DUMP, NOT_COPIED, SQLITE, save_database
from onrecord.core.errors import BadInput
from onrecord.core.files import atomic, file_sha256, locked
from onrecord.core.workspace import Workspace

MANIFEST = "manifest.json"


def files_of(workspace: Workspace) -> Iterator[tuple[str, Path]]:
    """Yield the name in the archive and the path of each file, but of locks, unfinished files and the live database."""
    server = workspace.labelstudio
    for path in sorted(workspace.folder.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.suffix in (".lock", ".tmp"):
            continue
        if path.parent == server and path.name in (*NOT_COPIED, SQLITE, DUMP):
            continue
        yield path.relative_to(workspace.folder).as_posix(), path


def write_archive(workspace: Workspace, campaign: str, to: Path) -> int:
    """Write the archive, readable by its owner only; return how many files it has.

    ``launch`` and ``collect`` wait meanwhile. The database is copied last, so that it has all that the files know of.
    """
    with ExitStack() as stack:
        if workspace.labelstudio.is_dir():
            stack.enter_context(locked(workspace.launch_lock))
            stack.enter_context(locked(workspace.collect_lock))
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="onrecord-backup-")))
        files = dict(files_of(workspace))
        if database := save_database(workspace.labelstudio, scratch):
            files[f"{workspace.labelstudio.name}/{database.name}"] = database
        manifest = {
            "campaign": campaign, "onrecord": __version__,
            "made_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "files": {name: file_sha256(path) for name, path in files.items()},
        }  # fmt: skip
        temporary = stack.enter_context(atomic(to))
        temporary.touch(mode=0o600)
        with tarfile.open(temporary, "w:gz", compresslevel=6) as archive:
            content = json.dumps(manifest, indent=2).encode()
            header = tarfile.TarInfo(MANIFEST)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
            for name, path in files.items():
                archive.add(path, name, recursive=False)
    return len(files)


def main(cfg: DictConfig) -> None:
    """Write the campaign's archive: ``to``, or a file beside the workspace named after the moment."""
    workspace = Workspace(Path(cfg.workspace))
    if not workspace.folder.is_dir():
        raise BadInput(f"{workspace.folder}: there is no workspace to back up")
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    to = Path(cfg.to or f"{workspace.folder}.{moment}.tar.gz")
    if to.exists() or to.resolve().is_relative_to(workspace.folder.resolve()):
        raise BadInput(f"to={to}: expected a new file outside the workspace")
    count = write_archive(workspace, cfg.campaign.name, to)
    print(f"{count} files → {to}")
    print("It holds the annotators' passwords: keep it as safe as the workspace.")
    if cfg.labelstudio.url:
        print(
            f"The database of {cfg.labelstudio.url} is not in it: that server has its own backup."
        )
