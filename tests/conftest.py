"""Shared by all tests: marks, the folder of private data beside the clone, the server and the browser."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from onrecord.campaign.labelstudio import install, server
from onrecord.cli.app import main

ROOT = Path(__file__).parents[1]

# A property holds or not; how long an example takes on a busy machine says nothing.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

# Everything works offline once installed; a test that reaches for the hub is a bug.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# Label Studio's environment is the user's, though tests move XDG_CACHE_HOME to keep their own caches apart.
os.environ.setdefault("ONRECORD_CACHE", str(install.cache_folder()))


# The files that take longest, first: the processes then end at about the same time.
LONGEST_FIRST = (
    "test_docs", "test_walk", "test_annotate", "test_own_campaign", "test_interrupted", "test_postgres",
    "test_server", "test_collect", "test_every_page", "test_reproduce",
)  # fmt: skip

# A test that uses such a fixture, directly or not, bears its mark. `make quick` leaves all marked tests out.
MARKS = {
    "label_studio_installed": "server",
    "database": "server",
    "chromium": "browser",
    "study": "study",
    "encoder": "encoder",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures they use, and put the tests of the longest files first."""
    for item in items:
        for fixture in MARKS.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(MARKS[fixture])
    rank = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session")
def shared() -> Path:
    """``../shared``: real articles, labels and benchmarks. Without it tests are skipped; CI refuses that."""
    folder = Path(os.environ.get("ONRECORD_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        if os.environ.get("ONRECORD_REQUIRE_SHARED") == "1":
            pytest.fail(f"{folder} is absent, and ONRECORD_REQUIRE_SHARED=1 requires it")
        pytest.skip(f"needs {folder}, which only developers and CI have")
    return folder


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def onrecord() -> Run:
    """Run a command in this process, which has imported what it needs: ``onrecord("ingest", "articles=…", cwd=folder)``."""

    def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        out, err = io.StringIO(), io.StringIO()
        with chdir(cwd), redirect_stdout(out), redirect_stderr(err):
            status = main(words)
        return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def onrecord_process() -> Run:
    """Run the command line as a user does, in a process of its own."""

    def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "onrecord", *words],
            cwd=cwd, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def label_studio_installed() -> None:
    """Install Label Studio once on this machine. Tests that start a server of their own request this."""
    install.environment(install.cache_folder())


@pytest.fixture(scope="session")
def labelstudio(
    label_studio_installed: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[server.Server]:
    """Start a real Label Studio for the whole session, ended by its own pid whatever happens.

    A test makes it its own by another campaign name; ``labelstudio.url=`` and the token in the
    environment (fixture ``team_server``) bring the command line to it.
    """
    workspace = tmp_path_factory.mktemp("labelstudio")
    try:
        yield server.start(workspace, durable=False)
    finally:
        server.stop(workspace)


@pytest.fixture
def team_server(labelstudio: server.Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the override that names the session's server, with its token put into the environment."""
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", labelstudio.token)
    return f"labelstudio.url={labelstudio.url}"


class Words(tuple[str, ...]):
    """The overrides that name a test's campaign and workspace; ``workspace`` is the folder."""

    workspace: Path


@pytest.fixture(scope="session")
def planned(onrecord: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace of two sample articles, planned for two annotators; copied, never written to."""
    workspace = tmp_path_factory.mktemp("planned")
    (workspace / "articles").mkdir()
    for path in sorted((ROOT / "data" / "sample" / "articles").glob("*.txt"))[:2]:
        shutil.copy(path, workspace / "articles")
    steps = ("ingest", f"articles={workspace / 'articles'}"), ("segment",), ("attribute",)
    for verb, *words in (*steps, ("plan", "annotators=2")):
        onrecord(verb, f"workspace={workspace}", *words).check_returncode()
    return workspace


@pytest.fixture
def campaign_workspace(planned: Path, tmp_path: Path) -> Callable[[str], Words]:
    """Make a planned workspace of the test's own, for a campaign whose name no other test has."""

    def make(name: str) -> Words:
        words = Words(("campaign=sample", f"campaign.name={name}", f"workspace={tmp_path / name}"))
        words.workspace = shutil.copytree(planned, tmp_path / name)
        steps = words.workspace / ".steps.json"  # else the steps would be those of another campaign
        steps.write_text(steps.read_text().replace('"campaign": "sample"', f'"campaign": "{name}"'))
        return words

    return make


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start one headless Chromium for all browser tests; without Debian's they are skipped."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
