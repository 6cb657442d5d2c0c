"""Attribution: tables of (sentence, speaker), what must hold of any text, and the five articles."""

import re
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.cli import runner
from onrecord.core.errors import BadInput
from onrecord.core.records import ARTICLES, SENTENCES, SPEAKERS, SentenceSpan, sentence_id
from onrecord.core.tables import read_parquet, write_parquet
from onrecord.corpus.attribute import correct_by_copies, quoted_speakers
from onrecord.corpus.attribution.article import attribute_article
from onrecord.corpus.attribution.quotations import quotations

INTRODUCED = (
    "Councilwoman Renata Pell and Hal Dempsey, general manager of Orrin Valley Transit, met. "
)


def read(text: str) -> list[dict]:
    """Attribute a text whose sentences are marked by | and whose paragraphs by line breaks."""
    spans, at, paragraph = [], 0, 0
    plain = text.replace("|", " ")
    for piece in re.split(r"[|\n]", text):
        if piece.strip():
            spans.append(SentenceSpan(at, at + len(piece), paragraph, None))
        if text[at + len(piece) : at + len(piece) + 1] == "\n":
            paragraph += 1
        at += len(piece) + 1
    return attribute_article(plain, spans)


@pytest.mark.parametrize(
    ("sentence", "name", "attribution"),
    [
        ("“Buses should be free,” Pell said.", "Renata Pell", "direct"),
        ("“Buses should be free,” said Pell, who rides the 22.", "Renata Pell", "direct"),
        ("Pell said that buses should be free.", "Renata Pell", "indirect"),
        ("Buses, Pell said on Monday, should be free.", "Renata Pell", "indirect"),
        ("Pell said the fare was “a tax on the poor.”", "Renata Pell", "mixed"),
        ("According to Dempsey, six routes are full.", "Hal Dempsey", "indirect"),
        ("Six routes are full, according to Dempsey.", "Hal Dempsey", "indirect"),
        ("“Six routes are full,” agency spokesman Ed Orr said.", "Ed Orr", "direct"),
        ("Drivers of the night shift say the plan is rushed.", "Drivers of the night shift", "indirect"),
        ("“Yes,” said Chief of Staff Ida Noor.", "Ida Noor", "direct"),
        ("“Yes,” said a spokesman for Mayor Ida Noor.", "a spokesman for Mayor Ida Noor", "direct"),
        ("“Yes,” Ida Noor, who is the owner said.", "Ida Noor", "direct"),
        ("An official speaking to Radio Orrin said, “No.”", "An official", "direct"),
        ("“No, none,” said one tenant of a kiosk that repairs hats.", "one tenant of a kiosk", "direct"),
        ("“It is late,” a friend commented.", "a friend", "direct"),
        ("“It can “pay for itself” soon,” Pell said.", "Renata Pell", "direct"),
        ("Buses were late - Hal Dempsey: “We had no drivers.”", "Hal Dempsey", "direct"),
        ("But Pell quickly took the floor, saying: “No.”", "Renata Pell", "direct"),
        ("The Center for Better Streets said it agrees.", "Center for Better Streets", "indirect"),
        ("Hours later, Pell told riders: “No.”", "Renata Pell", "direct"),
        ("As Pell, author of “Fares,” put it, “Nobody should pay.”", "Renata Pell", "direct"),
        ("Former Orrin Gov. and party chairman Ida Noor said no.", "Ida Noor", "indirect"),
        ("Pell Says Fares Will End", "Renata Pell", "indirect"),
        ("A driver, Ida Noor of Orrin, said it was late.", "Ida Noor", "indirect"),
        ("Pell, author of “No Fares,” a book, said it was late.", "Renata Pell", "indirect"),
        ("Pell herself said it was late.", "Renata Pell", "indirect"),
        ("Pell, a rider from Orrin, denounced her city’s fares.", "Renata Pell", "indirect"),
        ("“Yes,” said a man calling himself Ida Noor.", "Ida Noor", "direct"),
        ("“Yes,” said drivers Ida Noor and Serril Quay-Lund of Orrin.", "Ida Noor", "direct"),
        ("Dempsey was asked by Pell, “Who pays?”", "Renata Pell", "direct"),
        ("Asked by Pell, Dempsey said: “Riders.”", "Hal Dempsey", "direct"),
        ("Said Pell: “Nobody should pay.”", "Renata Pell", "direct"),
        ("“Nobody should pay,” declared a smiling Renata Pell.", "Renata Pell", "direct"),
        ("“Nobody should ever pay.” — Renata Pell", "Renata Pell", "direct"),
        ("Pell took to the radio to say, “Nobody should pay.”", "Renata Pell", "direct"),
        ("Pell hit back at Dempsey: “Nobody should pay.”", "Renata Pell", "direct"),
        ("As reported by Pell, six routes are full.", "Renata Pell", "indirect"),
        ("The Daily Herald reports six routes are full.", "Daily Herald", "indirect"),
        ("Pell drew laughs by saying that buses are free.", "Renata Pell", "indirect"),
        ("Pell signed the petition on Monday.", None, "none"),
        ("Dempsey did not respond to three calls.", None, "none"),
        ("The buses run every ten minutes.", None, "none"),
    ],
)  # fmt: skip
def test_a_sentence_is_credited_to_its_speaker(sentence, name, attribution):
    row = read(f"{INTRODUCED}|{sentence}")[-1]
    assert (row["speaker_name"], row["attribution"]) == (name, attribution)


