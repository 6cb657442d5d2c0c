"""The label scheme: what is asked of a sentence and what may be answered.

Declared once, in ``annotation/scheme.yaml``. The guideline tables and the labeling config are rendered
from it (``make render``) and committed; a test fails when a committed rendering is stale.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import yaml

from onrecord import ROOT
from onrecord.core.errors import BadInput

RESERVED_HOTKEYS = {"u"}  # Label Studio's own
TARGET_ID = re.compile(r"[A-Za-z]\w*", re.ASCII)
OWN_TARGET = ""  # the id, among a campaign's targets, of the one that every campaign has


@dataclass(frozen=True)
class Label:
    """One answer to a question, or one flag."""

    name: str
    hotkey: str
    hint: str


@dataclass(frozen=True)
class Question:
    """One thing asked of a sentence.

    ``kind`` is ``label`` (answered with one of ``labels``) or ``name`` (answered with a name from the
    article, or with nothing). ``when`` maps another question to the labels under which this one is asked.
    ``about`` is the id of the campaign's further target that a question about a target asks about; the
    campaign's own target has none.
    """

    name: str
    ask: str
    kind: Literal["label", "name"]
    labels: tuple[Label, ...]
    when: Mapping[str, tuple[str, ...]]
    hotkeys: tuple[str, ...]
    target: bool
    level: Literal["nominal", "ordinal", "interval"] = "nominal"  # of its labels, in agreement
    about: str = ""

    @property
    def names(self) -> list[str]:
        """The label names, in the scheme's order; empty for a question of kind ``name``."""
        return [label.name for label in self.labels]


@dataclass(frozen=True)
class Scheme:
    """A version of the instrument."""

    version: int
    questions: Mapping[str, Question]
    flags: tuple[Label, ...]

    @property
    def target_question(self) -> str:
        """The question that a model learns by default: the first about the target, else the first with labels."""
        asked = [q for q in self.questions.values() if q.kind == "label"]
        return next((q.name for q in asked if q.target), asked[0].name)

    @property
    def further_targets(self) -> list[str]:
        """The ids of the targets, beside the campaign's own, that questions ask about, in their order."""
        return list(dict.fromkeys(q.about for q in self.questions.values() if q.about))

    def over_targets(self, question: str) -> list[Question]:
        """Return the questions that ask the same of one target or another: those with ``question``'s labels.

        A question that is about no target stands alone.
        """
        own = self.questions[question]
        same = [q for q in self.questions.values() if q.target and q.names == own.names]
        return same if own.target else [own]

    def without(self, questions: Collection[str]) -> "Scheme":
        """Return the scheme without some questions."""
        kept = {name: q for name, q in self.questions.items() if name not in questions}
        return replace(self, questions=kept)

    def asked(self, labels: Mapping[str, str | None], question: str) -> bool:
        """Return whether ``question`` is asked, given the answers to the others."""
        return all(labels.get(q) in names for q, names in self.questions[question].when.items())

    def check(self, labels: Mapping[str, str | None], where: str) -> None:
        """Raise BadInput unless the scheme has every question and answer."""
        for name, answer in labels.items():
            if name not in self.questions:
                raise BadInput(
                    f"{where}: the scheme has no question {name!r}, only {', '.join(self.questions)}"
                )
            question = self.questions[name]
            if question.kind == "label" and answer is not None and answer not in question.names:
                raise BadInput(
                    f"{where}: {name} {answer!r} is not in the scheme: expected one of {', '.join(question.names)}"
                )


def targets_of(scheme: Scheme, campaign: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the targets that the scheme asks about, by id: ``name``, ``opposite``, ``aliases``, ``opposites``.

    ``campaign`` has ``target``, the campaign's own (under OWN_TARGET here), and ``targets``, the further
    ones. Raises BadInput for a target that a question asks about and the campaign lacks, or the reverse,
    and for two targets of one name.
    """
    further = campaign.get("targets") or {}
    for name in scheme.further_targets:
        if name not in further:
            raise BadInput(
                f"campaign.targets: the scheme asks about the target {name!r}, found "
                f"{', '.join(further) or 'none'}"
            )
    found = {OWN_TARGET: dict(campaign["target"])}
    for name, target in further.items():
        if name not in scheme.further_targets:
            raise BadInput(
                f"campaign.targets.{name}: no question of the scheme has `target: {name}`"
            )
        if not isinstance(target, Mapping) or not str(target.get("name") or "").strip():
            raise BadInput(f"campaign.targets.{name}: expected a name, the target in words")
        blank: dict[str, Any] = {"opposite": None, "aliases": [], "opposites": []}
        found[str(name)] = blank | dict(target)
    names = [str(target["name"]) for target in found.values()]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"campaign.targets: two targets are named {name!r}")
    return found


def questions_over(
    scheme: Scheme, question: str, targets: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """Return the questions that ask the same as ``question`` (itself first), each with its target in words.

    ``targets`` are those of ``targets_of``; a question about no target has the campaign's own.
    """
    same = [scheme.questions[question], *scheme.over_targets(question)]
    return {q.name: str(targets[q.about]["name"]) for q in same}


def annotation_folder() -> Path:
    """Return the folder of the instrument: the current folder's own, else the packaged one."""
    own = Path.cwd() / "annotation"
    there = any((own / name).is_file() for name in ("scheme.yaml", "guidelines.md"))
    return own if there else ROOT / "annotation"


def load_scheme(folder: Path | None = None) -> Scheme:
    """Return the scheme declared in ``folder/scheme.yaml``; raises BadInput where it is unsound."""
    path = (folder or annotation_folder()) / "scheme.yaml"
    try:
        return parse_scheme(yaml.safe_load(path.read_text(encoding="utf-8")), str(path))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{path}: expected a scheme in YAML, found {' '.join(str(error).split())}"
        ) from error


