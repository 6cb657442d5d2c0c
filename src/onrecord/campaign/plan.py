"""Plan a campaign: the tasks of each annotator, their order, and the hours to expect. Deterministic by the seed."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import pyarrow as pa
from omegaconf import DictConfig, ListConfig, OmegaConf

from onrecord.campaign.planning.assignment import (
    Order,
    assign,
    insert_repeats,
    main_round,
    order_tasks,
    qualification_round,
)
from onrecord.campaign.planning.qualification import KnownAnswer, known_answers
from onrecord.campaign.planning.reassignment import (
    Changes,
    Reassignment,
    changes_of,
    latest_of_tasks,
    reassigned,
)
from onrecord.campaign.planning.sample_size import predict_precision
from onrecord.campaign.planning.sampling import (
    group_sample,
    lowest_hashes,
    random_sample,
    stratified_sample,
    uncertainty_sample,
)
from onrecord.campaign.planning.workload import measured_groups, plan_page
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, write_json, write_jsonl, write_text
from onrecord.core.records import (
    Annotation,
    ArticleRow,
    InstrumentVersion,
    PlanRow,
    SentenceRow,
    text_sha256,
)
from onrecord.core.table_reader import read_table
from onrecord.core.workspace import Workspace
from onrecord.scheme.migrations import read_annotations

SHAPES = {dict: "NAME: VALUE pairs", list: "a list of pseudonyms"}
LATER_TRIES = (
    "the qualification's later tries are only for annotators who fail: the hours are an upper bound"
)
Sampling = Literal["random", "articles", "stratified", "uncertainty"]


@dataclass(frozen=True)
class Design:
    """The settings of ``conf/plan.yaml``, which explains each; raises BadInput for one that cannot be."""

    annotators: tuple[str, ...]
    overlap: int
    overlap_share: float = 1.0
    order: Order = "articles"
    suggestions: bool = True
    control_share: float = 0.0
    checks_share: float = 0.0
    repeats_share: float = 0.0
    qualification_tasks: int = 0
    qualification_tries: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check shares, numbers of tasks and the order."""
        for name in ("overlap_share", "control_share", "checks_share", "repeats_share"):
            check_share(name, getattr(self, name))
        for name, least in (("qualification_tasks", 0), ("qualification_tries", 1)):
            found = getattr(self, name)
            if not isinstance(found, int) or found < least:
                raise BadInput(
                    f"{name.replace('_', '.')}: expected a whole number, found {found!r}"
                )
        check_choice("order", self.order, get_args(Order))


def check_share(name: str, value: object) -> None:
    """Raise BadInput unless ``value`` is a number between 0 and 1."""
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadInput(f"{name}: expected a share between 0 and 1, found {value!r}")


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise BadInput unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise BadInput(f"{name}: expected one of {', '.join(choices)}, found {value!r}")


def annotator_names(annotators: int | Sequence[str]) -> list[str]:
    """Return the pseudonyms: those given, or ``annotator-1`` to ``annotator-k`` for a number.

    Raises BadInput for none, a repeated one, or one that is not letters, digits, ``-``, ``_`` and ``.``.

    >>> annotator_names(2)
    ['annotator-1', 'annotator-2']
    """
    if isinstance(annotators, int):
        annotators = [f"annotator-{n}" for n in range(1, annotators + 1)]
    names = [str(name) for name in annotators]
    bad = [n for n in names if not n or not all(c.isalnum() or c in "-_." for c in n)]
    if not names or bad or len(set(names)) < len(names):
        raise BadInput(
            f"annotators: expected a number or a list of different pseudonyms, found {names!r}"
        )
    return names


def to_annotate(sentences: Sequence[SentenceRow], *, send_furniture: bool) -> list[str]:
    """Return the ids of the sentences to annotate: furniture only with ``send_furniture``."""
    return [r["sentence_id"] for r in sentences if send_furniture or r["furniture"] is None]


def strata_of(sentences: Sequence[SentenceRow], articles: Sequence[ArticleRow]) -> dict[str, str]:
    """Return the stratum of each sentence: its article's outlet and the month it was published."""
    stratum = {
        a["article_id"]: f"{a['outlet'] or 'unknown'}, {(a['published'] or 'undated')[:7]}"
        for a in articles
    }
    return {s["sentence_id"]: stratum[s["article_id"]] for s in sentences}