def test_a_quotation_keeps_its_speaker_over_sentences_and_paragraphs():
    rows = read(
        f"{INTRODUCED}\n“It is late,” Pell said.|“It is long overdue.|I will not wait.\n"
        "“We will vote in May.”\nThe hall emptied.\nDempsey continued:\nWe have no drivers to spare."
    )
    assert [r["speaker_name"] for r in rows] == [
        None, "Renata Pell", "Renata Pell", "Renata Pell", "Renata Pell", None, "Hal Dempsey", "Hal Dempsey",
    ]  # fmt: skip


def test_a_transcript_line_gives_its_paragraph_to_the_name_before_the_colon():
    rows = read(f"{INTRODUCED}\nPell: We start on Monday.|The fare ends then.\nThe hall was full.")
    assert [r["speaker_name"] for r in rows] == [None, "Renata Pell", "Renata Pell", None]


def test_a_line_after_a_bare_quotation_credits_it():
    rows = read(
        f"{INTRODUCED}\n“It is late,” Pell said.|“Who pays?”|Dempsey asked the crowd.\n"
        "“Nobody rides in the rain, and nobody ever has.”\n- Renata Pell, Orrin"
    )
    names = [None, "Renata Pell", "Hal Dempsey", None, "Renata Pell", None]
    assert [r["speaker_name"] for r in rows] == names


def test_a_bare_quotation_is_whom_the_sentence_before_is_about():
    rows = read(
        f"{INTRODUCED}\n“It is late,” Pell said.\nDempsey smiled.|“We had no drivers at all.”"
    )
    assert rows[-1]["speaker_name"] == "Hal Dempsey"
    rows = read(
        f"{INTRODUCED}\n“It is late,” Pell said.\nThat angered Dempsey.\n“We had no drivers at all.”"
    )
    assert rows[-1]["speaker_name"] == "Hal Dempsey"


def test_a_quotation_left_open_is_whose_the_next_one_is():
    rows = read(
        f"{INTRODUCED}\n“I like it,” Dempsey said.\n“It is late.\n“We all know it,” Pell said."
    )
    assert [r["speaker_name"] for r in rows[1:]] == ["Hal Dempsey", "Renata Pell", "Renata Pell"]


