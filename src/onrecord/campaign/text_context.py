"""The text around a sentence, as HTML that shows an article's text as itself."""

import html
import re
from collections.abc import Sequence
from functools import lru_cache

from onrecord.core.records import SentenceRow

NEAR = 2  # sentences on either side that the guidelines let an annotator use
CONTEXT = 6000  # code points of the article shown on either side, so that tasks stay small


def near_spans(sentences: Sequence[SentenceRow]) -> dict[str, tuple[int, int]]:
    """Return ``sentence_id → (start, end)`` of each sentence with NEAR on either side, for one article's sentences in order."""
    return {
        row["sentence_id"]: (
            sentences[max(0, i - NEAR)]["start"],
            sentences[min(len(sentences) - 1, i + NEAR)]["end"],
        )
        for i, row in enumerate(sentences)
    }


@lru_cache(4096)  # the lines around a sentence are those around its neighbours
def escape(text: str) -> str:
    """Return text that shows as itself in HTML, whatever is in it.

    Braces are written as entities too, so that no template engine on the way finds its marks.

    >>> escape("<b>{{x}}</b>")
    '&lt;b&gt;&#123;&#123;x&#125;&#125;&lt;/b&gt;'
    """
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;").replace("$", "&#36;")


def paragraphs(text: str, *, split: int, far_first: bool) -> str:
    """Return the article's text on one side of the sentence as HTML paragraphs, at most CONTEXT long.

    ``split`` is the offset in ``text`` between the near sentences, which are set off (class ``near``),
    and the far ones; ``far_first`` says which side of it is far.
    """
    split = min(max(split, 0), len(text))
    if far_first:
        cut = max(0, len(text) - CONTEXT)
        pieces = [("far", text[cut:split]), ("near", text[max(cut, split) :])]
        pieces[0] = ("far", ("…" if cut else "") + pieces[0][1])
    else:
        cut = min(len(text), CONTEXT)
        pieces = [("near", text[: min(cut, split)]), ("far", text[split:cut])]
        pieces[1] = ("far", pieces[1][1] + ("…" if cut < len(text) else ""))
    lines: list[str] = [""]
    for kind, piece in pieces:
        first, *rest = re.split(r"[\r\n]+", piece)
        for number, line in enumerate([first, *rest]):
            if number:
                lines.append("")
            if line.strip():
                lines[-1] += f'<span class="{kind}">{escape(line)}</span>'
    return "".join(f'<p dir="auto">{line}</p>' for line in lines if line)
