"""Plan a campaign: who annotates what, in which order, and what it will cost. Deterministic from the seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from omegaconf import DictConfig, ListConfig

from onrecord.campaign.planning.assignment import (
    Order,
    in_order,
    main_round,
    qualification_round,
    shared_out,
    with_repeats,
)
from onrecord.campaign.planning.qualification import known_answers, write_known
from onrecord.campaign.planning.sample_size import foretold
from onrecord.campaign.planning.sampling import (
    drawn,
    random_sample,
    stratified_sample,
    uncertainty_sample,
)
from onrecord.campaign.planning.workload import plan_page
from onrecord.core.errors import BadInput
from onrecord.core.files import read_jsonl, require, write_jsonl, write_text
from onrecord.core.records import PlanRow, text_sha256
from onrecord.core.table_reader import read_table
from onrecord.core.workspace import Workspace

LATER_TRIES = "of the qualification, the tries after the first are for those who fail: hours are at most these"
Sampling = Literal["random", "stratified", "uncertainty"]


@dataclass(frozen=True)
class Design:
    """The choices of ``conf/plan.yaml``, which explains each."""

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


def annotator_names(annotators: int | Sequence[str]) -> list[str]:
    """Return the pseudonyms: those given, or ``annotator-1`` to ``annotator-k`` for a number.

    Raises BadInput for none, a repeated one, or one that is no plain word.

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


def to_annotate(sentences: Sequence[Mapping[str, Any]], *, send_furniture: bool) -> list[str]:
    """Return the ids of the sentences that annotators see: furniture only where it is asked for."""
    return [r["sentence_id"] for r in sentences if send_furniture or r["furniture"] is None]


def stratum_of(article: Mapping[str, Any]) -> str:
    """Return the stratum of an article's sentences: its outlet and the month it was published.

    >>> stratum_of({"outlet": "The Post", "published": "2026-01-14"})
    'The Post, 2026-01'
    """
    return f"{article['outlet'] or 'unknown'}, {(article['published'] or 'undated')[:7]}"


def sample(
    pool: Sequence[str],
    *,
    budget: int | None,
    sampling: Sampling,
    strata: Mapping[str, str],
    probabilities: Mapping[str, Sequence[float]] | None,
    seed: int,
) -> dict[str, float]:
    """Return the sentences of the budget with their inclusion probabilities; all of them without a budget."""
    if budget is None or budget >= len(pool):
        return dict.fromkeys(pool, 1.0)
    if sampling == "random":
        return random_sample(pool, budget, seed)
    if sampling == "stratified":
        return stratified_sample(pool, [strata[s] for s in pool], budget, seed)
    if probabilities is None:
        raise BadInput("sampling=uncertainty: expected predictions=FILE of `onrecord predict`")
    return uncertainty_sample(pool, probabilities, budget, seed)


