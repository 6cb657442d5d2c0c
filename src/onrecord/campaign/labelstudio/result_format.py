"""Answers in Label Studio's terms, and back: ``from_result(to_result(answers)) == answers``.

Every question is a ``Choices`` control of its own name. A question of kind ``name`` offers the names of
the task and one choice more, OTHER_NAME, which opens a free text (``NAME_text``). Label Studio checks
nothing of what it stores: everything read here is checked against the scheme.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from onrecord.campaign.backend import Answers
from onrecord.core.errors import BadInput
from onrecord.scheme.scheme import Question, Scheme


class Region(TypedDict):
    """An item of Label Studio's ``result``: what was answered in one control."""

    id: str
    from_name: str
    to_name: str
    type: str
    value: dict[str, list[str]]


SENTENCE = "sentence"  # the object that every control points to
FLAGS = "flags"
COMMENT = "comment"
OTHER_NAME = "another name"


def text_control(question: str) -> str:
    """Return the name of the free-text control beside a question of kind ``name``.

    >>> text_control("speaker_name")
    'speaker_name_text'
    """
    return f"{question}_text"


def target_field(what: str, about: str) -> str:
    """Return the key in a task's data of a target's ``what`` (target or opposite), by the target's id.

    >>> target_field("target", ""), target_field("opposite", "fees")
    ('target', 'opposite_fees')
    """
    return f"{what}_{about}" if about else what


def to_result(
    labels: Mapping[str, str | None],
    scheme: Scheme,
    *,
    names: Sequence[str] = (),
    flags: Sequence[str] = (),
    comment: str = "",
) -> list[Region]:
    """Return Label Studio's ``result`` list for the answers; a question answered by None is left out.

    ``names`` are the choices that the task offers for a question of kind ``name``: one of them is
    chosen, any other name is written as free text.
    """
    result: list[Region] = []
    for question in scheme.questions.values():
        answer = labels.get(question.name)
        if answer is None:
            continue
        listed = question.kind == "label" or (answer in names and answer != OTHER_NAME)
        result.append(_choices(question.name, [answer if listed else OTHER_NAME]))
        if not listed:
            result.append(_text(text_control(question.name), answer))
    if flags:
        result.append(_choices(FLAGS, list(flags)))
    if comment:
        result.append(_text(COMMENT, comment))
    return result


def from_result(result: Any, scheme: Scheme, where: str) -> Answers:
    """Return the answers in a ``result`` list, as :func:`answers_in`; raises BadInput for any other shape, too."""
    if not isinstance(result, list):
        raise BadInput(f"{where}: expected Label Studio's result list, found {result!r}")
    texts: dict[str, str] = {}
    chosen: dict[str, list[str]] = {}
    for item in result:
        name, values, kind = _read(item, where)
        if kind == "choices":
            chosen[name] = values
        else:
            texts[name] = "\n".join(values).strip()
    return answers_in(chosen, texts, scheme, where)


def answers_in(
    chosen: Mapping[str, list[str]], texts: Mapping[str, str], scheme: Scheme, where: str
) -> Answers:
    """Return the answers of the controls that were chosen in and typed in; ``where`` names them in complaints.

    A question that the other answers rule out (the name of an author) is None even if the page kept an
    earlier answer to it. Raises BadInput for a label, flag or control that the scheme lacks.
    """
    for kind, controls, known in (
        ("choices", chosen, {FLAGS, *scheme.questions}),
        ("textarea", texts, _text_controls(scheme)),
    ):
        for name in controls:
            if name not in known:
                raise BadInput(
                    f"{where}: {kind} {name!r} is not in the scheme: expected one of {', '.join(sorted(known))}"
                )
    flags = chosen.get(FLAGS, [])
    unknown = [flag for flag in flags if flag not in [known.name for known in scheme.flags]]
    if unknown:
        raise BadInput(f"{where}: flag {unknown[0]!r} is not in the scheme")
    labels = {
        question.name: _answer(question, chosen.get(question.name, []), texts, where)
        for question in scheme.questions.values()
    }
    scheme.check(labels, where)
    asked = {name: answer for name, answer in labels.items() if scheme.asked(labels, name)}
    return Answers(
        {name: asked.get(name) for name in scheme.questions},
        [flag.name for flag in scheme.flags if flag.name in flags],
        texts.get(COMMENT, ""),
    )


def _answer(
    question: Question, chosen: Sequence[str], texts: Mapping[str, str], where: str
) -> str | None:
    if len(chosen) > 1:
        raise BadInput(
            f"{where}: {question.name} has {len(chosen)} answers, expected one: {chosen}"
        )
    if question.kind == "label":
        return chosen[0] if chosen else None
    if chosen and chosen[0] != OTHER_NAME:
        return chosen[0]
    return texts.get(text_control(question.name)) or None


def _text_controls(scheme: Scheme) -> set[str]:
    names = {text_control(q.name) for q in scheme.questions.values() if q.kind == "name"}
    return names | {COMMENT}


def _read(item: Any, where: str) -> tuple[str, list[str], str]:
    kind = item.get("type") if isinstance(item, dict) else None
    key = {"choices": "choices", "textarea": "text"}.get(str(kind))
    value = item.get("value") if key else None
    values = value.get(key) if isinstance(value, dict) else None
    if isinstance(values, str):  # Label Studio accepts a bare string on import
        values = [values]
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise BadInput(f"{where}: expected choices or a text, found {item!r}")
    return str(item.get("from_name")), values, str(kind)


def _choices(name: str, values: list[str]) -> Region:
    return _item(name, "choices", {"choices": values})


def _text(name: str, text: str) -> Region:
    return _item(name, "textarea", {"text": [text]})


def _item(name: str, kind: str, value: dict[str, list[str]]) -> Region:
    return {"id": name, "from_name": name, "to_name": SENTENCE, "type": kind, "value": value}
