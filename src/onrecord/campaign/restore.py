"""``restore``: a workspace as ``backup`` found it. Nothing of the archive is run."""

import shutil
import tarfile
from pathlib import Path

from omegaconf import DictConfig

from onrecord.campaign.backup import MANIFEST
from onrecord.campaign.labelstudio.database import load_database
from onrecord.core.errors import BadInput
from onrecord.core.files import file_sha256, put_in_place, read_object
from onrecord.core.workspace import Workspace


def unpack(source: Path, campaign: str, to: Path) -> str:
    """Unpack an archive into the new folder ``to``, checked; return when it was made.

    Raises BadInput for another campaign's, for a file outside the folder, missing, too many or of other bytes.
    """
    try:
        with tarfile.open(source) as archive:
            archive.extractall(to, filter="data")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise BadInput(
            f"{source}: expected an archive of `onrecord backup`, found {error}"
        ) from error
    manifest = read_object(to / MANIFEST, ["campaign", "made_at", "files"], "backup")
    (to / MANIFEST).unlink()
    if manifest["campaign"] != campaign:
        raise BadInput(f"{source}: is of the campaign {manifest['campaign']}, not of {campaign}")
    found = {p.relative_to(to).as_posix(): p for p in to.rglob("*") if p.is_file()}
    for name in sorted({*found, *manifest["files"]}):
        if name not in found or file_sha256(found[name]) != manifest["files"].get(name):
            raise BadInput(f"{source}: {name} is not as it was backed up")
    return str(manifest["made_at"])


def main(cfg: DictConfig) -> None:
    """Make the workspace again from an archive, where there is none; PostgreSQL's dump goes into POSTGRE_*."""
    workspace = Workspace(Path(cfg.workspace))
    if workspace.folder.exists() and any(workspace.folder.iterdir()):
        raise BadInput(
            f"{workspace.folder} is there already: move it away first, or say workspace="
        )
    if not cfg["from"]:
        raise BadInput("from: expected an archive of `onrecord backup`, found none")
    folder = workspace.folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = folder.with_name(f".{folder.name}.restoring")
    try:
        made_at = unpack(Path(cfg["from"]), cfg.campaign.name, making)
        load_database(making / workspace.labelstudio.name)
        put_in_place(making, folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    print(
        f"{workspace.folder} is as it was at {made_at}. What was annotated later is gone from it:"
    )
    print(
        "run `onrecord serve` (or the team's server), then `onrecord launch` and `onrecord collect`."
    )
