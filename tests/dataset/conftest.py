"""A small invented campaign as files: nine articles, two of them copies, three annotators."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from onrecord.cli.app import main
from onrecord.core.files import write_jsonl
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS, sentence_id, text_sha256
from onrecord.core.tables import write_parquet

TARGET = "free-buses"
# article: (outlet, published, copy_of, group, [(sentence, furniture, speaker, name, claim, stance)])
FURNITURE, AUTHOR = "byline", ("author", None)
MAYOR, RIDER = ("politician", "Ada Quill"), ("advocate", "Riders for a Bus That Always Comes")
STORIES = {
    "a1": ("Ledger", "2026-01-02", None, "a1", [
        ("By Tom Reed", FURNITURE, ("none", None), "none", "none"),
        ("Making the buses free would cost the town nine million a year.", None, AUTHOR, "effect", "neutral"),
        ("“Free buses are the best thing we could do for Larch Hill,” Ada Quill said.", None, MAYOR, "judgement", "favor"),
        ("The council meets again on Tuesday in the old town hall.", None, AUTHOR, "fact", "none"),
    ]),
    "a2": ("Echo", "2026-01-03", "a1", "a1", [
        ("Making the buses free would cost the town nine million a year.", None, AUTHOR, "effect", "neutral"),
        ('"Free buses are the best thing we could do for Larch Hill," Ada Quill said.', None, MAYOR, "judgement", "favor"),
    ]),
    "b1": ("Ledger", "2026-01-05", None, "b1", [
        ("“A free bus is a bus that nobody will ever repair,” Ada Quill said.", None, MAYOR, "judgement", "against"),
        ("The depot has room for forty buses and now holds thirty-one.", None, AUTHOR, "fact", "none"),
    ]),
    "c1": ("Echo", "2026-02-01", None, "c1", [
        ("Riders for a Bus That Always Comes want the fare gone by summer.", None, RIDER, "policy", "favor"),
        ("Nobody at the stop on Mill Street had a ticket to show.", None, AUTHOR, "fact", "none"),
    ]),
    "d1": ("Post", "2026-02-11", None, "d1", [
        ("Scrapping the fare is a gift to people who never ride.", None, AUTHOR, "judgement", "against"),
        ("The line to the hospital runs every twelve minutes until ten.", None, AUTHOR, "fact", "none"),
    ]),
    "e1": ("Post", "2026-03-01", None, "e1", [
        ("Zero fares would fill the buses, the drivers’ union expects.", None, ("other", None), "effect", "favor"),
        ("Snow closed the upper road twice in the first week of March.", None, AUTHOR, "fact", "none"),
    ]),
    "f1": ("Dock", "2026-03-09", None, "f1", [
        ("“Keep the fare,” Ada Quill told the chamber of trade.", None, MAYOR, "policy", "against"),
        ("The chamber has two hundred members and a choir.", None, AUTHOR, "fact", "none"),
    ]),
    "g1": ("Dock", "2026-04-01", None, "g1", [
        ("Free rides 🚌 begin on the first of May if the vote holds.", None, AUTHOR, "fact", "neutral"),
        ("Ferries are not part of the plan and keep their price.", None, AUTHOR, "rule", "none"),
    ]),
}  # fmt: skip


def make_workspace(folder: Path, stories: dict = STORIES) -> Path:
    """Write the campaign's files, as the verbs before `build` leave them, into ``folder``."""
    articles, sentences, speakers, annotations, gold = [], [], [], [], []
    for article, (outlet, published, copy_of, group, rows) in stories.items():
        text, furniture = "", []
        for index, (sentence, kind, (speaker, name), claim, stance) in enumerate(rows):
            start, text = len(text), text + sentence
            end, text = len(text), text + "\n"
            key = sentence_id(article, start, end)
            if kind:
                furniture.append({"start": start, "end": end, "kind": kind})
            sentences.append({"sentence_id": key, "article_id": article, "group_id": group, "index": index,
                              "paragraph": index, "start": start, "end": end, "text": sentence, "furniture": kind})  # fmt: skip
            speakers.append({"sentence_id": key, "speaker": speaker, "speaker_name": name, "attribution": "none",
                             "cue": None, "candidates": [name] if name else [], "confidence": 0.9})  # fmt: skip
            labels = {
                "speaker": speaker,
                "speaker_name": name,
                "claim_type": claim,
                "stance": stance,
            }
            for number in (1, 2, 3):
                # The third annotator hears neutrality where the others hear nothing.
                odd = number == 3 and stance == "none" and kind is None
                where = sentence.find(name) if name else -1
                annotations.append({
                    "annotation_id": f"{key}-{number}", "sentence_id": key, "annotator": f"annotator-{number}",
                    "round": "main", "target_id": TARGET, "labels": labels | ({"stance": "neutral"} if odd else {}),
                    "speaker_span": {"start": start + where, "end": start + where + len(name)} if where >= 0 else None,
                    "flags": [], "comment": "a word on " + sentence if number == 1 else "", "text_sha256": text_sha256(sentence),
                    "seconds": 4.5, "created_at": "2026-05-01T10:00:00Z", "updated_at": "2026-05-01T10:00:00Z",
                    "suggestion_shown": True, "guidelines_version": "1.0.0", "scheme_version": 1,
                    "purpose": "main", "status": "submitted", "origin": "people",
                })  # fmt: skip
            odd = stance == "none" and kind is None
            soft = {q: {v: 1.0} for q, v in labels.items() if v is not None}
            soft["stance"] = {"none": 2 / 3, "neutral": 1 / 3} if odd else {stance: 1.0}
            decided = dict.fromkeys(labels, "unanimous") | ({"stance": "majority"} if odd else {})
            gold.append({"sentence_id": key, "target_id": TARGET, "labels": labels, "soft": soft,
                         "decided_by": decided, "n_annotators": 3})  # fmt: skip
        articles.append({"article_id": article, "outlet": outlet, "title": rows[0][0], "byline": None,
                         "published": published, "url": None, "text": text, "sha256": text_sha256(text),
                         "group_id": group, "copy_of": copy_of, "furniture": furniture, "source_file": article + ".txt"})  # fmt: skip
    write_parquet(folder / "articles.parquet", articles, ARTICLES)
    write_parquet(folder / "sentences.parquet", sentences, SENTENCES)
    write_parquet(folder / "speakers.parquet", speakers, SPEAKERS)
    write_jsonl(folder / "annotations.jsonl", annotations)
    write_jsonl(folder / "gold.jsonl", gold)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The campaign's files in a folder of their own."""
    return make_workspace(tmp_path / "ws")


