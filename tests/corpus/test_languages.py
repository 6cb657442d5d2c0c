"""A language is one file of the campaign, or an installed package: shown by one added from outside ours."""

import textwrap

import pytest

from onrecord.core.errors import BadInput
from onrecord.core.records import SENTENCES, SPEAKERS, SentenceSpan
from onrecord.core.tables import read_parquet
from onrecord.corpus.languages import attributor, language, no_suggestions

TEXT = "Urbestro Roe diris: la busoj estu senpagaj. K-do Lee kontraŭis.\n"
WORDS = {"titles": "K-do", "before_number": "n-ro", "abbreviations": "ktp", "openers": "La", "reporting": "diris"}  # fmt: skip
PACKAGE = '''
    def attribute(text, sentences):
        return [
            {"speaker": "politician" if "Urbestro" in text[s.start:s.end] else "author",
             "speaker_name": "Roe" if "Urbestro" in text[s.start:s.end] else None,
             "attribution": "indirect", "cue": "diris", "candidates": ["Roe"], "confidence": 0.5}
            for s in sentences
        ]

    LANGUAGE = {"kind": "rules", "attributor": "esperanto", **%r}
'''  # fmt: skip


@pytest.fixture
def esperanto(tmp_path, monkeypatch):
    """An installed package that offers a language and an attributor; a campaign's folder beside it."""
    site = tmp_path / "site"
    info = site / "esperanto-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "esperanto_news.py").write_text(textwrap.dedent(PACKAGE) % WORDS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: esperanto\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[onrecord.languages]\nesperanto = esperanto_news:LANGUAGE\n"
        "[onrecord.attributors]\nesperanto = esperanto_news:attribute\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site))
    folder = tmp_path / "campaign"
    (folder / "data/sample/articles").mkdir(parents=True)
    (folder / "data/sample/articles/a.txt").write_text(TEXT)
    return folder


def walked(onrecord_process, folder, *words):
    """Return the texts of the sentences, the names suggested, and what `attribute` printed."""
    for command, more in (("ingest", ()), ("segment", words), ("attribute", ("workers=2",))):
        done = onrecord_process(command, *more, cwd=folder)
        assert done.returncode == 0, done.stderr
    workspace = folder / "data/sample"
    texts = read_parquet(workspace / "sentences.parquet", SENTENCES)["text"].to_pylist()
    names = read_parquet(workspace / "speakers.parquet", SPEAKERS)["speaker_name"].to_pylist()
    return texts, names, done.stdout


def test_an_installed_package_adds_a_language(esperanto, onrecord_process):
    texts, names, _ = walked(onrecord_process, esperanto, "language=esperanto")
    assert texts == ["Urbestro Roe diris: la busoj estu senpagaj.", "K-do Lee kontraŭis."]
    assert names == ["Roe", None]


def test_a_file_of_the_campaign_adds_a_language(esperanto, onrecord_process):
    own = esperanto / "conf/splitter"
    own.mkdir(parents=True)
    lines = ["kind: rules", *(f"{key}: {words}" for key, words in WORDS.items())]
    (own / "own.yaml").write_text("\n".join([*lines, "attributor: esperanto"]))
    texts, names, _ = walked(onrecord_process, esperanto, "splitter=own")
    assert (len(texts), names) == (2, ["Roe", None])
    (own / "own.yaml").write_text("\n".join(lines))
    texts, names, printed = walked(onrecord_process, esperanto, "splitter=own")
    assert names == [None, None]
    assert "no speakers are suggested" in printed


def test_unknown_names_are_refused():
    with pytest.raises(BadInput, match="attributor: expected one of english, found 'klingon'"):
        attributor("klingon")
    with pytest.raises(BadInput, match=r"language: expected one of .*, found 'klingon'"):
        language("klingon")


def test_without_an_attributor_nobody_is_suggested():
    spans = [SentenceSpan(0, 9, 0, None), SentenceSpan(10, 20, 1, "byline")]
    assert [row["speaker"] for row in no_suggestions("", spans)] == [None, "none"]
    assert attributor("") is no_suggestions
