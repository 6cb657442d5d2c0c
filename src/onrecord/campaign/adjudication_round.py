"""The adjudication round: what the policy left open, shown on Label Studio to somebody who did not annotate it.

The annotators' answers stand beside the sentence, without names and in an order that tells nothing.
"""

import random
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from onrecord.campaign.labelstudio.accounts import ensure_accounts
from onrecord.campaign.labelstudio.client import connect
from onrecord.campaign.labelstudio.install import locked
from onrecord.campaign.labelstudio.label_config import render_label_config, words
from onrecord.campaign.labelstudio.projects import settle_journal
from onrecord.campaign.labelstudio.tasks import escape, instructions, name_choices, tasks_of
from onrecord.campaign.launch import launch, logins_table
from onrecord.campaign.planning.assignment import task_id
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, require, write_jsonl, write_text
from onrecord.core.records import Launched, PlanRow, text_sha256
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import read_guidelines
from onrecord.scheme.scheme import Scheme, load_scheme, targets_of

ROUND = "adjudication"
STYLE = """\
/* What the annotators answered: a card each. */
.or-answers .lsf-richtext__container { font-size: 13.5px; line-height: 1.4; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.or-answers p { margin: 0 0 4px; padding: 3px 8px; background: var(--card); border-left: 3px solid var(--mark); border-radius: 0 6px 6px 0; }
"""


def adjudicators_of(
    unresolved: Sequence[str],
    annotated_by: Mapping[str, set[str]],
    candidates: Sequence[str],
    stranger: str = "adjudicator",
) -> dict[str, str]:
    """Return ``sentence_id → adjudicator``: of the candidates who did not annotate it the least loaded one.

    Where all of them did it is ``stranger``, an account of its own.
    """  # fmt: skip
    load: Counter[str] = Counter()
    found = {}
    for sentence in unresolved:
        free = [name for name in candidates if name not in annotated_by.get(sentence, set())]
        chosen = min(free, key=lambda name: load[name]) if free else stranger
        load[chosen] += 1
        found[sentence] = chosen
    return found


def round_plan(assigned: Mapping[str, str], sha256_of: Mapping[str, str]) -> list[PlanRow]:
    """Return the round's rows in the plan's form, in the order given; no suggestion is shown."""
    return [
        PlanRow(
            task_id=task_id(ROUND, annotator, sentence, sha256_of[sentence]),
            sentence_id=sentence, annotator=annotator, round=ROUND, position=position,
            purpose="adjudication", suggestion_shown=False, inclusion_probability=1.0,
        )
        for position, (sentence, annotator) in enumerate(assigned.items())
    ]  # fmt: skip


def answers_shown(rows: Iterable[Mapping[str, Any]], scheme: Scheme, *, seed: str) -> str:
    """Return the annotators' answers to one sentence as HTML: a line each, nameless, in an order by ``seed``.

    A comment stands with its answers; everything is escaped.
    """  # fmt: skip
    lines = []
    for row in rows:
        given = [
            f"{words(name)}: {row['labels'][name]}"
            for name in scheme.questions
            if row["labels"].get(name) is not None
        ]
        given += [words(flag) for flag in row["flags"]]
        given += [f"comment: {row['comment']}"] if row["comment"] else []
        lines.append(escape(" · ".join(given)))
    lines.sort()
    random.Random(seed).shuffle(lines)
    return "".join(f"<p>{line}</p>" for line in lines)


def with_answers(
    tasks: Iterable[Mapping[str, Any]],
    by_sentence: Mapping[str, Sequence[Mapping[str, Any]]],
    scheme: Scheme,
    seed: int,
) -> list[dict[str, Any]]:
    """Return the tasks with ``answers`` in their data, and the names that were answered offered first."""
    found = []
    for task in tasks:
        rows = by_sentence[task["data"]["sentence_id"]]
        named = [
            row["labels"].get(q.name)
            for row in rows
            for q in scheme.questions.values()
            if q.kind == "name"
        ]
        offered = [*sorted(filter(None, named)), *(n["value"] for n in task["data"]["names"])]
        shown = answers_shown(rows, scheme, seed=f"{seed} {task['data']['sentence_id']}")
        data = {**task["data"], "answers": shown, "names": name_choices(offered, scheme)}
        found.append({"data": data})
    return found


