"""Tasks in Label Studio's JSON, checked by its own library before they are sent.

Everything from an article is escaped: Label Studio renders HTML. The data of a task do not reveal its
purpose: a hidden check, a repeat and any other task have the same keys and look the same.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NotRequired, TypedDict

from onrecord.campaign.backend import Task
from onrecord.campaign.labelstudio.result_format import Region, target_field, to_result
from onrecord.campaign.text_context import escape, paragraphs
from onrecord.core.errors import BadInput
from onrecord.core.records import parse_sentence_id, text_sha256
from onrecord.scheme.scheme import OWN_TARGET, Scheme


class Prediction(TypedDict):
    """A suggestion; ``model_version`` is its source."""

    model_version: str
    result: list[Region]


class ImportTask(TypedDict):
    """A task to import."""

    data: dict[str, Any]
    predictions: NotRequired[list[Prediction]]


def import_task(task: Task, targets: Mapping[str, Mapping[str, Any]], scheme: Scheme) -> ImportTask:
    """Return a task to import: ``predictions`` where something is suggested, ``answers`` where some are shown.

    In ``data``, ``onrecord_id`` is our key; ``sentence``, ``before`` and ``after`` are HTML, the rest is
    plain text; by ``content_sha256`` a launch sees whether the task shows what it should. Raises BadInput where the sentence is not of its article.
    """
    article, sentence_id = task.article, task.row["sentence_id"]
    article_id, start, end = parse_sentence_id(sentence_id)
    text = article["text"]
    if article_id != article["article_id"] or not start < end <= len(text):
        raise BadInput(f"sentence {sentence_id} is not in article {article['article_id']}")
    data = {
        "onrecord_id": task.row["task_id"],
        "sentence_id": sentence_id,
        "text_sha256": text_sha256(text[start:end]),
        "outlet": article["outlet"] or "",
        "headline": article["title"] or "",
        "published": article["published"] or "",
        "target_version": targets[OWN_TARGET].get("version", 1),
        **target_data(targets),
        "before": paragraphs(text[:start], split=task.near[0], far_first=True),
        "sentence": f'<div dir="auto">{escape(text[start:end])}</div>',
        "after": paragraphs(text[end:], split=task.near[1] - end, far_first=False),
        "names": name_choices(task.names, scheme),
    }
    if task.answers is not None:
        data["answers"] = task.answers
    result = to_result(task.suggestion or {}, scheme, names=task.names)
    # Of the article's text the hash stands for all that is shown of it.
    shown = (
        [v for k, v in data.items() if k not in ("before", "after")],
        article["sha256"],
        task.near,
    )
    content = repr((shown, result, task.suggested_by if result else ""))
    data["content_sha256"] = text_sha256(content)
    if not result:
        return {"data": data}
    return {"data": data, "predictions": [{"model_version": task.suggested_by, "result": result}]}


def check_import(label_config: str, tasks: Iterable[ImportTask], scheme: Scheme) -> None:
    """Raise BadInput unless Label Studio's own library accepts the labeling config, each task and each prediction.

    It knows no dynamic choices, so that a question of kind ``name`` is left out of what it checks.
    """
    # 0.25 s (jsf, jsonschema), which only a launch that has something to send takes.
    from label_studio_sdk.label_interface import LabelInterface  # noqa: PLC0415

    try:
        page = LabelInterface(label_config)
        page.validate()
    except Exception as error:  # its errors have no class in common
        raise BadInput(
            f"the labeling config rendered from the scheme is unsound: {error}"
        ) from error
    dynamic = {q.name for q in scheme.questions.values() if q.kind == "name"}
    accepted: set[str] = set()  # predictions repeat: 0.05 ms each
    for task in tasks:
        where = f"task {task['data']['onrecord_id']}"
        if not page.validate_task({"data": task["data"]}):  # with predictions it raises TypeError
            raise BadInput(f"{where}: its data lack a variable of the labeling config")
        for prediction in task.get("predictions", ()):
            static = [
                region for region in prediction["result"] if region["from_name"] not in dynamic
            ]
            if (known := repr(static)) in accepted:
                continue
            errors = page.validate_prediction({"result": static}, return_errors=True)
            if errors:
                raise BadInput(
                    f"{where}: its suggestion does not fit the labeling config: {errors[0]}"
                )
            accepted.add(known)


def name_choices(names: Iterable[str], scheme: Scheme) -> list[dict[str, str]]:
    """Return the names as dynamic choices, each with a hotkey of the scheme, as far as those go."""
    keys = next((q.hotkeys for q in scheme.questions.values() if q.kind == "name"), ())
    return [
        {"value": name, "hotkey": key}
        for name, key in zip(dict.fromkeys(names), keys, strict=False)
    ]


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
