"""Furniture: lines that are page text by what they say and where they stand, and prose that is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.corpus.furniture.furniture import LONGEST, author_names, mark

PROSE = "The council met on Monday night and voted six to three for the plan."


def kinds(text: str, **known: str) -> list[tuple[str, str]]:
    return [(m["kind"], text[m["start"] : m["end"]]) for m in mark(text, **known)]


BODY = [  # lines that are furniture wherever they stand below the first prose
    ("comments", ["COMMENTS", "14 Comments", "Comments (12)", "Be the first to comment.", "View all comments",
                  "Comments are closed on this article.", "Conversation (23)", "This story is closed to comments.",
                  "Commenting is disabled on this article.", "We welcome your comments below.", "Sign in to join the conversation."]),
    ("promo", ["RELATED: Hotel occupancy slips", "READ NEXT: What the vote means", "PHOTOS: Millrace under ice",
               "SIGN UP FOR THE WEEKLY", "COUNCIL VOTE SOARS AS YEAR WINDS DOWN", "Sign up for our newsletter.",
               "Subscribe to the Ledger today!", "Click here for more.", "Tell us: tips@dock.example",
               "[Related: District weighs layoffs]", "“Related:”", "Don't miss: The ten best schools", "Recommended Stories",
               "Article continues after sponsor message", "Get our morning briefing in your inbox.", "Full coverage: School closings",
               "This article originally appeared on The Ledger: Board votes", "Support local journalism. Subscribe today.",
               "Read more: The whole report", "Gripes go to letters@dock.example"]),
    ("credit", ["Photo: Dana Ruiz/The Ledger", "Photo courtesy of the State Senate", "Dana Ruiz/The Ledger",
                "AP Photo/Ann Roe", "Getty Images/Ann Roe", "Image: State Senate video", "Illustration: Fay Orme",
                "Ann Roe / Reuters", "(Ann Roe/AP)", "© 2025 The Ledger", "(Photo by Sam Ito/Ledger)",
                "Courtesy of the Cole family", "(Courtesy photo)", "Getty Images", "Lee Po via Getty Images", "(h/t The Ledger)", "Staff photo by Sam Ito", "(Sam Ito / For The Ledger)"]),
    ("caption", ["Parents wait outside the gym on Thursday. (Sam Ito/The Ledger)"]),
    ("date", ["June 5, 2020", "Monday, Nov. 3, 2025", "Published 5 June 2020", "2025-10-08", "Updated: Oct. 8, 2025 at 6:10 p.m. ET",
              "Updated 3:15 p.m. ET, Oct. 9, 2025", "Published Oct. 9, 2025 | Updated Oct. 10, 2025", "2025-10-09T10:00:00Z"]),
    ("cue", ["Roe continued:", "The senator went on:", "She added in a statement:", "Sen. Ann Roe tweeted:",
             "In a statement, Cole said:", "According to the report:", "The letter reads:"]),
    ("byline", ["-- Ray Sobol, Foundry Row", "— I. Feld, Quarry Hill"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "line"), [(k, line) for k, lines in BODY for line in lines])
def test_lines_that_say_what_they_are(kind, line):
    text = f"{PROSE}\n{PROSE}\n\n{line}\n\n{PROSE}"
    assert kinds(text) == [(kind, line)]


HEADS = [
    ("Buses to be free\nBy Ana Roe\nJune 5, 2020", ["headline", "byline", "date"]),
    ("Who would pay?\n\nBy Ana Roe and Bo Lee, The Ledger", ["headline", "byline"]),
    ("Buses to be free\nRiders cheer, drivers do not\nBY ANA ROE", ["headline", "deck", "byline"]),
    ("Bus Bill Advances\n‘We did it’\nRoe Waves From a Bus\nAna Roe/PHOTO: Twitter", ["headline", "deck", "caption", "credit"]),
    ("Buses to be free\nBy Ana Roe\nLedger Staff Writer", ["headline", "byline", "byline"]),
    ("Buses to be free\nOrrin Valley News Service", ["headline", "byline"]),
    ("Buses to be free\nA bus on the bridge on Monday.\nPhoto by Bo Lee", ["headline", "caption", "credit"]),
    ("By Ana Roe\nAMBERTON", ["byline", "dateline"]),
    ("Buses to be free\nMia Park\nOct. 9, 2025", ["headline", "byline", "date"]),
    ("Buses to be free\nBy Mia Park\nThe Ledger", ["headline", "byline", "byline"]),
    ("Buses to be free\nBy Mia Park | mpark@ledger.example\nOct. 9, 2025", ["headline", "byline", "date"]),
    ("BYLINE: José Ñandú-O’Neil.", ["byline"]),
    ("He lost.", []),
    ("Nobody saw it coming.", []),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("head", "want"), HEADS)
def test_heads(head, want):
    assert [kind for kind, _ in kinds(f"{head}\n{PROSE}\n{PROSE}")] == want


LEADS = [
    ("(Ana Roe, The Ledger) ", "byline", "(Ana Roe, The Ledger)"),
    ("(By Ana Roe) ", "byline", "(By Ana Roe)"),
    ("AMBERTON — ", "dateline", "AMBERTON —"),
    ("WASHINGTON (AP) — ", "dateline", "WASHINGTON (AP) —"),
    ("RENO, Nev., Jan. 5 (Reuters) - ", "dateline", "RENO, Nev., Jan. 5 (Reuters) -"),
]


@pytest.mark.parametrize(("lead", "kind", "marked"), LEADS)
def test_what_shares_a_line_with_prose(lead, kind, marked):
    assert kinds(f"{lead}{PROSE}\n{PROSE}") == [(kind, marked)]


TAILS = [
    ("Ana Roe covers City Hall for the Ledger. Reach her at roe@ledger.example.", "Ana Roe"),
    ("Ana Roe’s diary runs every other week.", "Ana Roe"),
    ("John Roe is a reporter for the Ledger. Follow him on Twitter at @roe.", ""),
    ("Follow Ana Roe on Twitter @roe.", ""),
    ("Bo Lee contributed to this report.", ""),
]


@pytest.mark.parametrize(("line", "author"), TAILS)
def test_notes_on_the_author_close_an_article(line, author):
    assert kinds(f"{PROSE}\n{PROSE}\n{line}\n3 Comments", byline=author) == [
        ("bio", line),
        ("comments", "3 Comments"),
    ]
    opened = kinds(f"{line}\n{PROSE}\n{PROSE}\n{PROSE}\n{PROSE}", byline=author)
    assert "bio" not in dict(opened)  # not where it opens one


def test_prose_about_a_person_is_no_note_on_the_author():
    about = "Dana Cole is a teacher at Lincoln."
    assert kinds(f"{PROSE}\n{about}\n{PROSE}\n{PROSE}") == []  # prose follows
    assert kinds(f"{PROSE}\n“No,” said Dana Cole.\n{PROSE}\n{about}") == []  # who is in the story
    assert kinds(f"{PROSE}\n{PROSE}\n{about}") == [("bio", about)]


def test_a_pull_quote_is_said_again():
    quote = "“We met on Monday night and voted”"
    text = f"{PROSE}\n{quote}\n“We met on Monday night and voted for the plan,” Roe said.\n{PROSE}"
    assert kinds(text) == [("deck", quote)]


PROSE_LINES = [
    "“Buses are free.”",
    "“They will be free,” she said. “And soon.”",
    "He was a reporter for the Ledger until 2010, when he ran for the council.",
    "By Monday the council had voted.",
    "Photo identification is required at the polls, the clerk said.",
    "She asked: “Who would pay for it?”",
    "The bill would do three things:",
    "Comments by the mayor angered the council on Monday.",
    "Read the bill before you vote on it, she told them.",
    "NASA said so.",
    "In January 2020 the council met twice.",
    "Follow the money, the senator said.",
    "MAKE AMERICA GREAT AGAIN!",
    "Roe said on Monday that the council would vote: it did.",
    "Sign up was slow.",
    "Share this with no one, he told them.",
    "Subscribe to that view and you lose.",
    "Trending down, sales fell again.",
    "Watch: this is how it begins.",
    "Image: that is what politics is about, he said.",
    "Video by a neighbor shows the arrest.",
    "Photo by photo, the album tells a story.",
    "Copyright law is clear.",
    "Print this and keep it.",
    "What do you think? Comments like that hurt.",
    "Say something.",
    "By Jupiter, he did it!",
    "Advertisement for the job ran in May.",
]


@pytest.mark.parametrize("line", PROSE_LINES)
def test_prose_is_not_taken_for_furniture(line):
    assert kinds(f"{PROSE}\n{PROSE}\n{line}\n{PROSE}\n{PROSE}") == []
    assert kinds(f"{PROSE}\n{PROSE}\n{line}") == []


def test_a_title_known_from_elsewhere_is_a_headline():
    text = f"The council voted.\n{PROSE}\n{PROSE}"
    assert kinds(text, title="“The Council Voted”") == [("headline", "The council voted.")]


@pytest.mark.parametrize(
    ("byline", "names"),
    [("By ANA ROE", ["ANA ROE"]), ("Interview by Ana Roe", ["Ana Roe"]), ("(Ana Roe, The Ledger)", ["Ana Roe", "The Ledger"]),
     ("Reuters", []), ("", []), (None, [])],
)  # fmt: skip
def test_names_in_a_byline(byline, names):
    assert author_names(byline) == names


LINES = st.sampled_from(
    [
        PROSE,
        "COMMENTS",
        "By Ana Roe",
        "A B C D",
        "“a b c d e f g”",
        "Photo: x",
        "",
        " ",
        "X said:",
        "(A B, C) D",
        "NY — A",
    ]
)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.text(), st.lists(LINES).map("\n".join)), st.sampled_from(["", "A B", "Ana Roe"])
)
def test_marks_are_in_order_apart_and_within_a_line(text, name):
    at = 0
    for m in mark(text, title=name, byline=name):
        assert at <= m["start"] < m["end"] <= len(text)
        said = text[m["start"] : m["end"]]
        assert said == said.strip()
        assert len(said.splitlines()) == 1
        at = m["end"]


@pytest.mark.parametrize(
    "unit",
    ["A ", "A. ", "a@", "A/", "(A B, ", "NEW YORK, ", "By A and ", "a? ", "A", "-", "1/1/11 "],
)
@pytest.mark.parametrize("size", [LONGEST, 1_000_000])
def test_no_line_takes_long(unit, size):
    """Hundreds of hard lines, and one of a million code points, end in the time of the suite."""
    line = (unit * size)[: size - 10] + "!"
    assert mark("\n".join([line] * (300 if size == LONGEST else 1))) is not None