def sample(
    pool: Sequence[str],
    *,
    budget: int | None,
    sampling: Sampling,
    strata: Mapping[str, str],
    groups: Mapping[str, str],
    probabilities: Mapping[str, Sequence[float]] | None,
    seed: int,
) -> dict[str, float]:
    """Return the sentences of the budget with their inclusion probabilities; all of them without a budget."""
    check_choice("sampling", sampling, get_args(Sampling))
    if budget is not None and (not isinstance(budget, int) or budget < 1):
        raise BadInput(f"budget: expected a number of sentences or null, found {budget!r}")
    if budget is None or budget >= len(pool):
        return dict.fromkeys(pool, 1.0)
    if sampling == "random":
        return random_sample(pool, budget, seed)
    if sampling == "articles":
        return group_sample(pool, [groups[s] for s in pool], budget, seed)
    if sampling == "stratified":
        return stratified_sample(pool, [strata[s] for s in pool], budget, seed)
    if probabilities is None:
        raise BadInput("sampling=uncertainty: expected predictions=FILE of `onrecord predict`")
    return uncertainty_sample(pool, probabilities, budget, seed)


def reserve_known(
    pool: Sequence[str], known: Collection[str], design: Design, budget: int | None
) -> tuple[list[list[str]], list[str]]:
    """Return the sentences of each try of the qualification, and the hidden checks: all with known answers.

    Raises BadInput where fewer answers are known than are needed.
    """
    annotations = (budget or len(pool)) * (1 + (design.overlap - 1) * design.overlap_share)
    expected_load = round(annotations / len(design.annotators))
    n_checks = round(design.checks_share * expected_load)
    needed = design.qualification_tasks * design.qualification_tries + n_checks
    usable = [s for s in pool if s in known]
    if needed > len(usable):
        raise BadInput(
            f"qualification and checks need {needed} sentences whose answers are known, found {len(usable)}: "
            "name more with known=FILE"
        )
    chosen = lowest_hashes(usable, needed, f"{design.seed} set apart")
    size = design.qualification_tasks
    tries = [chosen[i * size : (i + 1) * size] for i in range(design.qualification_tries)]
    place = {s: i for i, s in enumerate(pool)}
    return (
        [sorted(t, key=place.__getitem__) for t in tries if t],
        sorted(chosen[size * design.qualification_tries :], key=place.__getitem__),
    )


def plan_rows(
    chosen: Mapping[str, float],
    design: Design,
    *,
    sha256_of: Mapping[str, str],
    strata: Mapping[str, str] | None = None,
    checks: Sequence[str] = (),
    qualification: Sequence[Sequence[str]] = (),
    places: Mapping[str, int] | None = None,
) -> list[PlanRow]:
    """Return the plan, annotator by annotator, a round's tasks in their order.

    ``chosen`` maps the sentences of the main round to their inclusion probabilities, in the corpus's order;
    ``places`` gives that order for ``checks`` too, which every annotator has. ``sha256_of`` gives the hash of each
    sentence's text, on which its tasks' keys depend. A share of ``overlap_share``, stratified, has ``overlap``
    annotators a sentence, the rest one.
    """
    ids = list(chosen)
    order = places or {s: i for i, s in enumerate([*ids, *checks])}
    several = stratified_sample(
        ids, [(strata or {}).get(s, "") for s in ids], round(design.overlap_share * len(ids)),
        design.seed,
    )  # fmt: skip
    shared = assign(list(several), design.annotators, design.overlap)
    loads = {a: len(mine) for a, mine in shared.items()}
    alone = assign([s for s in ids if s not in several], design.annotators, 1, loads)
    rows = []
    for a in design.annotators:
        for number, sentences in enumerate(qualification, 1):
            name = "qualification" if number == 1 else f"qualification-{number}"
            rows += qualification_round(
                a, sentences, name, sha256_of=sha256_of, suggestions=design.suggestions
            )
        mine = [*shared[a], *alone[a]]
        everything = order_tasks(
            sorted([*mine, *checks], key=order.__getitem__), design.order, f"{design.seed} {a}"
        )
        repeats = round(design.repeats_share * len(mine))
        sequence = insert_repeats(everything, mine, repeats, f"{design.seed} {a}")
        bare = lowest_hashes(
            everything, round(design.control_share * len(everything)), f"{design.seed} {a}"
        )
        rows += main_round(
            a, sequence, checks=set(checks), probabilities=chosen, sha256_of=sha256_of,
            control=set(bare), suggestions=design.suggestions,
        )  # fmt: skip
    return rows