def set_apart(
    pool: Sequence[str], known: Sequence[str], design: Design, expected_load: int
) -> tuple[list[list[str]], list[str]]:
    """Return the sentences of each try of the qualification, and the hidden checks: all with known answers.

    ``expected_load`` is how many tasks of the main round an annotator will have, about.
    Raises BadInput where fewer answers are known than are needed.
    """
    n_checks = round(design.checks_share * expected_load)
    needed = design.qualification_tasks * design.qualification_tries + n_checks
    usable = [s for s in pool if s in set(known)]
    if needed > len(usable):
        raise BadInput(
            f"qualification and checks need {needed} sentences whose answers are known, found {len(usable)}: "
            "name more with known=FILE"
        )
    chosen = drawn(usable, needed, f"{design.seed} set apart")
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
    ``sha256_of`` gives the hash of each sentence's text, on which its tasks' keys depend;
    ``places`` gives that order for ``checks`` too, which everybody has, and which stand in their articles'
    places. A part of ``overlap_share``, stratified, has ``overlap`` annotators a sentence, the rest one.
    """
    ids = list(chosen)
    order = places or {s: i for i, s in enumerate([*ids, *checks])}
    several = stratified_sample(
        ids, [(strata or {}).get(s, "") for s in ids], round(design.overlap_share * len(ids)),
        design.seed,
    )  # fmt: skip
    shared = shared_out(list(several), design.annotators, design.overlap)
    loads = {a: len(mine) for a, mine in shared.items()}
    alone = shared_out([s for s in ids if s not in several], design.annotators, 1, loads)
    rows = []
    for a in design.annotators:
        for number, sentences in enumerate(qualification, 1):
            name = "qualification" if number == 1 else f"qualification-{number}"
            rows += qualification_round(
                a, sentences, name, sha256_of=sha256_of, suggestions=design.suggestions
            )
        mine = [*shared[a], *alone[a]]
        everything = in_order(
            sorted([*mine, *checks], key=order.__getitem__), design.order, f"{design.seed} {a}"
        )
        repeats = round(design.repeats_share * len(mine))
        sequence = with_repeats(everything, mine, repeats, f"{design.seed} {a}")
        bare = drawn(
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


def check_shares(cfg: DictConfig) -> None:
    """Raise BadInput for a share outside 0 to 1 or a number of tasks below 0."""
    for key in (
        "overlap_share",
        "control_share",
        "checks_share",
        "repeats_share",
        "qualification.pass_mark",
    ):
        value = cfg.qualification.pass_mark if "." in key else cfg[key]
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise BadInput(f"{key}: expected a share between 0 and 1, found {value!r}")
    for key in ("tasks", "tries"):
        if not isinstance(cfg.qualification[key], int) or cfg.qualification[key] < (key == "tries"):
            raise BadInput(
                f"qualification.{key}: expected a whole number, found {cfg.qualification[key]!r}"
            )
    if cfg.budget is not None and (not isinstance(cfg.budget, int) or cfg.budget < 1):
        raise BadInput(f"budget: expected a number of sentences or null, found {cfg.budget!r}")
    for key, choices in (
        ("order", ("articles", "shuffled")),
        ("sampling", ("random", "stratified", "uncertainty")),
    ):
        if cfg[key] not in choices:
            raise BadInput(f"{key}: expected one of {', '.join(choices)}, found {cfg[key]!r}")


def main(cfg: DictConfig) -> None:
    """Read the sentences, write ``plan.jsonl`` and ``plan.md``."""
    check_shares(cfg)
    workspace = Path(cfg.workspace)
    require(workspace / "speakers.parquet", "attribute")
    sentences = Workspace(workspace).read_sentences().to_pylist()
    articles = Workspace(workspace).read_articles()
    stratum = {a["article_id"]: stratum_of(a) for a in articles.drop_columns(["text"]).to_pylist()}
    strata = {s["sentence_id"]: stratum[s["article_id"]] for s in sentences}
    pool = to_annotate(sentences, send_furniture=cfg.campaign.send_furniture)
    if not pool:
        raise BadInput(
            f"{workspace / 'sentences.parquet'}: expected sentences, found none to annotate"
        )
    annotators = annotator_names(
        list(cfg.annotators) if isinstance(cfg.annotators, ListConfig) else cfg.annotators
    )
    design = Design(
        tuple(annotators), cfg.overlap or len(annotators), cfg.overlap_share, cfg.order,
        cfg.suggestions, cfg.control_share, cfg.checks_share, cfg.repeats_share,
        cfg.qualification.tasks, cfg.qualification.tries, cfg.seed,
    )  # fmt: skip
    answers = known_answers(read_jsonl(cfg.known) if cfg.known else [], pool)
    load = (
        (cfg.budget or len(pool))
        * (1 + (design.overlap - 1) * design.overlap_share)
        / len(annotators)
    )
    qualification, checks = set_apart(pool, list(answers), design, round(load))
    apart = {s for part in (*qualification, checks) for s in part}
    chosen = sample(
        [s for s in pool if s not in apart], budget=cfg.budget, sampling=cfg.sampling, strata=strata,
        probabilities=read_probabilities(Path(cfg.predictions)) if cfg.predictions else None, seed=cfg.seed,
    )  # fmt: skip
    rows = plan_rows(
        chosen, design, sha256_of={s["sentence_id"]: text_sha256(s["text"]) for s in sentences},
        strata=strata, checks=checks, qualification=qualification,
        places={s: i for i, s in enumerate(pool)},
    )  # fmt: skip
    write_known(workspace, {s: answers[s] for s in pool if s in apart}, cfg.qualification.pass_mark)
    write_jsonl(workspace / "plan.jsonl", rows)
    group_of = {s["sentence_id"]: s["group_id"] for s in sentences}
    pilot = (
        foretold(
            Path(cfg.pilot), tasks=len(chosen), annotators=design.overlap, width=cfg.wanted_width, seed=cfg.seed,
        )
        if cfg.pilot
        else []
    )  # fmt: skip
    page = plan_page(
        rows, title=cfg.campaign.title, seconds_per_task=cfg.seconds_per_task, group_of=group_of,
        alpha=cfg.expected_alpha, notes=[*pilot, *([LATER_TRIES] if len(qualification) > 1 else [])],
    )  # fmt: skip
    write_text(workspace / "plan.md", page)
    hours = len(rows) * cfg.seconds_per_task / 3600
    print(
        f"{len(chosen)} of {len(pool)} sentences, {len(annotators)} annotators: {len(rows)} tasks, "
        f"some {hours:.1f} hours → {workspace / 'plan.jsonl'}, {workspace / 'plan.md'}"
    )
