"""Label Studio's own environment: made on first use, found again by version.

The server brings Django and holds numpy and pyarrow back, so it never shares ours. Beside it lies a
migrated, empty database: copying it saves a workspace's first start the migrations (36 s become 9 s).
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from onrecord import ROOT
from onrecord.core.errors import BadInput
from onrecord.core.files import locked

LOCK = ROOT / "requirements-labelstudio.txt"

# Nothing is sent or asked for: no analytics, no version check, no error reports, no downloads.
QUIET = {
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_CONVERTER_DOWNLOAD_RESOURCES": "false",
    "LOG_LEVEL": "WARNING",
    "PYTHONUNBUFFERED": "1",
}

# One annotation costs Label Studio about six commits, and SQLite waits for the disk at each. A rehearsal or
# a test need not outlive a power cut (it does outlive any kill), so there the waiting is left out.
NON_DURABLE_LAUNCHER = """
from sqlite3 import dbapi2
connect = dbapi2.connect
def non_durable(*words, **named):
    connection = connect(*words, **named)
    connection.execute("PRAGMA synchronous=OFF")
    return connection
dbapi2.connect = non_durable
from label_studio.server import main
main()
"""


def cache_folder() -> Path:
    """Return where environments are kept: ``ONRECORD_CACHE``, else the user's cache folder."""
    return Path(os.environ.get("ONRECORD_CACHE") or platformdirs.user_cache_dir("onrecord"))


def version(lock: Path = LOCK) -> str:
    """Return the version of Label Studio that the lock pins."""
    match = re.search(r"^label-studio==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise BadInput(f"{lock}: expected a line label-studio==VERSION, found none")
    return match[1]


def environment(cache: Path) -> Path:
    """Return Label Studio's environment under ``cache``, made if it is not there: one maker at a time."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / f"label-studio-{version()}-py{python}"
    if (folder / "empty.sqlite3").exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / f".{folder.name}.lock"):
        if not (folder / "empty.sqlite3").exists():
            make(folder)
    return folder


def make(folder: Path) -> None:
    """Make the environment and the empty database in ``folder``; it takes its name when it is whole."""
    print(
        f"Installing Label Studio {version()} into an environment of its own: {folder} …",
        flush=True,
    )
    making = folder.with_name(f".{folder.name}.{os.getpid()}.making")
    shutil.rmtree(making, ignore_errors=True)
    try:
        install(making)
        print("Preparing an empty Label Studio database (once) …", flush=True)
        scratch = making / "scratch"
        scratch.mkdir()
        # `version` applies the migrations, makes no user and ends.
        run([*command(making), "version"], {**base_environment(scratch), **QUIET})
        (scratch / "label_studio.sqlite3").rename(making / "empty.sqlite3")
        shutil.rmtree(scratch)
        shutil.rmtree(folder, ignore_errors=True)
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def install(folder: Path) -> None:
    """Install what the lock pins into a new environment in ``folder``: by our uv, else by its own."""
    run([sys.executable, "-m", "venv", str(folder)], os.environ)
    python = str(folder / "bin" / "python")
    uv = [sys.executable, "-m", "uv"]
    if importlib.util.find_spec("uv") is None:
        run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "uv"], os.environ)
        uv = [python, "-m", "uv"]
    target = ["--python", python, "--compile-bytecode", "-r", str(LOCK)]
    run([*uv, "pip", "install", "-q", *target], os.environ)


def command(folder: Path, *, durable: bool = True) -> list[str]:
    """Return the start of Label Studio's command line; scripts in ``bin`` would not survive the rename."""
    return [
        str(folder / "bin" / "python"),
        *(["-m", "label_studio.server"] if durable else ["-c", NON_DURABLE_LAUNCHER]),
    ]


def base_environment(data: Path) -> dict[str, str]:
    """Return the variables of every Label Studio process: nothing of the user's leaks in or is written to."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "TZ", "TMPDIR") if key in os.environ}
    return {**kept, "HOME": str(data), "LABEL_STUDIO_BASE_DATA_DIR": str(data)}


def run(words: list[str], variables: Mapping[str, str]) -> None:
    """Run a command to its end; raises BadInput with its last line where it fails."""
    done = subprocess.run(
        words,
        env=dict(variables),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise BadInput(f"{' '.join(words[:5])} … ended with {done.returncode}: {last}")
