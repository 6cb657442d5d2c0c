"""What an annotator is shown: a sentence set off in its article, with the target in words.

Everything from an article is escaped here: Label Studio renders HTML. The data of a task tell nothing of
its purpose: a hidden check, a repeat and any other task have the same keys and look the same.
"""

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt

from onrecord.campaign.labelstudio.predictions import ModelLabels, suggested
from onrecord.campaign.labelstudio.result_format import target_field
from onrecord.core.errors import BadInput
from onrecord.core.records import parse_sentence_id, text_sha256
from onrecord.scheme.scheme import Scheme

NEAR = 2  # sentences on either side that the guidelines let an annotator use
CONTEXT = 6000  # code points of the article shown on either side, so that tasks stay small
MAX_NAMES = 7


def task_data(
    task_id: str,
    sentence_id: str,
    *,
    article: Mapping[str, Any],
    near: tuple[int, int],
    targets: Mapping[str, Mapping[str, Any]],
    scheme: Scheme,
    names: Sequence[str] = (),
) -> dict[str, Any]:
    """Return ``data`` of a Label Studio task.

    ``article`` is a row of articles.parquet; ``near`` is the span, in its text, of the sentence with the
    NEAR sentences on either side; ``names`` are offered as answers to a question of kind ``name``.
    ``onrecord_id`` is our key. ``sentence``, ``before`` and ``after`` are HTML, the rest is plain text.
    Raises BadInput where the sentence is not of this article.
    """
    article_id, start, end = parse_sentence_id(sentence_id)
    text = article["text"]
    if article_id != article["article_id"] or not start < end <= len(text):
        raise BadInput(f"sentence {sentence_id} is not in article {article['article_id']}")
    return {
        "onrecord_id": task_id,
        "sentence_id": sentence_id,
        "text_sha256": text_sha256(text[start:end]),
        "outlet": article["outlet"] or "",
        "headline": article["title"] or "",
        "published": article["published"] or "",
        **target_data(targets),
        "before": paragraphs(text[:start], split=near[0], far_first=True),
        "sentence": f'<div dir="auto">{escape(text[start:end])}</div>',
        "after": paragraphs(text[end:], split=near[1] - end, far_first=False),
        "names": name_choices(names, scheme),
    }


