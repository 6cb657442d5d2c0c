"""Every page that the verbs write, opened in Chromium: offline, whole at 360 px, sound for a screen reader."""

import json
from contextlib import chdir
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from onrecord.cli.app import main
from onrecord.core.files import read_jsonl, write_jsonl

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages of a workspace of the sample, its simulated annotations taken as if collected."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "data").mkdir()
    (folder / "data/sample").symlink_to(ROOT / "data/sample")
    workspace = folder / "ws"
    words = [f"workspace={workspace}"]

    def run(verb, *more):
        with chdir(folder):  # in this process: each new one imports for seconds
            assert main([verb, *words, *more]) == 0, verb

    for verb in ("ingest", "segment", "attribute"):
        run(verb)
    shipped = [
        row
        for file in sorted((ROOT / "data/sample/simulated").glob("*.jsonl"))
        for row in read_jsonl(file)
    ]
    write_jsonl(
        workspace / "annotations.jsonl",
        [
            {
                "annotation_id": f"a{i}", "round": "main", "target_id": "free-buses", "purpose": "main",
                "status": "submitted", "created_at": f"2026-01-{1 + i % 28:02d}T10:00:00Z",
                "updated_at": "2026-01-30T10:00:00Z", "suggestion_shown": True,
                "guidelines_version": "1.0.0", "scheme_version": 1,
                **{k: row[k] for k in (
                    "sentence_id", "annotator", "labels", "speaker_span", "flags", "comment",
                    "text_sha256", "seconds", "origin",
                )},
            }
            for i, row in enumerate(shipped)
        ],
    )  # fmt: skip
    for verb in ("agree", "adjudicate", "view", "build"):
        run(verb)
    run("train", "model=tfidf_logreg", f"run={folder / 'run'}")
    run("curve", "model=tfidf_logreg", "shares=[0.3,0.6,1.0]", "repeats=1", "folds=2")
    run("evaluate", f"run={folder / 'run'}", "on=out_of_fold")
    run("train", "model=majority", f"run={folder / 'other'}")
    run("evaluate", f"run={folder / 'other'}", "on=out_of_fold")
    run("compare", f"runs={folder / 'run'},{folder / 'other'}", f"out={folder / 'compare.json'}")
    return {
        "agreement": workspace / "agreement.html",
        "articles": workspace / "articles.html",
        "report": folder / "run/report.html",
        "compare": folder / "compare.html",
    }


@pytest.fixture(params=["agreement", "articles", "report", "compare"])
def file(request, pages):
    return pages[request.param]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_sound_for_a_screen_reader(chromium, file, scheme):
    page = chromium.new_page(viewport={"width": 1000, "height": 900}, color_scheme=scheme)
    page.goto(file.as_uri())
    found = Axe().run(page).response["violations"]
    page.close()
    serious = [
        (v["id"], [n["html"][:120] for n in v["nodes"]][:2])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_a_page_is_whole_on_a_phone_and_asks_nobody(chromium, file):
    page = chromium.new_page(viewport={"width": 360, "height": 740})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert asked == [file.as_uri()]
    assert said == []
    assert wide <= 360


def test_plots_are_drawn(chromium, pages):
    page = chromium.new_page()
    for name in ("agreement", "report"):
        page.goto(pages[name].as_uri())
        boxes = page.evaluate(
            "[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().width)"
        )
        assert len(boxes) > 0, name
        assert max(boxes) > 300, name
    page.close()


def test_the_article_view_sifts_by_stance_and_by_speaker(chromium, pages):
    page = chromium.new_page()
    page.goto(pages["articles"].as_uri())
    everything = page.locator(".view .st").count()
    page.select_option("[data-filter=stance]", "against")
    kept = page.locator(".view .st:not(.away)")
    answers = [
        json.loads(kept.nth(i).get_attribute("data-labels") or "") for i in range(kept.count())
    ]
    assert 0 < len(answers) < everything
    assert {a["stance"] for a in answers} == {"against"}
    page.select_option("[data-filter=speaker]", "politician")
    assert 0 < page.locator(".view .st:not(.away)").count() < len(answers)
    page.close()