def test_a_title_tells_two_bearers_of_a_surname_apart():
    rows = read(
        "Bill Roe and Mary Roe met. Bill Roe left.|“No,” Mrs. Roe said.|“Yes,” Mr. Roe said."
    )
    assert [r["speaker_name"] for r in rows] == [None, "Mary Roe", "Bill Roe"]


def test_a_pronoun_finds_the_bearer_of_its_gender_or_else_the_nearest_name():
    rows = read("Bill Roe and Mary Roe met.|“No,” Roe said.|“I won,” she said.")
    assert rows[-1]["speaker_name"] == "Mary Roe"
    rows = read("Ann Lee met Tarn.|Tarn said it was late.|“It is late,” he said.")
    assert rows[-1]["speaker_name"] == "Tarn"
    rows = read("Erlan Idriss plays it down.|“It is late,” he said.")
    assert rows[-1]["speaker_name"] == "Erlan Idriss"


def test_who_is_quoted_goes_on_over_whom_he_named():
    rows = read(f"{INTRODUCED}\nPell, Ed Orr said, was late.\n“She is always late,” he said.")
    assert rows[-1]["speaker_name"] == "Ed Orr"


@pytest.mark.parametrize(
    ("before", "said", "name"),
    [
        pytest.param(
            "At a rally in Orrin, in the rain, Tom Lee named a list that Bill Roe wrote.",
            "“It is long,” he said.",
            "Tom Lee",
            id="after the opening phrase",
        ),
        pytest.param(
            "In a talk with Dan Orr, Tom Lee shrugged.",
            "“It is long,” he said.",
            "Tom Lee",
            id="not whom the opening phrase names",
        ),
        pytest.param(
            "After Tom Lee spoke, Mary Roe left.",
            "“It was long,” he said.",
            "Tom Lee",
            id="whom it names, where nobody else can be meant",
        ),
        pytest.param(
            "“I run,” Tom Lee said.",
            "Asked whether Bill Roe runs, he said: “I cannot tell.”",
            "Tom Lee",
            id="not whom he is asked about",
        ),
        pytest.param(
            "Tom Lee won.|He nodded to his second place behind Bill Roe.",
            "“It is long,” he said.",
            "Tom Lee",
            id="the sentence before goes on about him",
        ),
        pytest.param(
            "Tom Lee won.|But he thanked Bill Roe.",
            "“It is long,” he said.",
            "Tom Lee",
            id="so does one that opens with but",
        ),
        pytest.param(
            "“No,” Bill Roe said.\nTom Lee coined it.",
            "“I am here.|I will be here.|You know,” he said.",
            "Tom Lee",
            id="quotations are no step back",
        ),
        pytest.param(
            "Dan Orr asked Tom Lee who pays.",
            "“All of us do,” he said.",
            "Tom Lee",
            id="who is asked answers",
        ),
        pytest.param(
            "Tom Lee smiled when Dan Orr asked who pays.",
            "“All of us do,” he said.",
            "Tom Lee",
            id="who asks does not",
        ),
        pytest.param(
            "“No,” Tom Lee said.|Dan Orr left.|“It is late,” the candidate said.",
            "“Start it up,” he said.",
            "Tom Lee",
            id="a description goes on about who spoke",
        ),
    ],
)
def test_a_pronoun_goes_to_whom_the_text_is_about(before, said, name):
    rows = read(f"Bill Roe, Dan Orr and Tom Lee met. Mr. Lee left.\n{before}\n{said}")
    assert rows[-1]["speaker_name"] == name


def test_a_title_alone_goes_before_a_title_with_more_before_it():
    rows = read("President Ann Lee met World Bank President Tom Roe.|“No,” the president said.")
    assert rows[-1]["speaker_name"] == "Ann Lee"