def config_with_answers(scheme: Scheme) -> str:
    """Return the labeling config with the annotators' answers above the questions."""
    page = ET.fromstring(render_label_config(scheme))  # noqa: S314 (rendered by us)
    asked, style = page.find("View[@className='or-questions']"), page.find("Style")
    if asked is None or style is None:
        raise BadInput("the labeling page has no column of questions to put the answers above")
    style.text = f"{style.text}{STYLE}"
    block = ET.Element("View", className="or-block or-answers")
    ET.SubElement(block, "Header", value="What the annotators answered", size="5")
    ET.SubElement(
        block, "HyperText", name="answers", value="$answers", inline="true", selectionEnabled="false"
    )  # fmt: skip
    asked.insert(0, block)
    return ET.tostring(page, encoding="unicode") + "\n"


def open_round(
    cfg: DictConfig,
    unresolved: Sequence[Mapping[str, Any]],
    counted: Iterable[Mapping[str, Any]],
) -> str:
    """Launch the unresolved sentences in projects of their own; return what was done, in words."""
    workspace = Path(cfg.workspace)
    articles = Workspace(workspace).read_articles().to_pylist()
    sentences = Workspace(workspace).read_sentences().to_pylist()
    speakers = Workspace(workspace).read_speakers()
    path = require(workspace / "launched.jsonl", "launch")
    scheme, launched = load_scheme(), read_jsonl(path, Launched)
    by_sentence: dict[str, list[Mapping[str, Any]]] = {}
    for row in counted:
        by_sentence.setdefault(row["sentence_id"], []).append(row)
    candidates = list(cfg.adjudicators or dict.fromkeys(r["annotator"] for r in launched if r["purpose"] == "main"))  # fmt: skip
    plan = round_plan(
        adjudicators_of(
            [row["sentence_id"] for row in unresolved],
            {s: {row["annotator"] for row in rows} for s, rows in by_sentence.items()},
            candidates,
        ),
        {s["sentence_id"]: text_sha256(s["text"]) for s in sentences},
    )
    campaign: Any = OmegaConf.to_container(cfg.campaign, resolve=True)
    targets = targets_of(scheme, campaign)
    tasks = tasks_of(
        plan, articles=articles, sentences=sentences, speakers=speakers.to_pylist(), targets=targets,
        scheme=scheme,
    )  # fmt: skip
    guidelines = read_guidelines(scheme)
    logins, journal = (workspace / "labelstudio" / n for n in ("accounts.json", "importing.json"))
    with (
        connect(workspace, cfg.labelstudio.url) as client,
        locked(workspace / "labelstudio/launch.lock"),
    ):
        names = list(dict.fromkeys(row["annotator"] for row in plan))
        accounts = ensure_accounts(client, names, cfg.campaign.name, logins)
        settle_journal(client, journal)
        before = [r for r in launched if r["round"] == ROUND and r["server"] == client.key]
        done = launch(
            client, plan, with_answers(tasks, by_sentence, scheme, int(cfg.seed)), accounts, before,
            campaign=cfg.campaign.name, title=cfg.campaign.title, label_config=config_with_answers(scheme),
            guidelines=instructions(guidelines, targets), journal=journal,
        )  # fmt: skip
        rows = [row for group in done for row in group]
        write_jsonl(path, [*(r for r in launched if r not in before), *rows])
        links = {
            r["annotator"]: [f"{client.url}/projects/{r['project_id']}/data?labeling=1"]
            for r in rows
        }
    table = logins_table([accounts[name] for name in names], links)
    write_text(workspace / "adjudicators.csv", table, mode=0o600)
    return (
        f"{len(plan)} sentences to adjudicate stand in {len(names)} project{'s' * (len(names) != 1)} "
        f"({', '.join(names)}); logins and links: {workspace / 'adjudicators.csv'}"
    )
