"""``validate``: whether a campaign is sound before anyone annotates. A step not done yet is no fault."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl
from onrecord.core.records import PlanRow
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import guidelines_version, read_guidelines
from onrecord.scheme.scheme import annotation_folder, load_scheme, targets_of


def repeated(ids: Iterable[str]) -> list[str]:
    """Return the ids that occur more than once, in order of their second appearance.

    >>> repeated(["a", "b", "a", "a"])
    ['a']
    """
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for one in ids:
        if one in seen:
            twice[one] = None
        seen.add(one)
    return list(twice)


def target_faults(target: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a campaign's target: no words, or words on both of its sides."""
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


def plan_faults(rows: Iterable[Mapping[str, Any]], sentences: set[str]) -> list[str]:
    """Return what is wrong with a plan: a task twice, or a sentence that is not there (any more)."""
    rows = list(rows)
    faults = [
        f"plan.jsonl: task {task!r} stands twice" for task in repeated(r["task_id"] for r in rows)
    ]
    gone = dict.fromkeys(r["sentence_id"] for r in rows if r["sentence_id"] not in sentences)
    if gone:
        faults.append(
            f"plan.jsonl: {len(gone)} sentences are not in sentences.parquet, such as {next(iter(gone))}: "
            "run `onrecord plan` again"
        )
    return faults


def main(cfg: DictConfig) -> None:
    """Check scheme, guidelines, target, articles, ids and plan; print what is sound and what is to do."""
    scheme = load_scheme()
    guidelines = annotation_folder() / "guidelines.md"
    told = read_guidelines(scheme)
    try:
        version = guidelines_version(told)
    except BadInput as error:
        raise BadInput(f"{guidelines}: {error}") from error
    silent = [
        q.name for q in scheme.questions.values() if q.kind == "label" and f"<!-- scheme: {q.name} -->" not in told
    ]  # fmt: skip
    notes = [f"without a table of {', '.join(silent)}"] if silent else []
    if told != guidelines.read_text(encoding="utf-8"):
        notes.append("its tables are not the scheme's (`onrecord scheme render=true` writes them)")
    lines = [
        f"scheme     version {scheme.version}: {', '.join(scheme.questions)}; hotkeys do not clash",
        "; ".join([f"guidelines version {version}", *notes]),
    ]
    targets = targets_of(scheme, cfg.campaign)
    lines += [f"target     {target['name']}" for target in targets.values()]
    faults = [fault for target in targets.values() for fault in target_faults(target)]
    workspace = Path(cfg.workspace)
    folder = Path(cfg.articles)
    if (workspace / "articles.parquet").exists():
        ids = Workspace(workspace).read_articles()["article_id"].to_pylist()
        faults += [f"articles.parquet: article {one!r} stands twice" for one in repeated(ids)]
        lines.append(f"articles   {len(ids)} ingested")
    else:
        found = sum(1 for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else 0
        lines.append(f"articles   {found} files in {folder}, not ingested yet")
    plan = workspace / "plan.jsonl"
    if (workspace / "sentences.parquet").exists():
        ids = Workspace(workspace).read_sentences()["sentence_id"].to_pylist()
        faults += [f"sentences.parquet: {one!r} stands twice" for one in repeated(ids)]
        lines.append(f"sentences  {len(ids)}")
        if plan.exists():
            tasks = read_jsonl(plan, PlanRow)
            faults += plan_faults(tasks, set(ids))
            lines.append(f"plan       {len(tasks)} tasks")
    if faults:
        raise BadInput("; ".join(faults))
    print("\n".join(lines))
    print("sound: nothing stands in the way of annotating")