def tasks_of(
    plan: Iterable[Mapping[str, Any]],
    *,
    articles: Iterable[Mapping[str, Any]],
    sentences: Iterable[Mapping[str, Any]],
    speakers: Iterable[Mapping[str, Any]],
    targets: Mapping[str, Mapping[str, Any]],
    scheme: Scheme,
    model: ModelLabels | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield a Label Studio task (``data``, and ``predictions`` where suggestions are shown) for each row of the plan.

    ``model`` adds a trained model's labels to the attributor's suggestions. The other arguments are the rows of the workspace's tables, the sentences in the order of their articles.
    Raises BadInput for a planned sentence that is not among them.
    """
    articles_by_id = {row["article_id"]: row for row in articles}
    suggestions = {row["sentence_id"]: row for row in speakers}
    of_article: dict[str, list[Mapping[str, Any]]] = {}
    for row in sentences:
        of_article.setdefault(row["article_id"], []).append(row)
    near = {k: span for rows in of_article.values() for k, span in near_spans(rows).items()}
    known = {
        article_id: names_of_article(suggestions.get(r["sentence_id"]) for r in rows)
        for article_id, rows in of_article.items()
    }
    for row in plan:
        sentence = row["sentence_id"]
        if sentence not in near:
            raise BadInput(
                f"the plan names sentence {sentence}, which is not among the sentences: "
                "run `onrecord plan` again"
            )
        article = articles_by_id[parse_sentence_id(sentence)[0]]
        shown = bool(row["suggestion_shown"])
        suggestion = suggestions.get(sentence)
        names = offered_names(suggestion, known[article["article_id"]], suggestion_shown=shown)
        data = task_data(
            row["task_id"], sentence, article=article, near=near[sentence], targets=targets,
            scheme=scheme, names=names,
        )  # fmt: skip
        proposed = suggested(sentence, suggestion, model, scheme, names) if shown else None
        yield {"data": data, "predictions": [proposed]} if proposed else {"data": data}


def names_of_article(suggestions: Iterable[Mapping[str, Any] | None]) -> list[str]:
    """Return the names that the attributor found in an article, the most frequent first."""
    counts = Counter(
        name
        for row in suggestions
        if row
        for name in dict.fromkeys([row["speaker_name"], *(row["candidates"] or ())])
        if name
    )
    return [name for name, _ in counts.most_common()]


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


def name_choices(names: Iterable[str], scheme: Scheme) -> list[dict[str, str]]:
    """Return the names as dynamic choices, at most MAX_NAMES, each with a hotkey of the scheme."""
    keys = next((q.hotkeys for q in scheme.questions.values() if q.kind == "name"), ())
    return [
        {"value": name, "hotkey": key}
        for name, key in zip(dict.fromkeys(names), keys[:MAX_NAMES], strict=False)
    ]


def offered_names(
    suggestion: Mapping[str, Any] | None, article_names: Iterable[str], *, suggestion_shown: bool
) -> list[str]:
    """Return at most MAX_NAMES names to choose from: the suggested one first, then the sentence's candidates, then others of the article.

    Where no suggestion is shown the same names stand in alphabetical order, since an order tells.

    >>> row = {"speaker_name": "Ann Lee", "candidates": ["Bo Ray"]}
    >>> offered_names(row, ["Al Fox"], suggestion_shown=True)
    ['Ann Lee', 'Bo Ray', 'Al Fox']
    >>> offered_names(row, ["Al Fox"], suggestion_shown=False)
    ['Al Fox', 'Ann Lee', 'Bo Ray']
    """
    row = suggestion or {}
    wanted = [row.get("speaker_name"), *(row.get("candidates") or ()), *article_names]
    names = list(dict.fromkeys(name for name in wanted if name))[:MAX_NAMES]
    return names if suggestion_shown else sorted(names, key=str.casefold)


def near_spans(sentences: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Return ``sentence_id → (start, end)`` of each sentence with NEAR on either side, for one article's sentences in order."""
    return {
        row["sentence_id"]: (
            sentences[max(0, i - NEAR)]["start"],
            sentences[min(len(sentences) - 1, i + NEAR)]["end"],
        )
        for i, row in enumerate(sentences)
    }


def target_data(targets: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return what the page shows of the targets: ``target``, ``opposite``, and the same with the id of each further one.

    >>> target_data({"": {"name": "a", "opposite": None}, "fees": {"name": "b", "opposite": "c"}})
    {'target': 'a', 'opposite': '', 'target_fees': 'b', 'opposite_fees': 'c'}
    """
    found = {}
    for name, target in targets.items():
        found[target_field("target", name)] = str(target["name"])
        found[target_field("opposite", name)] = str(target["opposite"] or "")
    return found


def instructions(guidelines: str, targets: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the guidelines as HTML for a project's instructions, the targets' block filled in."""
    filled = fill_target(guidelines, targets)
    without_marks = re.sub(r"<!--.*?-->\n?", "", filled, flags=re.DOTALL)
    page = MarkdownIt("commonmark", {"html": False}).enable("table").render(without_marks)
    return f'<div class="or-guidelines">{page}</div>'  # the labeling page's style sheet knows it


def fill_target(guidelines: str, targets: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the guidelines with the ``<!-- target -->`` block filled from the campaign's targets."""
    lines: list[str] = []
    for number, target in enumerate(targets.values(), 1):
        lines += [""] if lines else []
        lines.append((f"{number}. " if len(targets) > 1 else "") + f"**{target['name']}**")
        if target.get("opposite"):
            lines[-1] += f" (its opposite: {target['opposite']})"
        for key, says in (
            ("aliases", "Words that name it"),
            ("opposites", "Words that name its opposite"),
        ):
            if target.get(key):
                lines += ["", f"{says}: {', '.join(target[key])}."]
    block = "<!-- target -->\n" + "\n".join(lines) + "\n<!-- end -->"
    filled, count = re.subn(
        r"<!-- target -->\n.*?<!-- end -->", lambda _: block, guidelines, flags=re.DOTALL
    )
    if not count:
        raise BadInput(
            "guidelines: expected a `<!-- target -->` … `<!-- end -->` block, found none"
        )
    return filled