PEOPLE = ("campaign=sample", "campaign.origin=people")


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The campaign, built; tests copy it before they change it."""
    folder = make_workspace(tmp_path_factory.mktemp("built") / "ws")
    assert main(["build", f"workspace={folder}", *PEOPLE]) == 0
    return folder


@pytest.fixture(scope="session")
def published_once(built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The campaign with a full release; tests copy it before they change it."""
    folder = shutil.copytree(built_once, tmp_path_factory.mktemp("published") / "ws")
    assert main(["publish", f"workspace={folder}", *PEOPLE, "released=2026-06-01"]) == 0
    return Path(folder)


@pytest.fixture(scope="session")
def standoff_once(built_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The campaign with a stand-off release; tests copy it before they change it."""
    folder = shutil.copytree(built_once, tmp_path_factory.mktemp("standoff") / "ws")
    words = ("kind=standoff", "released=2026-06-01")
    assert main(["publish", f"workspace={folder}", *PEOPLE, *words]) == 0
    return Path(folder)


@pytest.fixture
def stories() -> dict:
    """The campaign's articles, to change and write again."""
    return json.loads(json.dumps(STORIES))


@pytest.fixture
def write_workspace() -> Callable[..., Path]:
    """`make_workspace`, for tests that change the articles first."""
    return make_workspace