def parse_scheme(declared: Any, where: str) -> Scheme:
    """Return the scheme that a YAML value declares; raises BadInput naming what is wrong with it."""
    _expect_keys(declared, {"version", "questions", "flags"}, {"version", "questions"}, where)
    questions = {
        str(name): _question(str(name), body, f"{where}, question {name!r}")
        for name, body in declared["questions"].items()
    }
    for question in questions.values():
        for other, names in question.when.items():
            unknown = set(names) - set(questions[other].names if other in questions else ())
            if unknown:
                raise BadInput(
                    f"{where}, question {question.name!r}: `when` names {other}={min(unknown)}, unknown"
                )
    if not any(question.kind == "label" for question in questions.values()):
        raise BadInput(f"{where}: expected at least one question with labels, found none")
    flags = _labels(declared.get("flags") or {}, f"{where}, flags")
    scheme = Scheme(int(declared["version"]), questions, flags)
    _check_hotkeys(scheme, where)
    return scheme


def _question(name: str, body: Any, where: str) -> Question:
    _expect_keys(
        body, {"ask", "kind", "labels", "when", "hotkeys", "target", "level"}, {"ask"}, where
    )
    kind = body.get("kind", "label")
    if kind not in ("label", "name"):
        raise BadInput(f"{where}: expected kind label or name, found {kind!r}")
    level = body.get("level", "nominal")
    if level not in ("nominal", "ordinal", "interval"):
        raise BadInput(f"{where}: expected level nominal, ordinal or interval, found {level!r}")
    labels = _labels(body.get("labels") or {}, where)
    if (kind == "label") != (len(labels) >= 2):
        raise BadInput(f"{where}: a question of kind {kind} has {len(labels)} labels")
    when = {str(q): tuple(str(n) for n in names) for q, names in (body.get("when") or {}).items()}
    hotkeys = tuple(str(key) for key in body.get("hotkeys") or ())
    about = body.get("target", False)
    if not isinstance(about, bool) and not TARGET_ID.fullmatch(str(about)):
        raise BadInput(
            f"{where}: expected target true, or the id of one of the campaign's targets "
            f"(letters, digits and _), found {about!r}"
        )
    return Question(
        name, str(body["ask"]), kind, labels, when, hotkeys, bool(about), level,
        about="" if isinstance(about, bool) else str(about),
    )  # fmt: skip


def _labels(declared: Any, where: str) -> tuple[Label, ...]:
    if not isinstance(declared, dict):
        raise BadInput(f"{where}: expected `name: {{hotkey: …, hint: …}}`, found {declared!r}")
    for name, body in declared.items():
        _expect_keys(body, {"hotkey", "hint"}, {"hotkey"}, f"{where}, label {name!r}")
    return tuple(
        Label(str(name), str(body["hotkey"]), str(body.get("hint", "")))
        for name, body in declared.items()
    )


def _expect_keys(value: Any, known: set[str], needed: set[str], where: str) -> None:
    if not isinstance(value, dict):
        raise BadInput(f"{where}: expected keys {', '.join(sorted(known))}, found {value!r}")
    for key in needed - set(value):
        raise BadInput(f"{where}: expected the key {key!r}, found {', '.join(map(str, value))}")
    for key in set(value) - known:
        raise BadInput(f"{where}: there is no key {key!r}: expected {', '.join(sorted(known))}")


def _check_hotkeys(scheme: Scheme, where: str) -> None:
    used: dict[str, str] = {}
    for question in scheme.questions.values():
        pairs = [(label.hotkey, f"{question.name}={label.name}") for label in question.labels]
        pairs += [(key, f"a name of {question.name}") for key in question.hotkeys]
        for key, owner in pairs:
            _claim(used, key, owner, where)
    for flag in scheme.flags:
        _claim(used, flag.hotkey, f"flag {flag.name}", where)


def _claim(used: dict[str, str], key: str, owner: str, where: str) -> None:
    if key in RESERVED_HOTKEYS:
        raise BadInput(f"{where}: hotkey {key!r} of {owner} is Label Studio's own")
    if key in used:
        raise BadInput(f"{where}: hotkey {key!r} stands for both {used[key]} and {owner}")
    used[key] = owner
