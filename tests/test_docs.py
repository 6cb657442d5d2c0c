"""The documents: every command in them runs, links lead somewhere, every verb is explained.

Commands stand in ``sh`` blocks and are run here, in order, through the real command line, in a copy of the
project's own data. What cannot be run here stands in a ``text`` block, and CANNOT says why.
"""

import io
import re
import shlex
import shutil
import subprocess
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from onrecord.campaign import shipped_labels
from onrecord.campaign.labelstudio import server
from onrecord.cli.app import main
from onrecord.cli.commands import COMMANDS
from onrecord.cli.help import with_command_table
from onrecord.cli.overrides import local_conf_first
from onrecord.core.files import read_jsonl
from onrecord.core.records import ShippedLabel

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")

CANNOT = {
    "host=": "opens a server to the network",
    "labelstudio.url=": "needs a team's server (tests/campaign/test_launch.py brings one)",
    "hydra/launcher=submitit_slurm": "needs a Slurm cluster",
    "to=hub": "needs the Hub and a token (tests/dataset/test_hub.py has a stand-in)",
    "articles=FOLDER": "needs the five real articles (tests/test_walk.py has them)",
    "rows=FILE": "needs the reader's own table (tests/dataset/ has some)",
    "annotations=FILE": "needs the reader's own table (tests/campaign/test_agree.py has some)",
    "# on PostgreSQL": "needs a PostgreSQL server (tests/campaign/test_postgres.py starts one)",
    "from=": "needs a file from elsewhere (tests/campaign/test_import_annotations.py has real ones)",
    "diff=": "needs a second version of the scheme (tests/scheme/test_migrations.py has one)",
    "round=": "needs an adjudicator (tests/campaign/test_adjudicate.py has one)",
    "format=": "needs another tool's export (tests/campaign/test_import_annotations.py has some)",
    "budget=": "would plan the walk's campaign anew",
    "run=experiments/runs/NAME": "needs a run's name",
    "by=outlet": "needs predictions of the campaign (tests/experiment/test_estimate.py has some)",
    "study=": "a study takes minutes (tests/experiment/ runs one)",
}


def blocks(page: Path, language: str) -> list[str]:
    """Return the lines of a page's fenced blocks of a language, comments and blank lines left out."""
    found = re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M
    )
    lines = "\n".join(found).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def targets() -> set[str]:
    """Return what ``make`` can make."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M))


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the state that ``make demo`` leaves.

    The shipped labels come in as a table, without the minutes that a server takes: tests/test_walk.py goes
    the whole way through one.
    """
    folder = fresh(tmp_path_factory.mktemp("walked"))
    for verb in ("ingest", "segment", "attribute", "plan"):
        run(f"onrecord {verb}", folder)
    labels = ["sentence_id,annotator,question,label"]
    for file in sorted((folder / "data/sample/simulated").glob("*.jsonl")):
        for row in read_jsonl(file, ShippedLabel):
            labels += [
                f'{row["sentence_id"]},{row["annotator"]},{question},"{label}"'
                for question, label in row["labels"].items()
                if label is not None
            ]
    (folder / "labels.csv").write_text("\n".join(labels), encoding="utf-8")
    run("onrecord collect from=labels.csv format=csv", folder)
    for words in ("agree", "adjudicate", "build", "train", "evaluate on=out_of_fold", "publish"):
        run(f"onrecord {words}", folder)
    return folder


def fresh(folder: Path) -> Path:
    """Fill a folder with what a clone has for the verbs: campaigns, configs and the instrument."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "annotation", "conf", "data"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, tracked.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def run(line: str, folder: Path) -> None:
    """Run one line in a folder: ``onrecord`` in this process, anything else in a shell; fail with its output."""
    words = shlex.split(line, comments=True)
    out = io.StringIO()
    if words[0] == "onrecord":
        with chdir(folder), redirect_stdout(out), redirect_stderr(out):
            status = main(words[1:])
        assert status == 0, f"{line}\n{out.getvalue()[-2000:]}"
    else:
        subprocess.run(["bash", "-c", line], cwd=folder, check=True, timeout=60)


def enter_labels(folder: Path, *overrides: str) -> None:
    """Enter the sample's labels into a launched campaign, in place of its annotators."""
    local_conf_first()
    GlobalHydra.instance().clear()
    labels = "campaign.labels=data/sample/simulated"
    conf = str(ROOT / "conf")
    with chdir(folder), initialize_config_dir(conf, version_base="1.3"):
        config = compose("launch", overrides=[*overrides, labels])
        with redirect_stdout(io.StringIO()):
            shipped_labels.main(config)


