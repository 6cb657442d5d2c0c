"""What an annotator is shown, whatever the back end: the sentence in its article, names, suggestions, guidelines."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from markdown_it import MarkdownIt

from onrecord.campaign.backend import Task
from onrecord.campaign.text_context import near_spans
from onrecord.core.errors import BadInput
from onrecord.core.files import read_object, require
from onrecord.core.records import ArticleRow, PlanRow, SentenceRow, SpeakerRow, parse_sentence_id
from onrecord.core.workspace import Workspace
from onrecord.scheme.scheme import Scheme, questions_over

ATTRIBUTOR = "onrecord attribute"  # the source of its suggestions
MAX_NAMES = 7


class ModelLabels(NamedTuple):
    """A trained model's labels by sentence, and its run's signature."""

    question: str
    signature: str
    labels: Mapping[str, str]


def read_tasks(
    workspace: Workspace, plan: Sequence[PlanRow], scheme: Scheme, model: ModelLabels | None = None
) -> list[Task]:
    """Return a task for each row of the plan, from the workspace's tables; raises as :func:`tasks_of`."""
    articles: list[ArticleRow] = workspace.read_articles().to_pylist()
    sentences: list[SentenceRow] = workspace.read_sentences().to_pylist()
    speakers: list[SpeakerRow] = workspace.read_speakers().to_pylist()
    return tasks_of(
        plan, articles=articles, sentences=sentences, speakers=speakers, scheme=scheme, model=model
    )


def tasks_of(
    plan: Iterable[PlanRow],
    *,
    articles: Iterable[ArticleRow],
    sentences: Iterable[SentenceRow],
    speakers: Iterable[SpeakerRow],
    scheme: Scheme,
    model: ModelLabels | None = None,
) -> list[Task]:
    """Return a task for each row of the plan, with a suggestion where the plan shows one.

    ``model`` adds a trained model's labels to the attributor's suggestions. The sentences are in the order
    of their articles. Raises BadInput for a planned sentence that is not among them.
    """
    articles_by_id = {row["article_id"]: row for row in articles}
    suggestions = {row["sentence_id"]: row for row in speakers}
    by_article: dict[str, list[SentenceRow]] = {}
    for sentence in sentences:
        by_article.setdefault(sentence["article_id"], []).append(sentence)
    near = {key: span for rows in by_article.values() for key, span in near_spans(rows).items()}
    names_by_article = {
        article: names_of_article(suggestions.get(row["sentence_id"]) for row in rows)
        for article, rows in by_article.items()
    }
    tasks = []
    for row in plan:
        name = row["sentence_id"]
        if name not in near:
            raise BadInput(
                f"the plan names sentence {name}, which is not among the sentences: "
                "run `onrecord plan` again"
            )
        article = articles_by_id[parse_sentence_id(name)[0]]
        shown, speaker = row["suggestion_shown"], suggestions.get(name)
        names = offered_names(
            speaker, names_by_article[article["article_id"]], suggestion_shown=shown
        )
        suggestion = suggested_labels(name, speaker, model, scheme) if shown else None
        source = f"{ATTRIBUTOR} + {model.signature}" if model else ATTRIBUTOR
        tasks.append(Task(row, article, near[name], names, suggestion, source))
    return tasks


def suggested_labels(
    sentence: str, speaker: SpeakerRow | None, model: ModelLabels | None, scheme: Scheme
) -> dict[str, str | None]:
    """Return the attributor's and the model's answers to the questions of the scheme that they leave asked."""
    answers: dict[str, Any] = dict(speaker or {})
    if model and sentence in model.labels:
        answers[model.question] = model.labels[sentence]
    labels = {name: answers.get(name) for name in scheme.questions}
    return {name: label for name, label in labels.items() if scheme.asked(labels, name)}


def read_model_labels(
    path: Path, scheme: Scheme, targets: Mapping[str, Mapping[str, Any]]
) -> ModelLabels:
    """Return the labels in the predictions.parquet of `onrecord predict`; predictions.json beside it names the run.

    Predictions toward a further target answer the question about that target. Raises BadInput where the
    model answers no question of the scheme, or with labels that it lacks.
    """
    run = require(path.with_name(Workspace.predictions_source.name), "predict")
    about = read_object(run, ["question", "run"], "predict")
    question = scheme.questions.get(about["question"])
    if question is None:
        raise BadInput(
            f"{path}: expected predictions of {', '.join(scheme.questions)}, found {about['question']!r}"
        )
    for name, target in questions_over(scheme, question.name, targets).items():
        if target == about.get("target"):
            question = scheme.questions[name]
    table = pq.read_table(require(path, "predict"), columns=["id", "predicted"]).to_pylist()
    labels = {row["id"]: row["predicted"] for row in table}
    for identifier, label in labels.items():
        scheme.check({question.name: label}, f"{path}, {identifier}")
    return ModelLabels(question.name, str(about["run"]), labels)


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
        for key, label in (
            ("aliases", "Words that name it"),
            ("opposites", "Words that name its opposite"),
        ):
            if target.get(key):
                lines += ["", f"{label}: {', '.join(target[key])}."]
    block = "<!-- target -->\n" + "\n".join(lines) + "\n<!-- end -->"
    filled, count = re.subn(
        r"<!-- target -->\n.*?<!-- end -->", lambda _: block, guidelines, flags=re.DOTALL
    )
    if not count:
        raise BadInput(
            "guidelines: expected a `<!-- target -->` … `<!-- end -->` block, found none"
        )
    return filled


def names_of_article(suggestions: Iterable[SpeakerRow | None]) -> list[str]:
    """Return the names that the attributor found in an article, the most frequent first."""
    counts = Counter(
        name
        for row in suggestions
        if row
        for name in dict.fromkeys([row["speaker_name"], *(row["candidates"] or ())])
        if name
    )
    return [name for name, _ in counts.most_common()]


def offered_names(
    suggestion: SpeakerRow | None, article_names: Iterable[str], *, suggestion_shown: bool
) -> list[str]:
    """Return at most MAX_NAMES names to choose from: the suggested one first, then the sentence's candidates, then others of the article.

    Where no suggestion is shown the same names are in alphabetical order, since an order is a hint.

    >>> row = {"speaker_name": "Ann Lee", "candidates": ["Bo Ray"]}
    >>> offered_names(row, ["Al Fox"], suggestion_shown=True)
    ['Ann Lee', 'Bo Ray', 'Al Fox']
    >>> offered_names(row, ["Al Fox"], suggestion_shown=False)
    ['Al Fox', 'Ann Lee', 'Bo Ray']
    """
    own = [suggestion["speaker_name"], *(suggestion["candidates"] or ())] if suggestion else []
    wanted = [*own, *article_names]
    names = list(dict.fromkeys(name for name in wanted if name))[:MAX_NAMES]
    return names if suggestion_shown else sorted(names, key=str.casefold)
