"""``validate``: check whether a campaign is sound before anyone annotates. A step not done yet is no fault."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from onrecord.cli.pipeline import state_lines
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl
from onrecord.core.records import PlanRow
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import guidelines_version, read_guidelines
from onrecord.scheme.instrument import check_versions
from onrecord.scheme.scheme import Scheme, annotation_folder, load_scheme, targets_of


def repeated(ids: Iterable[str]) -> list[str]:
    """Return the ids that occur more than once.

    >>> repeated(["a", "b", "a", "a"])
    ['a']
    """
    return [one for one, count in Counter(ids).items() if count > 1]


def target_faults(target: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a campaign's target: no name, or a word that names both of its sides."""
    faults = []
    if not str(target["name"]).strip():
        faults.append("campaign.target.name is empty: say what the stance is about")
    sides = {str(w).casefold() for w in target["aliases"]} & {
        str(w).casefold() for w in target["opposites"]
    }
    faults += [
        f"campaign.target: {word!r} names both the target and its opposite"
        for word in sorted(sides)
    ]
    return faults


def plan_faults(rows: Iterable[PlanRow], sentences: set[str]) -> list[str]:
    """Return what is wrong with a plan: a task that occurs twice, or a sentence that does not exist."""
    rows, name = list(rows), Workspace.plan.name
    faults = [
        f"{name}: task {task!r} occurs twice" for task in repeated(r["task_id"] for r in rows)
    ]
    gone = dict.fromkeys(r["sentence_id"] for r in rows if r["sentence_id"] not in sentences)
    if gone:
        faults.append(
            f"{name}: {len(gone)} sentences are not in {Workspace.sentences.name}, such as {next(iter(gone))}: "
            "run `onrecord plan` again"
        )
    return faults


def instrument_lines(scheme: Scheme) -> list[str]:
    """Return a line on the scheme and one on its guidelines; raises BadInput where these have no version."""
    path = annotation_folder() / "guidelines.md"
    text = read_guidelines(scheme)
    try:
        version = guidelines_version(text)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    notes = [f"guidelines version {version}"]
    closed = [q.name for q in scheme.questions.values() if q.kind == "label"]
    if absent := [name for name in closed if f"<!-- scheme: {name} -->" not in text]:
        notes.append(f"without a table of {', '.join(absent)}")
    if text != path.read_text(encoding="utf-8"):
        notes.append("its tables are not the scheme's (`onrecord scheme render=true` writes them)")
    asked = ", ".join(scheme.questions)
    return [f"scheme     version {scheme.version}: {asked}; no hotkeys clash", "; ".join(notes)]


def check_files(workspace: Workspace, articles: Path) -> tuple[list[str], list[str]]:
    """Return the lines and the faults of what has been made so far: articles, sentences and plan."""
    lines: list[str] = []
    faults: list[str] = []
    if workspace.articles.exists():
        ids = workspace.read_articles()["article_id"].to_pylist()
        faults += [f"{Workspace.articles.name}: article {i!r} occurs twice" for i in repeated(ids)]
        lines.append(f"articles   {len(ids)} ingested")
    else:
        found = sum(p.is_file() for p in articles.rglob("*")) if articles.is_dir() else 0
        lines.append(f"articles   {found} files in {articles}, not ingested yet")
    if workspace.sentences.exists():
        ids = workspace.read_sentences()["sentence_id"].to_pylist()
        faults += [f"{Workspace.sentences.name}: {i!r} occurs twice" for i in repeated(ids)]
        lines.append(f"sentences  {len(ids)}")
        if workspace.plan.exists():
            tasks = read_jsonl(workspace.plan, PlanRow)
            faults += plan_faults(tasks, set(ids))
            lines.append(f"plan       {len(tasks)} tasks")
    return lines, faults


def main(cfg: DictConfig) -> None:
    """Check scheme, guidelines, target, articles, ids and plan; print what is sound and the next step."""
    scheme, workspace = load_scheme(), Workspace(Path(cfg.workspace))
    check_versions(workspace, cfg.campaign)
    targets = targets_of(scheme, cfg.campaign).values()
    lines = [*instrument_lines(scheme), *(f"target     {target['name']}" for target in targets)]
    found, file_faults = check_files(workspace, Path(cfg.articles))
    faults = [fault for target in targets for fault in target_faults(target)] + file_faults
    if faults:
        raise BadInput("; ".join(faults))
    print("\n".join([*lines, *found, *state_lines(workspace)]))
    print("The campaign is sound: annotation can start")
