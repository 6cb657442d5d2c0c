"""The article view: labels on their sentences, the text escaped, and no script from an article."""

from onrecord.cli.view import labels_of_predictions, view
from onrecord.scheme.scheme import load_scheme

ARTICLE = {
    "article_id": "a",
    "title": "<b>Bold</b>",
    "outlet": "Ledger",
    "byline": None,
    "published": None,
}
TEXTS = ["<script>alert(1)</script> she said.", "A by-line", "“Free,” he said."]


def sentence(i, text, furniture=None):
    return {
        "sentence_id": f"a:{i}-{i + 1}",
        "article_id": "a",
        "paragraph": i,
        "text": text,
        "furniture": furniture,
    }


SENTENCES = [sentence(0, TEXTS[0]), sentence(1, TEXTS[1], "byline"), sentence(2, TEXTS[2])]
GOLD = {"a:2-3": {"speaker": "politician", "speaker_name": 'Al "O\'" <B>', "stance": "favor"}}


def test_what_an_article_says_is_shown_as_text():
    html = view([ARTICLE], SENTENCES, GOLD, load_scheme(), title="T", lead="L")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "<b>Bold</b>" not in html
    assert "<B>" not in html


def test_a_sentence_carries_its_speaker_and_stance():
    html = view([ARTICLE], SENTENCES, GOLD, load_scheme(), title="T", lead="L")
    assert "<option>favor</option>" in html
    assert 'class="st c0"' in html.partition("</form>")[2]
    assert "&#34;stance&#34;: &#34;favor&#34;" in html
    assert '<span class="furniture">A by-line</span>' in html


def test_predictions_colour_the_question_about_the_target():
    assert load_scheme().target_question == "stance"
    rows = [("a:2-3", "against")]
    assert labels_of_predictions(rows, {"stance": "buses"}) == {"a:2-3": {"stance": "against"}}
    rows = [("a:2-3 → buses", "favor"), ("a:2-3 → fees", "none")]
    both = labels_of_predictions(rows, {"stance": "buses", "stance_fees": "fees"})
    assert both == {"a:2-3": {"stance": "favor", "stance_fees": "none"}}
