"""Stand-off text comes back from the user's copies: each tier, what is lost and why, and never a wrong sentence."""

import itertools
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from onrecord.cli.app import main
from onrecord.core.records import text_sha256
from onrecord.core.text_normalization import normalized_letters
from onrecord.dataset.standoff.alignment import longest_chain, recover
from onrecord.dataset.standoff.fingerprints import fingerprint


def hashed(text: str, spans: list[tuple[int, int]]) -> list[dict]:
    """The rows that a release has of these sentences of ``text``."""
    return [
        {"sentence_id": f"a:{start}-{end}", "start": start, "end": end, "sha256": text_sha256(text[start:end])}
        | fingerprint(text[start:end])
        for start, end in spans
    ]  # fmt: skip


def spans_of(sentences: list[str], between: str = " ") -> tuple[str, list[tuple[int, int]]]:
    spans, text = [], ""
    for sentence in sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + between
    return text, spans


@pytest.fixture(scope="module")
def ossoff(shared) -> tuple[str, str, list[dict]]:
    """The real pair of copies: text of 000, text of 002, and the hashes of 000's 24 sentences."""
    texts = {}
    for name in ("000", "002"):
        path = next((shared / "articles").glob(f"{name}_*.txt"))
        texts[name] = path.open(encoding="utf-8", newline="").read()
    rows = map(json.loads, (shared / "campaign/annotator-1.jsonl").open(encoding="utf-8"))
    spans = sorted((r["start"], r["end"]) for r in rows if r["article"].startswith("000_"))
    assert len(spans) == 24
    return texts["000"], texts["002"], hashed(texts["000"], spans)


def test_from_its_copy_all_but_the_three_it_lacks(ossoff):
    _, copy, wanted = ossoff
    found = recover(wanted, copy)
    lost = [(w["start"], w["end"]) for w, f in zip(wanted, found, strict=True) if f is None]
    assert lost == [
        (797, 814),
        (3339, 3347),
        (3348, 3407),
    ]  # a cue line, the comment box, its notice
    assert {f.tier for f in found if f} == {"sentence"}


STRAIGHT = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "..."})
EDITS = {
    "straight quotes": lambda text: text.translate(STRAIGHT),
    "windows newlines": lambda text: text.replace("\n", "\r\n"),
    "lower case": str.lower,
    "hyphens lost": lambda text: text.replace("-", ""),
    "hyphens as spaces": lambda text: text.replace("-", " "),
    "boilerplate before": lambda text: "Subscribe now! Ossoff said. COMMENTS\n\n" + text,
    "non-breaking spaces": lambda text: text.replace(" ", "\u00a0"),
    "one line": lambda text: " ".join(text.split()),
    "all of it": lambda text: "Menu\r\n" + text.translate(STRAIGHT).lower().replace("\n", "\r\n").replace("-", ""),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_another_formatting_gives_all_back(ossoff, edit):
    text, _, wanted = ossoff
    copy = EDITS[edit](text)
    found = recover(wanted, copy)
    assert None not in found
    for row, place in zip(wanted, found, strict=True):
        assert (
            normalized_letters(copy[place.start : place.end]).text
            == normalized_letters(text[row["start"] : row["end"]]).text
        )


def test_one_word_changed_loses_that_sentence_only_and_fuzzy_finds_it_flagged(ossoff):
    text, _, wanted = ossoff
    copy = text.replace("voluntarily", "freely").replace("plotting", "planning", 1)
    assert copy != text
    found = recover(wanted, copy)
    assert sum(f is None for f in found) == 1
    lost = found.index(None)
    fuzzy = recover(wanted, copy, fuzzy=True)
    assert [f.tier for f in fuzzy if f.tier == "fuzzy"] == ["fuzzy"]
    again = copy[fuzzy[lost].start : fuzzy[lost].end]
    assert "planning" in again
    assert again == text[wanted[lost]["start"] : wanted[lost]["end"]].replace("plotting", "planning")  # fmt: skip


def test_repeated_sentences_keep_their_order_and_places():
    text, spans = spans_of(
        ["He said no.", "The vote is on Tuesday.", "He said no.", "Then it rained."]
    )
    found = recover(hashed(text, spans), text)
    assert [(f.start, f.end) for f in found] == spans
    copy, _ = spans_of(["The vote is on Tuesday.", "He said no.", "Then it rained."])
    tiers = [f and copy[f.start : f.end] for f in recover(hashed(text, spans), copy)]
    assert tiers == [None, "The vote is on Tuesday.", "He said no.", "Then it rained."]


def test_out_of_order_sentences_are_not_both_taken():
    text, spans = spans_of(["First the mayor spoke at length.", "Then the council voted it down."])
    copy, _ = spans_of(["Then the council voted it down.", "First the mayor spoke at length."])
    found = recover(hashed(text, spans), copy)
    assert sum(f is not None for f in found) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [("It cost 1.5 million.", "It cost 15 million."), ("It cost 1,000.", "It cost 1.000."), ("Of 11 000 men", "Of 11000 men"),
     ("From 3-4 shops", "From 34 shops"), ("Half: ½ of it", "Half: 12 of it"), ("a résumé", "a resume")],
)  # fmt: skip
def test_what_changes_the_figures_or_letters_is_another_sentence(before, after):
    assert recover(hashed(before, [(0, len(before))]), after) == [None]


