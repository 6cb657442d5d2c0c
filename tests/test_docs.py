"""The documents: links lead somewhere, every verb is explained, what cannot be run has a reason."""

import re
from pathlib import Path

import pytest

from onrecord.cli import VERBS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")

CANNOT = {
    "host=": "opens a server to the network",
    "labelstudio.url=": "needs a team's server (tests/test_launch.py brings one)",
    "hydra/launcher=submitit_slurm": "needs a Slurm cluster",
    "to=hub": "needs the Hub and a token (tests/dataset/test_hub.py has a stand-in)",
    "articles=FOLDER": "needs the five real articles (tests/test_walk.py has them)",
    "rows=FILE": "needs the reader's own table (tests/dataset/ has some)",
    "annotations=FILE": "needs the reader's own table (tests/test_agree.py has some)",
    "diff=": "needs a second version of the scheme (tests/test_versions.py has one)",
    "study=": "a study takes minutes (tests/experiment/ runs one)",
}


def blocks(page: Path, language: str) -> list[str]:
    """Return the lines of a page's fenced blocks of a language, comments and blank lines left out."""
    found = re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M
    )
    lines = "\n".join(found).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_what_is_not_run_here_has_a_reason(page):
    shown = [line for line in blocks(page, "text") if line.startswith(("onrecord ", "make "))]
    assert not [line for line in shown if not any(reason in line for reason in CANNOT)]
    for line in shown:
        assert line.split()[1] in VERBS


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


def test_every_verb_is_explained():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert not [verb for verb in VERBS if not re.search(rf"(onrecord |`){verb}\b", text)]


def test_the_table_of_contents_of_the_site_names_pages_that_are_there():
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"\w+\.md", contents)) <= {page.name for page in PAGES}