def read_probabilities(path: Path) -> dict[str, list[float]]:
    """Return ``sentence_id → the model's probabilities`` of a predictions.parquet (its columns of type float)."""
    table = read_table(path, ["id"])
    columns = [f.name for f in table.schema if pa.types.is_floating(f.type)]
    if len(columns) < 2:
        raise BadInput(
            f"{path}: expected a column of probabilities for each label, found {columns}"
        )
    chances = zip(*(table[c].to_pylist() for c in columns), strict=True)
    return {i: list(p) for i, p in zip(table["id"].to_pylist(), chances, strict=True)}


class Plan(NamedTuple):
    """The sentences of the main round with their inclusion probabilities, all tasks, and the known answers used."""

    chosen: dict[str, float]
    rows: list[PlanRow]
    known: dict[str, KnownAnswer]


def make_plan(
    pool: Sequence[str],
    design: Design,
    known: Mapping[str, KnownAnswer],
    *,
    sha256_of: Mapping[str, str],
    strata: Mapping[str, str],
    groups: Mapping[str, str],
    budget: int | None,
    sampling: Sampling,
    probabilities: Mapping[str, Sequence[float]] | None,
) -> Plan:
    """Return the plan for the sentences of ``pool``, which is in the corpus's order."""
    qualification, checks = reserve_known(pool, known, design, budget)
    apart = {s for part in (*qualification, checks) for s in part}
    chosen = sample(
        [s for s in pool if s not in apart], budget=budget, sampling=sampling, strata=strata, groups=groups,
        probabilities=probabilities, seed=design.seed,
    )  # fmt: skip
    rows = plan_rows(
        chosen, design, sha256_of=sha256_of, strata=strata, checks=checks, qualification=qualification,
        places={s: i for i, s in enumerate(pool)},
    )  # fmt: skip
    return Plan(chosen, rows, {s: known[s] for s in pool if s in apart})


def asked_changes(cfg: DictConfig) -> Changes | None:
    """Return the changes of people that the command line asks for, None for none; raises BadInput for other shapes."""
    asked: dict[str, Any] = {
        key: OmegaConf.to_container(cfg[key]) if OmegaConf.is_config(cfg[key]) else cfg[key]
        for key in Changes._fields
    }
    for key, kind in (("replace", dict), ("again", dict), ("add", list), ("pause", list), ("resume", list)):  # fmt: skip
        asked[key] = asked[key] or kind()
        if not isinstance(asked[key], kind):
            raise BadInput(f"{key}: expected {SHAPES[kind]}, found {asked[key]!r}")
    annotator_names([*(asked["add"] or ["-"])])
    changes = Changes(**asked)
    return changes if any(asked.values()) or changes.idle == 0 else None


def change_people(
    workspace: Workspace, asked: Changes, sha256_of: Mapping[str, str]
) -> list[PlanRow]:
    """Return the plan that there is with the changes, and add those to ``reassignments.jsonl``."""
    rows = read_jsonl(workspace.require(Workspace.plan), PlanRow)
    path, versions = workspace.reassignments, workspace.versions
    earlier = read_jsonl(path, Reassignment) if path.exists() else []
    done = annotated(workspace)
    launched = read_jsonl(versions, InstrumentVersion) if versions.exists() else []
    changes = changes_of(rows, done, asked, launched, datetime.now(UTC))
    changed = reassigned(rows, changes, sha256_of, done, earlier)
    write_jsonl(path, [*earlier, *changes])
    given = Counter(change["to"] for change in changes if change.get("to"))
    shares = ", ".join(f"{count} to {name}" for name, count in given.items())
    print(
        f"{sum(given.values())} tasks change hands{f' ({shares})' if shares else ''}; all others stay."
    )
    return changed