def walk(page: Path, folder: Path, walked: Path) -> None:
    """Run a page's commands in order in ``folder``. Its servers are ended whatever happens."""
    simulated = any("simulate=true" in line for line in blocks(page, "sh"))
    try:
        for line in blocks(page, "sh"):
            if line.startswith("make "):
                assert line.split()[1] in targets(), line
                if line == "make demo":
                    shutil.copytree(walked, folder, dirs_exist_ok=True)
                continue
            assert re.match(r"(onrecord|cp|mkdir)\b", line), (
                f"not a command that is run here: {line}"
            )
            run(line, folder)
            where = re.findall(r"\b(?:campaign|workspace)=\S+", line)
            if made := re.match(
                r"onrecord init campaign=(\S+)", line
            ):  # the reader puts articles there
                for article in sorted((folder / "data/sample/articles").glob("00[1-2]*.txt")):
                    shutil.copy(article, folder / "data" / made[1] / "articles")
            if re.match(r"onrecord (launch|make .*until=launch)", line) and not simulated:
                enter_labels(folder, *where)
    finally:
        for workspace in (folder / "data").iterdir():
            server.stop(workspace)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=name)
        for page, name in zip(PAGES, NAMES, strict=True)
        if blocks(page, "sh")
    ],
)
def test_every_command_runs_in_order(page, walked, label_studio_installed, tmp_path):
    walk(page, fresh(tmp_path / "clone"), walked)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_what_is_not_run_here_has_a_reason_and_keys_that_exist(page, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    for line in blocks(page, "text"):
        if not line.startswith("onrecord "):
            continue
        assert any(reason in line for reason in CANNOT), line
        known = line.replace("campaign=buses", "campaign=sample").replace(" -m ", " ")
        command, *words = shlex.split(re.sub(r",\S+", "", known), comments=True)[1:]
        assert main([command, "--cfg", "job", *words]) == 0, f"{line}\n{capsys.readouterr().err}"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_stand_in_blocks_of_sh_or_text_alone(page):
    fences = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.M)
    astray = [body for kind, body in fences if kind not in ("sh", "text") and "onrecord " in body]
    assert not astray


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_and_image_of_the_project_is_there(page):
    missing = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        path = (page.parent / file) if file else page
        known = anchors(path.read_text(encoding="utf-8")) if anchor and path.exists() else {anchor}
        if not path.exists() or anchor not in known:
            missing.append(link)
    assert not missing


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as Markdown renderers make them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_nothing_is_left_to_fill_in(page):
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"TODO|TBD|FIXME|XXX|lorem ipsum|\?\?\?|coming soon", text, re.IGNORECASE)


def test_every_command_is_explained_outside_the_table():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    text = re.sub(r"<!-- commands -->.*?<!-- end -->", "", text, flags=re.DOTALL)
    assert not [name for name in COMMANDS if not re.search(rf"(onrecord |`){name}\b", text)]


def test_the_table_of_commands_is_the_one_in_the_code():
    page = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert page == with_command_table(page), "stale: run `make render`"
    assert "| `segment` | " in page


def test_every_test_that_contributing_names_is_there():
    named = re.findall(
        r"`(tests/[\w/.]+)(?:::(\w+))?`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    )
    assert named
    for file, test in named:
        assert (ROOT / file).exists(), file
        assert not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), test


def test_the_table_of_contents_of_the_site_names_pages_that_are_there():
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"[\w-]+\.md", contents)) <= {page.name for page in PAGES}