def test_a_statement_leads_in_the_quotation_after_it():
    rows = read(
        f"{INTRODUCED}\nPell said it was late.|At her wish, the Transit Union issued a brief statement.\n"
        "“On behalf of every driver, we are sorry."
    )
    assert rows[-1]["speaker_name"] == "Transit Union"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“A “b” c.” D.", ["“A “b” c.”"]),
        ("“A. “B,” he said. “C.”", ["“A. “B,”", "“C.”"]),
        ("“He is 5’2”. So?” D.", ["“He is 5’2”. So?”"]),
        ("“In\n\n1988 it fell,” he said.", ["“In", "1988 it fell,”"]),
        ("“In\n1988 ‘it fell.’” No.", ["“In", "1988 ‘it fell.’”"]),
    ],
    ids=["nested", "not closed", "inches", "broken line", "single in broken line"],
)
def test_a_nested_quotation_belongs_to_the_one_around_it(text, expected):
    assert [text[q.start : q.end] for q in quotations(text)] == expected


def test_a_transcript_in_capitals_names_whom_the_article_spells_out():
    rows = read(
        f"{INTRODUCED}\nIDA NOOR: Why not vote on it now?\nPELL: We start on Monday.\nNOOR: Nobody will do it.\n"
        "CORRECTION: The vote is on Tuesday."
    )
    assert [r["speaker_name"] for r in rows] == [None, "Ida Noor", "Renata Pell", "Ida Noor", None]


@pytest.mark.parametrize(
    ("headline", "name"),
    [
        ("Bus fares must fall: Pell", "Renata Pell"),
        ("Councilwoman: Bus fares must fall", "Renata Pell"),
        ("City councilwoman: Bus fares must fall", "Renata Pell"),
        ("Bus fares must fall, councilwoman says", "Renata Pell"),
        ("Council meeting: Three things to know", None),
        ("Bus fares must fall: Why", None),
    ],
)
def test_a_headline_names_by_surname_or_office_who_is_named_below(headline, name):
    assert read(f"{headline}\n{INTRODUCED}")[0]["speaker_name"] == name


def test_what_somebody_says_if_is_not_said():
    rows = read(f"{INTRODUCED}|If Pell says no, the plan is dead.")
    assert (rows[-1]["speaker"], rows[-1]["cue"]) == ("author", None)


def test_the_united_states_are_no_verb():
    rows = read(f"{INTRODUCED}|Its oldest ally, the United States, is a member of the board.")
    assert (rows[-1]["speaker"], rows[-1]["cue"]) == ("author", None)


def test_kinds_come_from_roles_anywhere_in_the_article():
    rows = read(f"{INTRODUCED}|Pell said yes.|Dempsey said no.")
    assert [r["speaker"] for r in rows[1:]] == ["politician", "agency"]


def test_a_copy_settles_a_block_quotation_without_a_lead_in():
    block = "We cannot go on like this, and every rider in the valley knows it."
    led = read(f"{INTRODUCED}\nPell continued:\n{block}")
    bare = read(f"{INTRODUCED}\n{block}")
    assert bare[-1]["speaker"] == "author"
    known = quoted_speakers([INTRODUCED, "Pell continued:", block], led)
    correct_by_copies([INTRODUCED, block], bare, known)
    assert (bare[-1]["speaker"], bare[-1]["speaker_name"]) == ("politician", "Renata Pell")


@given(st.text(alphabet="“”\"'’‘ \n.,:aB said Mr. Lee", max_size=300))
def test_quotations_are_in_order_within_their_paragraph(text):
    found = quotations(text)
    assert all(q.start < q.end and "\n" not in text[q.start : q.end] for q in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.text(max_size=200), st.integers(1, 40))
def test_any_text_gives_one_row_a_sentence(text, size):
    spans = [
        SentenceSpan(at, min(at + size, len(text)), 0, None) for at in range(0, len(text), size)
    ]
    rows = attribute_article(text, spans)
    assert len(rows) == len(spans)
    for row in rows:
        assert 0 <= row["confidence"] <= 1
        assert len(row["candidates"]) <= 7
        assert (row["speaker_name"] is None) == (row["speaker"] in {"author", "none"})