@pytest.mark.parametrize(
    ("before", "after"),
    [("The café is shut.", "The cafe\u0301 is shut."), ("A 3–4 vote", "A 3-4 vote"), ("The ﬁne", "The fine"), ("ＩＣＥ said", "ICE said")],
)  # fmt: skip
def test_the_same_letters_otherwise_encoded_are_the_same_sentence(before, after):
    place = recover(hashed(before, [(0, len(before))]), after)[0]
    assert (place.start, place.end, place.tier) == (0, len(after), "folded")


WORDS = st.sampled_from(["the", "mayor", "said", "that", "12", "buses", "and", "1.5", "million", "“free”", "rides", "won’t", "do", "—", "no;", "it’s", "a", "“gift”", "he", "he", "2020"])  # fmt: skip
SENTENCES = st.lists(st.lists(WORDS, min_size=1, max_size=7).map(lambda w: " ".join(w) + "."), min_size=1, max_size=8)  # fmt: skip
EDIT = st.tuples(
    st.floats(0, 1), st.sampled_from(["drop", "double", "swap", "upper", "put", "cut", "repeat"]),
    st.sampled_from([" ", "\r\n", "“", "-", ".", "x", "7", "é", "the mayor said"]),
)  # fmt: skip


def edited(text: str, edits: list[tuple[float, str, str]]) -> str:
    for where, what, put in edits:
        i = int(where * len(text))
        text = {
            "drop": text[:i] + text[i + 1 :],
            "double": text[:i] + text[i : i + 1] + text[i:],
            "swap": text[:i] + text[i + 1 : i + 2] + text[i : i + 1] + text[i + 2 :],
            "upper": text[:i] + text[i : i + 12].upper() + text[i + 12 :],
            "put": text[:i] + put + text[i:],
            "cut": text[:i] + text[i + 25 :],
            "repeat": text[:i] + text[max(0, i - 30) : i] + text[i:],
        }[what]
    return text


@settings(max_examples=400, deadline=None)
@given(SENTENCES, st.lists(EDIT, max_size=6))
def test_random_edits_never_yield_a_wrong_sentence(sentences, edits):
    text, spans = spans_of(sentences)
    copy = edited(text, edits)
    found = recover(hashed(text, spans), copy)
    end = 0
    for (start, stop), place in zip(spans, found, strict=True):
        if place is None:
            event("lost")
            continue
        event(place.tier)
        assert place.start >= end, "out of order, or two sentences on one place"
        end = place.end
        assert (
            normalized_letters(copy[place.start : place.end]).text
            == normalized_letters(text[start:stop]).text
        )
    if not edits:
        assert all(
            found[i] for i, sentence in enumerate(sentences) if normalized_letters(sentence).text
        )


@given(st.lists(st.lists(st.integers(0, 12), max_size=3), max_size=6))
def test_the_longest_chain_is_as_long_as_any(starts):
    from onrecord.dataset.standoff.alignment import _Candidate

    candidates = [[_Candidate(s, s + 3) for s in found] for found in starts]

    def longest(i: int, end: int) -> int:
        if i == len(candidates):
            return 0
        return max([longest(i + 1, end), *(1 + longest(i + 1, c.end) for c in candidates[i] if c.start >= end)])  # fmt: skip

    chosen = longest_chain(candidates)
    assert sum(c is not None for c in chosen) == longest(0, 0)
    kept = [c for c in chosen if c is not None]
    assert all(a.end <= b.start for a, b in itertools.pairwise(kept))


@pytest.fixture
def workspace(standoff_once: Path, tmp_path: Path) -> Path:
    """A campaign with its stand-off release, made once and copied."""
    return Path(shutil.copytree(standoff_once, tmp_path / "ws"))


@pytest.fixture
def release(workspace: Path) -> Path:
    return workspace / "releases/v1.0.0"


def copies(workspace: Path, folder: Path, change=lambda name, text: text) -> Path:
    folder.mkdir()
    for row in pq.read_table(workspace / "articles.parquet").to_pylist():
        text = change(row["article_id"], row["text"])
        if text is not None:
            (folder / f"{row['article_id']}.txt").write_text(text, encoding="utf-8", newline="")
    return folder


def rehydrate(release: Path, articles: Path, out: Path, *words: str) -> int:
    return main(["rehydrate", f"release={release}", f"articles={articles}", f"workspace={out}", *words])  # fmt: skip


