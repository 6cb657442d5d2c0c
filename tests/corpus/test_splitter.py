"""Sentence boundaries: the English Golden Rules, news cases, and what holds of any text."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.core.errors import BadInput
from onrecord.corpus.splitter import LINE, make_splitter

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "conf/splitter/english.yaml").read_text("utf-8"))
SPLIT = make_splitter(CONFIG)

# The English Golden Rules of pragmatic_segmenter (Kevin Dias, MIT licence), which pySBD is tested by:
# `|` marks the expected boundaries. The last field is why a rule that fails does not matter for news.
GOLDEN = [
    ("simple period", "Hello World.| My name is Jonas.", None),
    ("question mark", "What is your name?| My name is Jonas.", None),
    ("exclamation mark", "There it is!| I found it.", None),
    ("one-letter upper-case abbreviation", "My name is Jonas E. Smith.", None),
    ("one-letter lower-case abbreviation", "Please turn to p. 55.", None),
    ("two-letter lower-case abbreviation within", "Were Jane and co. at the party?", None),
    ("two-letter upper-case abbreviation within", "They closed the deal with Pitt, Briggs & Co. at noon.", None),
    ("two-letter lower-case abbreviation at the end", "Let's ask Jane and co.| They should know.", None),
    ("two-letter upper-case abbreviation at the end", "They closed the deal with Pitt, Briggs & Co.| It closed yesterday.", None),
    ("abbreviation before a name", "I can see Mt. Fuji from here.", None),
    ("abbreviations before and after", "St. Michael's Church is on 5th st. near the light.", None),
    ("possessive abbreviation", "That is JFK Jr.'s book.", None),
    ("several stops within", "I visited the U.S.A. last year.", None),
    ("several stops at the end", "I live in the E.U.| How about you?", None),
    ("U.S. at the end", "I live in the U.S.| How about you?", None),
    ("U.S. before a capital", "I work for the U.S. Government in Virginia.", None),
    ("U.S. before a small letter", "I have lived in the U.S. for 20 years.", None),
    ("a.m. and p.m.", "At 5 a.m. Mr. Smith went to the bank.| He left the bank at 6 P.M.| Mr. Smith then went to the store.",
     "a time before a title is ambiguous; news styles put the time inside the sentence"),
    ("number within", "She has $100.00 in her bag.", None),
    ("number at the end", "She has $100.00.| It is in her bag.", None),
    ("parentheses within", "He teaches science (He previously worked for 5 years as an engineer.) at the local University.", None),
    ("email address", "Her email is Jane.Doe@example.com.| I sent her an email.", None),
    ("web address", "The site is: https://www.example.50.com/new-site/awesome_content.html.| Please check it out.", None),
    ("single quotation within", "She turned to him, 'This is great.' she said.", None),
    ("double quotation within", 'She turned to him, "This is great." she said.', None),
    ("double quotation at the end", 'She turned to him, "This is great."| She held the book out to show him.', None),
    ("!!", "Hello!!| Long time no see.", None),
    ("??", "Hello??| Who is there?", None),
    ("!?", "Hello!?| Is that you?", None),
    ("?!", "Hello?!| Is that you?", None),
    ("list 1.) without stops", "1.) The first item| 2.) The second item", "list items in running text"),
    ("list 1.) with stops", "1.) The first item.| 2.) The second item.", None),
    ("list 1) without stops", "1) The first item| 2) The second item", "list items in running text"),
    ("list 1) with stops", "1) The first item.| 2) The second item.", None),
    ("list 1. without stops", "1. The first item| 2. The second item", "list items in running text"),
    ("list 1. with stops", "1. The first item.| 2. The second item.", None),
    ("bullets with numbers", "• 9. The first item| • 10. The second item", "list items in running text"),
    ("hyphen bullets with numbers", "⁃9. The first item| ⁃10. The second item", "list items in running text"),
    ("list a. b. c.", "a. The first item| b. The second item| c. The third list item", "list items in running text"),
    ("line break within a sentence", "This is a sentence\ncut off in the middle because pdf.",
     "every line break is a boundary, by the campaign's rules"),
    ("line break after a space", "It was a cold \nnight in the city.", "every line break is a boundary, by the campaign's rules"),
    ("lines of a list", "features|\ncontact manager|\nevents, activities", None),
    ("coordinates", "You can find it at N°. 1026.253.553.| That is where the treasure is.", None),
    ("name with an exclamation mark", "She works at Yahoo! in the accounting department.", None),
    ("I at the end, and as an initial", "We make a good team, you and I.| Did you see Albert I. Jones yesterday?",
     "an initial I before a surname is rarer in news than a sentence that ends in I"),
    ("ellipsis at the end of a quotation", "Thoreau argues that by simplifying one’s life, “the laws of the universe will appear less complex. . . .”", None),
    ("ellipsis in square brackets", '"Bohr [...] used the analogy of parallel stairways [...]" (Smith 55).', None),
    ("ellipsis as a boundary", "If words are left off at the end of a sentence, and that is all that is omitted, indicate the omission with ellipsis marks (preceded and followed by a space) and then indicate the end of the sentence with a period . . . .| Next sentence.",
     "four spaced dots after a space: no news style prints them"),
    ("four dots", "I never meant that....| She left the store.", None),
    ("ellipsis within", "I wasn’t really ... well, what I mean...see . . . what I'm saying, the thing is . . . I didn’t mean it.",
     "a spaced ellipsis before I is a boundary more often than not in quotations"),
    ("ellipsis after a stop", "One further habit which was somewhat weakened . . . was that of combining words into self-interpreting compounds.| . . . The practice was not abandoned. . . .",
     "an ellipsis is kept with the sentence before it"),
    ("no space between sentences", "Hello world.|Today is Tuesday.|Mr. Smith went to the store for 1,000.|That is a lot.",
     "a boundary needs white space: web addresses and file names are commoner"),
]  # fmt: skip


def cut(marked: str) -> tuple[str, list[int]]:
    """Return the text and the places, spaces skipped, of its expected boundaries."""
    parts = marked.split("|")
    text, starts = "", []
    for part in parts:
        lead = len(part) - len(part.lstrip())
        if text:
            starts.append(len(text) + lead)
        text += part
    return text, starts


def starts_of(text: str) -> list[int]:
    return [start for start, _ in SPLIT(text)][1:]


@pytest.mark.parametrize(
    ("marked", "why"),
    [
        pytest.param(text, why, id=name, marks=[pytest.mark.xfail(reason=why)] if why else [])
        for name, text, why in GOLDEN
    ],
)
def test_english_golden_rules(marked, why):
    text, starts = cut(marked)
    assert starts_of(text) == starts


NEWS = [
    "“Who would pay?” Sen. Ana Roe asked.| Nobody answered.",
    "“We will win!” Roe said.| “And soon.”",
    "“Is it free?” she said.| “It is.| Ask me.”",
    "“It is right.| It is just,” he said.",
    "Gov. Lyle Prentiss (D-Ga.) signed it.| Rep. Bo Lee (R., Ohio) did not.",
    "He left (at 6 p.m.).| Nobody saw.",
    "The firm (est. 1990) failed.| It owed Messrs. Lee and Po money.",
    "The vote was in Washington, D.C.| The bill died.",
    "Dr. Roe of St. Paul, Minn., flew to the U.S. Senate.",
    "He is Donald Roe Jr. and she is Ann Lee Sr.| They met.",
    "The U.S. Air Force bought No. 6 on Jan. 5.| In Feb. the deal ended.",
    "BALTIMORE, Md. — The city paid.",
    "RENO, Nev. (AP) — The city paid.",
    "It rose 4.5 percent to $3.2 million.| Shares fell.",
    "We paid… and paid.| Then it ended…| Nobody knew.",
    "“I had hoped … we have time.”| He sat.",
    "That is his ... Honda.",
    "She met then-Sen. Roe and ex-Gov. Lee.",
    "He asked J. K. Roe, B. Lee and W.E.B. Du Bois.",
    "Robert C. “Bobby” Scott came.| C.L. “Butch” Otter left.",
    "She works for Roe Inc. in Ohio.| He works for Lee Corp.| They pay.",
    "The S.&P. 500 rose.| The Dow fell.",
    "“I agree.”| (He laughed.)| “So do I.”",
    "“He said, ‘Go home.’|  They did.”",
    "What now?!| ¿Qué?| “¡Nada!”| She left.",
    "He spoke of “peace.” and left.",
]


@pytest.mark.parametrize("marked", NEWS)
def test_news(marked):
    text, starts = cut(marked)
    assert starts_of(text) == starts


def test_lines_and_blanks_are_cut_away():
    text = "\ufeffOne.\r\nTwo\u2028\u200b Three.\x85\n\xa0\n Four"
    assert [text[a:b] for a, b in SPLIT(text)] == ["One.", "Two", "Three.", "Four"]


GERMAN = [
    "Der Rat tagte am 3. Oktober.|Dr. Meier sagte: „Das ist z. B. falsch.“|Am 4. Mai wird abgestimmt.",
    "„Wer zahlt?“ fragte Ana Roe.|„Niemand.“",
    "Es kostet 1,5 Mio. Euro.|Das reicht nicht.",
    "Er kam 2019.|Sie blieb bis zum 12. Jahrhundert, d. h. lange.",
    "Prof. Dr. Lena Ott kam um 8.30 Uhr.|Nr. 5 lebt!|Ja.",
    "Die Firma Ott & Co. klagte usw.|Die Stadt schwieg.",
]


@pytest.mark.parametrize("marked", GERMAN)
def test_another_language_is_a_file(marked):
    split = make_splitter(yaml.safe_load((ROOT / "conf/splitter/german.yaml").read_text("utf-8")))
    text = marked.replace("|", " ")
    assert [text[a:b] for a, b in split(text)] == marked.split("|")


@pytest.mark.parametrize("kind", [None, "regex"])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(BadInput, match="rules or lines"):
        make_splitter({"kind": kind})


def test_words_are_one_value_with_spaces():
    with pytest.raises(BadInput, match=r"splitter\.titles: expected words .*found list"):
        make_splitter({**CONFIG, "titles": ["Mr", "Dr"]})


PIECES = st.sampled_from(
    ["Mr.", "U.S.", "Sen.", "“", "”", '"', "'", "(", ")", "…", "...", ". . .", "?", "!", ".", ". ", " ", "\n",
     "\r\n", "\xa0", "\u2028", "The", "end", "Roe", "said", "5", "🚕", "e\u0301", "👩‍👩‍👧", "—", "-", "\ufeff", "שלום", "漢字", "🇺🇸"]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(PIECES).map("".join), st.lists(PIECES).map(" ".join))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_sentences_and_gaps_are_the_text(text):
    at = 0
    for start, end in SPLIT(text):
        assert at <= start < end
        assert not re.sub("[\ufeff\u200b\u2060]", "", text[at:start]).strip()
        assert text[start:end] == text[start:end].strip()
        assert LINE.fullmatch(text, start, end)  # no line break within a sentence
        at = end
    assert not re.sub("[\ufeff\u200b\u2060]", "", text[at:]).strip()


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_a_line_is_split_the_same_wherever_it_stands(parts):
    lines = [line for part in parts for line in LINE.findall(part)]
    alone = [line[a:b] for line in lines for a, b in SPLIT(line)]
    text = "\n".join(lines)
    assert [text[a:b] for a, b in SPLIT(text)] == alone


@pytest.mark.parametrize(
    "unit", [".", ". . .a", "...a", "!”", "a", "a ", ". ", "! ", "? A", "\"'", "(", "“", "A.", "... ", ". . ", "Mr. ", "a\n", "\n", "-", "—", "1. ",
             "\u200b", " \ufeff"]
)  # fmt: skip
def test_work_grows_with_the_text_not_with_its_square(unit):
    """A million repetitions end in the time of the suite: a quadratic rule would take hours."""
    text = unit * (1_000_000 // len(unit))
    assert SPLIT(text) is not None
