"""The labeling page, rendered from the scheme: ``annotation/label_config.xml``.

Two columns: the article with the sentence set off in it, and the questions. The text before the sentence
scrolls in a box of its own that starts at its end (``column-reverse`` in the style sheet), so that the
nearest sentences are in view without a script; the text after it starts at its beginning.
"""

import html
import string
import xml.etree.ElementTree as ET
from pathlib import Path

from onrecord import ROOT
from onrecord.campaign.labelstudio.result_format import (
    COMMENT,
    FLAGS,
    OTHER_NAME,
    SENTENCE,
    target_field,
    text_control,
)
from onrecord.core.errors import BadInput
from onrecord.core.files import write_text
from onrecord.scheme.scheme import (
    OWN_TARGET,
    RESERVED_HOTKEYS,
    Label,
    Question,
    Scheme,
    load_scheme,
)

STYLE = Path(__file__).with_name("label_config.css")
ANSWERS_STYLE = """\
/* What the annotators answered: a card each. */
.or-answers .lsf-richtext__container { font-size: 13.5px; line-height: 1.4; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.or-answers p { margin: 0 0 4px; padding: 3px 8px; background: var(--card); border-left: 3px solid var(--mark); border-radius: 0 6px 6px 0; }
"""


def render_label_config(scheme: Scheme, *, with_answers: bool = False) -> str:
    """Return the labeling config (XML) that asks the scheme's questions; the same scheme gives the same bytes.

    ``with_answers`` puts the annotators' answers (``answers`` of a task's data) above the questions.
    """
    page = ET.Element("View", className="or-page")
    style = STYLE.read_text(encoding="utf-8") + (ANSWERS_STYLE if with_answers else "")
    ET.SubElement(page, "Style").text = f"\n{style}"
    _targets(page, scheme)
    _article(ET.SubElement(page, "View", className="or-article"))
    asked = ET.SubElement(page, "View", className="or-questions")
    if with_answers:
        _html(_block(asked, "or-answers", "What the annotators answered"), "answers")
    other = free_hotkey(scheme)
    for question in scheme.questions.values():
        _question(asked, question, other)
    last = ET.SubElement(asked, "View", className="or-last")
    if scheme.flags:
        flags = _block(last, "or-flags", "Flags")
        _choices(flags, FLAGS, scheme.flags, choice="multiple")
    _text_area(_block(last, "or-comment", "Comment"), COMMENT, "anything unclear, in a few words")
    ET.indent(page)
    return ET.tostring(page, encoding="unicode") + "\n"


def free_hotkey(scheme: Scheme) -> str:
    """Return the letter for OTHER_NAME: the first that neither the scheme nor Label Studio uses.

    Raises BadInput where the scheme uses the whole alphabet.
    """
    used = {label.hotkey for q in scheme.questions.values() for label in q.labels}
    used |= {key for q in scheme.questions.values() for key in q.hotkeys}
    used |= {flag.hotkey for flag in scheme.flags} | RESERVED_HOTKEYS
    for key in "l" + string.ascii_lowercase:
        if key not in used:
            return key
    raise BadInput("the scheme leaves no letter free as the hotkey for another name")


def _targets(page: ET.Element, scheme: Scheme) -> None:
    shown = ET.SubElement(page, "View", className="or-target")
    for number, about in enumerate([OWN_TARGET, *scheme.further_targets], 1):
        for title, field in (("Target", "target"), ("Opposite", "opposite")):
            pair = ET.SubElement(shown, "View", className="or-pair")
            what = ET.SubElement(pair, "View", className="or-what")
            ET.SubElement(what, "Header", value=f"{title} {number}" if about else title, size="5")
            ET.SubElement(pair, "Header", value=f"${target_field(field, about)}", size="5")


def _article(column: ET.Element) -> None:
    head = ET.SubElement(column, "View", className="or-head")
    for css, value, size in (("or-outlet", "$outlet", "5"), ("or-headline", "$headline", "4")):
        ET.SubElement(ET.SubElement(head, "View", className=css), "Header", value=value, size=size)
    for name in ("before", SENTENCE, "after"):
        box = ET.SubElement(column, "View", className=f"or-{name}")
        _html(box, name)


def _html(block: ET.Element, name: str) -> None:
    ET.SubElement(
        block, "HyperText", name=name, value=f"${name}", inline="true", selectionEnabled="false"
    )


def _question(column: ET.Element, question: Question, other: str) -> None:
    few = " or-few" if 0 < len(question.labels) <= 4 else ""
    block = _block(column, f"or-{question.kind}{few}", question.ask)
    for name, labels in question.when.items():
        block.set("visibleWhen", "choice-selected")
        block.set("whenTagName", name)
        block.set("whenChoiceValue", ",".join(labels))
    if question.about:  # which of the targets: the ask may be the same
        ET.SubElement(block, "Header", value=f"${target_field('target', question.about)}", size="5")
    if question.kind == "label":
        _choices(block, question.name, question.labels, required=question.ask)
        return
    label = Label(OTHER_NAME, other, "")
    choices = _choices(block, question.name, (label,), required=question.ask)
    choices.set("value", "$names")
    text = ET.SubElement(
        block, "View", className="or-name-text", visibleWhen="choice-selected",
        whenTagName=question.name, whenChoiceValue=OTHER_NAME,
    )  # fmt: skip
    area = _text_area(
        text, text_control(question.name), "the name as the article has it, then Enter"
    )
    area.set("required", "true")
    area.set("requiredMessage", "Type the name, or choose one of those listed.")


def _block(column: ET.Element, css: str, title: str) -> ET.Element:
    block = ET.SubElement(column, "View", className=f"or-block {css}")
    ET.SubElement(block, "Header", value=title, size="5")
    return block


def _choices(
    block: ET.Element,
    name: str,
    labels: tuple[Label, ...],
    *,
    choice: str = "single-radio",
    required: str = "",
) -> ET.Element:
    choices = ET.SubElement(
        block, "Choices", name=name, toName=SENTENCE, choice=choice, showInline="true"
    )
    if required:
        choices.set("required", "true")
        choices.set("requiredMessage", f"Not answered yet: {required}")
    for label in labels:
        shown = ET.SubElement(choices, "Choice", value=label.name, hotkey=label.hotkey)
        if label.hint:
            shown.set("hint", label.hint)
            shown.set(
                "html",
                f"<b>{html.escape(words(label.name))}</b><i>{html.escape(label.hint)}</i>",
            )
    return choices


def _text_area(block: ET.Element, name: str, placeholder: str) -> ET.Element:
    return ET.SubElement(
        block, "TextArea", name=name, toName=SENTENCE, maxSubmissions="1", editable="true",
        rows="1", placeholder=placeholder,
    )  # fmt: skip


def words(name: str) -> str:
    """Return a name of the scheme as it reads on a page.

    >>> words("needs_context")
    'needs context'
    """
    return name.replace("_", " ")


if __name__ == "__main__":  # `make render`
    folder = ROOT / "annotation"
    write_text(folder / "label_config.xml", render_label_config(load_scheme(folder)))
