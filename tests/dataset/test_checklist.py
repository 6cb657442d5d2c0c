"""The checklist in the docs names tests: each must be there."""

import re
import subprocess
from pathlib import Path

from onrecord.dataset.standoff.standoff import quoting_files, word_runs

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_checklist_names_is_there():
    rows = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/publish.md").read_text("utf-8"))
    assert len(rows) >= 25
    for file, name in rows:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{name}"


def test_no_tracked_file_quotes_the_articles_that_are_not_ours(shared):
    articles = (shared / "articles").glob("0*.txt")
    quoted = set().union(*(word_runs(path.read_text(encoding="utf-8")) for path in articles))
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]
    assert not quoting_files(files, quoted)