def workspace_of(folder, texts: dict[str, str], order=None):
    """Write articles and their sentences, a line each, as ``ingest`` and ``segment`` would."""
    sentences = []
    for identifier in order or texts:
        at = 0
        for index, piece in enumerate(texts[identifier].split("\n")):
            sentences.append(
                dict.fromkeys(SENTENCES.names)
                | {
                    "sentence_id": sentence_id(identifier, at, at + len(piece)),
                    "article_id": identifier, "group_id": "g", "index": index, "paragraph": index,
                    "start": at, "end": at + len(piece), "text": piece,
                    "furniture": "cue" if piece.endswith(":") else None,
                }
            )  # fmt: skip
            at += len(piece) + 1
    articles = [
        dict.fromkeys(ARTICLES.names) | {"article_id": k, "group_id": "g", "text": v}
        for k, v in texts.items()
    ]
    write_parquet(folder / "articles.parquet", articles, ARTICLES)
    write_parquet(folder / "sentences.parquet", sentences, SENTENCES)
    return sentences


def test_the_verb_writes_a_row_a_sentence_and_reads_copies_together(tmp_path):
    block = "We cannot go on like this, and every rider in the valley knows it."
    texts = {"a": f"{INTRODUCED}\nPell continued:\n{block}", "b": f"{INTRODUCED}\n{block}"}
    sentences = workspace_of(tmp_path, texts)
    runner.run("attribute", [f"workspace={tmp_path}", "shard_size=1"])
    rows = read_parquet(tmp_path / "speakers.parquet", SPEAKERS).to_pylist()
    assert [r["sentence_id"] for r in rows] == [s["sentence_id"] for s in sentences]
    assert [r["speaker"] for r in rows] == ["author", "none", "politician", "author", "politician"]


def test_shards_and_processes_change_no_byte(tmp_path):
    texts = {f"a{n}": f"{INTRODUCED}\nPell said: “Number {n} is late.”\nIt was." for n in range(5)}
    made = []
    for name, options in {"one": [], "many": ["shard_size=2", "workers=2"]}.items():
        (tmp_path / name).mkdir()
        workspace_of(tmp_path / name, texts)
        runner.run("attribute", [f"workspace={tmp_path / name}", *options])
        made.append(read_parquet(tmp_path / name / "speakers.parquet", SPEAKERS))
    assert made[0].equals(made[1])


def test_sentences_of_other_articles_are_refused(tmp_path):
    workspace_of(tmp_path, {"a": "One.\nTwo.", "b": "Three."}, order=["b", "a"])
    with pytest.raises(BadInput, match="run `onrecord segment` again"):
        runner.run("attribute", [f"workspace={tmp_path}"])


def test_a_workspace_without_sentences_names_the_verb_to_run(tmp_path):
    with pytest.raises(BadInput, match="onrecord ingest"):
        runner.run("attribute", [f"workspace={tmp_path}"])


@pytest.mark.parametrize(
    "unit", ["said ", "“", "\"'", "A ", "A. ", "said, ", "Mr. Lee said, ", "(", "according to ", "A’s ", "and Lee ", "By "]
)  # fmt: skip
def test_cost_grows_with_the_text_not_with_its_square(unit):
    """Counts the calls made, not the seconds: eight times the text, at most ten times the work."""

    def calls(text: str) -> int:
        count = 0
        spans = [SentenceSpan(0, len(text) // 2, 0, None)]
        half = len(text) // 2
        spans += [SentenceSpan(at, at + 20, 0, None) for at in range(half, len(text) - 20, 20)]

        def tally(frame, event, argument):
            nonlocal count
            count += 1

        sys.setprofile(tally)
        try:
            attribute_article(text, spans)
        finally:
            sys.setprofile(None)
        return count

    small, large = (calls(unit * n) for n in (200, 1600))
    assert large < 10 * small + 3000