def annotated(workspace: Workspace) -> dict[str, Annotation]:
    """Return the annotation of each task, as of the last collect."""
    path = workspace.annotations
    return latest_of_tasks(read_annotations(path)) if path.exists() else {}


def main(cfg: DictConfig) -> None:
    """Read the sentences, write ``plan.jsonl`` and ``plan.md``."""
    workspace = Workspace(Path(cfg.workspace))
    sentences: list[SentenceRow] = workspace.read_sentences().to_pylist()
    sha256_of = {s["sentence_id"]: text_sha256(s["text"]) for s in sentences}
    if asked := asked_changes(cfg):
        rows, notes = change_people(workspace, asked, sha256_of), list[str]()
    else:
        rows, notes = new_plan(cfg, workspace, sentences, sha256_of)
    if resting := dict.fromkeys(row["annotator"] for row in rows if row.get("paused")):
        notes = [*notes, f"paused: {', '.join(resting)}"]
    groups = {s["sentence_id"]: s["group_id"] or s["article_id"] for s in sentences}
    predicted = []
    if cfg.pilot:
        sizes, overlap = measured_groups(rows, groups)
        predicted = predict_precision(
            Path(cfg.pilot), sizes, annotators=overlap, width=cfg.wanted_width, seed=cfg.seed
        )
    page = plan_page(
        rows, title=cfg.campaign.title, seconds_per_task=cfg.seconds_per_task, group_of=groups,
        alpha=cfg.expected_alpha, predicted=predicted, notes=notes,
    )  # fmt: skip
    write_jsonl(workspace.plan, rows)
    write_text(workspace.plan_summary, page)
    hours = len(rows) * cfg.seconds_per_task / 3600
    count = len({row["sentence_id"] for row in rows if row["purpose"] == "main"})
    print(
        f"{count} of {len(sentences)} sentences, {len({row['annotator'] for row in rows})} annotators: "
        f"{len(rows)} tasks, about {hours:.1f} hours → {workspace.plan}, {workspace.plan_summary}"
    )


def new_plan(
    cfg: DictConfig,
    workspace: Workspace,
    sentences: list[SentenceRow],
    sha256_of: Mapping[str, str],
) -> tuple[list[PlanRow], list[str]]:
    """Return the plan by the settings, with the changes of people so far, and notes; write the known answers."""
    tries = cfg.qualification
    workspace.require(Workspace.speakers)
    pool = to_annotate(sentences, send_furniture=cfg.campaign.send_furniture)
    if not pool:
        raise BadInput(f"{workspace.sentences}: expected sentences, found none to annotate")
    given = cfg.annotators
    names = annotator_names(list(given) if isinstance(given, ListConfig) else given)
    design = Design(
        tuple(names), cfg.overlap or len(names), cfg.overlap_share, cfg.order, cfg.suggestions,
        cfg.control_share, cfg.checks_share, cfg.repeats_share, tries.tasks, tries.tries, cfg.seed,
    )  # fmt: skip
    check_share("qualification.pass_mark", tries.pass_mark)
    groups = {s["sentence_id"]: s["group_id"] or s["article_id"] for s in sentences}
    plan = make_plan(
        pool, design, known_answers(read_jsonl(cfg.known) if cfg.known else [], pool),
        sha256_of=sha256_of,
        strata=strata_of(sentences, workspace.read_articles().drop_columns(["text"]).to_pylist()),
        groups=groups, budget=cfg.budget, sampling=cfg.sampling,
        probabilities=read_probabilities(Path(cfg.predictions)) if cfg.predictions else None,
    )  # fmt: skip
    notes = [LATER_TRIES] if tries.tasks and tries.tries > 1 else []
    write_json(workspace.known_answers, {"pass_mark": tries.pass_mark, "answers": plan.known})
    path = workspace.reassignments
    changes = read_jsonl(path, Reassignment) if path.exists() else []
    return reassigned(plan.rows, changes, sha256_of, annotated(workspace)), notes