def test_what_was_built_comes_back_whole(workspace, release, tmp_path):
    assert rehydrate(release, copies(workspace, tmp_path / "mine"), tmp_path / "out") == 0
    for split in ("train", "validation", "test"):
        built = pq.read_table(workspace / f"dataset/gold/{split}.parquet")
        back = pq.read_table(tmp_path / f"out/dataset/gold/{split}.parquet")
        same = [c for c in built.column_names if c != "suggested_speaker_name"]  # has no span
        assert back.select(same).to_pylist() == built.select(same).to_pylist()
        assert set(back.column_names) == {*built.column_names, "recovered_by"}
    report = json.loads((tmp_path / "out/rehydration.json").read_text(encoding="utf-8"))
    assert report["recovery"] == 1
    raw = pq.read_table(tmp_path / "out/dataset/annotations/train.parquet")[
        "speaker_name"
    ].to_pylist()
    assert "Riders for a Bus That Always Comes" in raw


def test_the_articles_of_ingest_are_taken_in_shards(workspace, release, tmp_path):
    articles = pq.read_table(workspace / "articles.parquet")
    shards = tmp_path / "articles.parquet"
    shards.mkdir()
    for number, start in enumerate((0, 3)):
        pq.write_table(
            articles.slice(start, 3 if number == 0 else None), shards / f"{number}.parquet"
        )
    assert rehydrate(release, shards, tmp_path / "out") == 0


def test_a_copy_of_the_group_stands_in_and_its_rows_count(workspace, release, tmp_path):
    only_copy = copies(
        workspace, tmp_path / "mine", lambda name, text: None if name == "a1" else text
    )
    assert rehydrate(release, only_copy, tmp_path / "out", "min_recovery=0.5") == 0
    report = json.loads((tmp_path / "out/rehydration.json").read_text(encoding="utf-8"))
    a1 = report["articles"]["a1"]
    assert (a1["recovered"], a1["total"], a1["tiers"]["folded"]) == (2, 4, 1)
    assert set(a1["why"].values()) == {"not in the copy"}
    assert report["labels"]["none"]["recovered"] == report["labels"]["none"]["total"] - 1


def test_without_the_original_its_copy_counts(stories, write_workspace, tmp_path):
    ws = write_workspace(tmp_path / "ws", stories)
    words = ("campaign=sample", f"workspace={ws}", "campaign.origin=people")
    assert main(["build", *words]) == 0
    assert main(["publish", *words, "kind=standoff"]) == 0
    mine = copies(
        ws, tmp_path / "mine", lambda name, text: "Nothing of it." if name == "a1" else text
    )
    assert rehydrate(ws / "releases/v1.0.0", mine, tmp_path / "out", "min_recovery=0") == 0
    rows = [
        r for f in (tmp_path / "out/dataset/gold").iterdir() for r in pq.read_table(f).to_pylist()
    ]
    assert [r["is_copy"] for r in rows if r["article_id"] == "a2"] == [False, False]


def test_too_little_recovered_is_exit_1_and_reported(workspace, release, tmp_path, capsys):
    mine = copies(workspace, tmp_path / "mine", lambda name, text: text if name == "b1" else None)
    assert rehydrate(release, mine, tmp_path / "out") == 1
    captured = capsys.readouterr()
    assert "were recovered" in captured.err
    assert "lost c1:0-64" in captured.out
    report = json.loads((tmp_path / "out/rehydration.json").read_text(encoding="utf-8"))
    assert report["articles"]["c1"]["why"]["c1:0-64"] == "no copy of the article was given"


@pytest.mark.parametrize(
    "damage", ["bytes", "no release", "no articles", "not utf-8", "two ids", "share"]
)
def test_what_cannot_be_rehydrated_is_refused(workspace, release, tmp_path, capsys, damage):
    mine, words = copies(workspace, tmp_path / "mine"), []
    if damage == "bytes":
        (release / "articles.jsonl").write_text("", encoding="utf-8")
    elif damage == "no release":
        release = workspace / "dataset"
    elif damage == "no articles":
        shutil.rmtree(mine)
    elif damage == "not utf-8":
        (mine / "a1.txt").write_bytes(b"\xff\xfe\x00")
    elif damage == "two ids":
        (mine / "again").mkdir()
        shutil.copy(mine / "a1.txt", mine / "again")
    else:
        words = ["min_recovery=95"]
    assert rehydrate(release, mine, tmp_path / "out", *words) == 2
    complaint = {"bytes": "articles.jsonl is not as SHA256SUMS says", "no release": "expected a stand-off release",
                 "no articles": "no such file or folder", "not utf-8": "expected UTF-8", "two ids": "two articles have the id 'a1'",
                 "share": "a share from 0 to 1"}[damage]  # fmt: skip
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
