"""A newcomer's first quarter of an hour: from nothing to a label in a browser, and to a report.

    python benchmarks/newcomer.py [FOLDER]     # FOLDER: empty, on a disk with 2 GB free; default a temporary one

An empty environment, an empty folder, an empty cache; five articles in three formats (of the sample, whose
own files are left aside). Each command's clock and processor seconds; what a person adds is typing and reading.
With ONRECORD_CACHE set to a cache that holds Label Studio, its installation is left out.
"""

import csv
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/browser"))
ARTICLES = sorted((ROOT / "data/sample/articles").glob("*.txt"))[:5]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip


def put_articles(folder: Path) -> None:
    """Write two text files, a page and a table of two."""
    for path in ARTICLES[:2]:
        shutil.copy(path, folder)
    lines = ARTICLES[2].read_text(encoding="utf-8").splitlines()
    body = "".join(f"<p>{line}</p>" for line in lines if line.strip())
    page = f"<!doctype html><title>{lines[0]}</title><article>{body}</article>"
    (folder / "page.html").write_text(page, encoding="utf-8")
    with (folder / "table.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "text"])
        rows.writerows([path.stem, path.read_text(encoding="utf-8")] for path in ARTICLES[3:])


def label_one(logins: Path) -> None:
    """Log in as the first annotator and submit one sentence, in a real Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    from conftest import Annotator  # noqa: PLC0415

    with logins.open() as file:
        login = next(csv.DictReader(file))
    url, _, project = login["links"].partition("/projects/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        seat = Annotator(page, url, login["email"], login["password"])
        seat.open(int(project.split("/")[0]))
        for question, label in (
            ("speaker", "author"),
            ("claim_type", "fact"),
            ("stance", "neutral"),
        ):
            seat.answer(question, label)
        seat.submit()
        browser.close()


def main(folder: Path) -> None:
    """Walk, and print a row for each command."""
    os.environ.setdefault("ONRECORD_CACHE", str(folder / "cache"))
    home, own = folder / "home", "campaign=buses"
    home.mkdir(parents=True)
    began = time.monotonic()

    def told(what: str, act, *words: str) -> None:
        clock, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        act(*words)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        now = time.monotonic()
        print(f"| `{what}` | {now - clock:.1f} | {cpu:.1f} | {now - began:.0f} |", flush=True)

    def run(*words: str) -> None:
        done = subprocess.run(words, cwd=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"

    def onrecord(line: str, *more: str) -> None:
        told(f"onrecord {line}", run, str(folder / "env/bin/onrecord"), *line.split(), *more)

    wheel = next((folder / "dist").glob("*.whl"))
    print("| command | clock, s | processor, s | since the start, s |\n|---|---:|---:|---:|")
    told("python3 -m venv env", run, sys.executable, "-m", "venv", str(folder / "env"))
    told("pip install onrecord.whl", run, str(folder / "env/bin/pip"), "install", "-q", str(wheel))
    told(
        'onrecord init campaign=buses target="…"',
        run,
        str(folder / "env/bin/onrecord"),
        "init",
        own,
        "target=making the city's buses free",
    )
    put_articles(home / "data/buses/articles")
    workspaces = [own, f"{own} workspace=data/rehearsal"]
    try:
        onrecord(f"serve {own}")
        onrecord(f"make {own} until=launch")
        told("first label, in Chromium", label_one, home / "data/buses/logins.csv")
        where = workspaces[1]
        onrecord(f"serve {where}")
        onrecord(f"make {where} until=plan")
        onrecord(f"launch {where} simulate=true")
        onrecord(f"make {where} until=build")
        onrecord(f"train {where} allow_small=true")
        onrecord(f"evaluate {where} on=out_of_fold")
    finally:
        for where in workspaces:
            subprocess.run(
                [str(folder / "env/bin/onrecord"), "serve", "stop=true", *where.split()],
                cwd=home,
                check=False,
            )
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(sys.argv[1] if sys.argv[1:] else scratch)
        build = [
            sys.executable,
            "-m",
            "uv",
            "build",
            "-q",
            "--wheel",
            "-o",
            str(place / "dist"),
            str(ROOT),
        ]
        subprocess.run(build, check=True)
        main(place)
