"""``agree``: agreement between annotators per question, with intervals over groups of articles.

Figures are given without furniture first, with it second: by-lines and captions are easy, and inflate
agreement.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from onrecord import __version__
from onrecord.campaign.agreement import annotator_quality, drift, page
from onrecord.campaign.agreement.confusions import flag_costs, problems, sample_advice
from onrecord.campaign.agreement.long_table import (
    Answers,
    answers_of,
    answers_of_annotations,
    read_long,
)
from onrecord.campaign.agreement.measures import (
    CROWD,
    breakdown,
    coefficient,
    disputes,
    identical_annotators,
    measure,
)
from onrecord.campaign.agreement.page_disputes import contexts
from onrecord.campaign.planning.sample_size import advice
from onrecord.core.errors import BadInput, CheckFailed
from onrecord.core.files import (
    file_sha256,
    read_jsonl,
    read_object,
    require,
    write_json,
    write_text,
)
from onrecord.core.records import counted_annotations, origin_of, text_sha256
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import read_guidelines
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme


def week(moment: str) -> str:
    """Return the ISO week of a moment.

    >>> week("2026-01-05T10:00:00Z")
    '2026-W02'
    """
    year, number, _ = date.fromisoformat(moment[:10]).isocalendar()
    return f"{year}-W{number:02d}"


def per_annotator(
    questions: Mapping[str, Answers], *, with_models: bool, seed: int
) -> dict[str, Any]:
    """Return per annotator: tasks, agreement with the rest and label bias by question; none of a crowd.

    ``with_models`` adds the skills that Dawid-Skene and MACE give, where a question has three annotators.
    """
    found: dict[str, Any] = {}
    for name, answers in questions.items():
        if len(answers.annotators) > CROWD:
            return {}
        rest = annotator_quality.agreement_with_rest(answers, seed=seed)
        bias = (
            annotator_quality.label_bias(answers, seed=seed) if len(answers.labels) <= CROWD else {}
        )
        skills = (
            annotator_quality.models(answers, seed=seed)
            if with_models and len(answers.annotators) > 2
            else {}
        )
        for code, annotator in enumerate(answers.annotators):
            row = found.setdefault(
                annotator, {"n_tasks": 0, "agreement_with_rest": {}, "bias": {}, "models": {}}
            )
            row["n_tasks"] = max(row["n_tasks"], int((answers.annotator == code).sum()))
            row["agreement_with_rest"][name] = rest.get(annotator)
            row["bias"] |= {name: bias[annotator]} if annotator in bias else {}
            row["models"] |= {name: skills[annotator]} if annotator in skills else {}
    return dict(sorted(found.items()))


def of_annotations(
    rows: Sequence[Mapping[str, Any]],
    sentences: Sequence[Mapping[str, Any]],
    outlets: Mapping[str, str | None],
    scheme: Scheme,
    *,
    replicates: int,
    seed: int,
) -> tuple[dict[str, Any], dict[str, Answers]]:
    """Return the figures of every question of the scheme, without furniture first, and the answers.

    ``outlets`` maps article_id to the outlet. Questions that nobody answered have a reason and no figure.
    """
    groups = {s["sentence_id"]: s["group_id"] for s in sentences}
    furniture = {s["sentence_id"] for s in sentences if s["furniture"]}
    facts = {
        "guidelines": lambda row: row["guidelines_version"],
        "week": lambda row: week(row["created_at"]),
        "outlet": lambda row: outlets.get(row["sentence_id"].rpartition(":")[0]) or "unknown",
        "moment": lambda row: row["created_at"],
    }
    prose = [row for row in rows if row["sentence_id"] not in furniture]
    answers = answers_of_annotations(prose, scheme, groups, facts)
    everything = (
        answers_of_annotations(rows, scheme, groups, {}) if len(prose) < len(rows) else None
    )
    questions = {}
    for name, own in answers.items():
        level = scheme.questions[name].level
        found = measure(own, level=level, replicates=replicates, seed=seed)
        found["with_furniture"] = (
            coefficient(everything[name], level=level, replicates=replicates, seed=seed)
            if everything
            else None
        )
        for fact in ("guidelines", "week", "outlet"):
            found[f"by_{fact}"] = breakdown(
                own, fact, level=level, replicates=replicates, seed=seed
            )
        found["change"] = drift.versions(own, level=level, replicates=replicates, seed=seed)
        found["drift"] = drift.over_time(own, own.facts["moment"], seed=seed)
        questions[name] = found
    return questions, answers


def of_table(
    path: Path, *, level: str, settings: Mapping[str, int]
) -> tuple[dict[str, Any], dict[str, Answers]]:
    """Return the figures and the answers of every question of a long table."""
    answers = {
        name: answers_of({c: table[c] for c in table.column_names})
        for name, table in read_long(path).items()
    }
    return {name: measure(own, level=level, **settings) for name, own in answers.items()}, answers  # type: ignore[arg-type]


def people(
    rows: Sequence[Mapping[str, Any]],
    every: Sequence[Mapping[str, Any]],
    sha256_of: Mapping[str, str],
    known: Mapping[str, Mapping[str, str | None]],
) -> dict[str, dict[str, Any]]:
    """Return per annotator what only a campaign's annotations tell: pace, known answers, repeats."""
    checks = [
        row
        for purpose in ("check", "qualification")
        for row in counted_annotations(every, sha256_of, purpose)
    ]
    parts = {
        "pace": annotator_quality.pace(rows),
        "checks": annotator_quality.check_scores([*rows, *checks], known),
        "repeats": annotator_quality.consistency(
            counted_annotations(every, sha256_of, "repeat"), rows
        ),
    }
    names = sorted({row["annotator"] for row in rows})
    return {name: {part: own[name] for part, own in parts.items() if name in own} for name in names}


def main(cfg: DictConfig) -> None:
    """Measure the workspace's annotations, or any long table, and write agreement.json and .html."""
    workspace = Path(cfg.workspace)
    settings = {"replicates": int(cfg.replicates), "seed": int(cfg.seed)}
    report: dict[str, Any] = {}
    texts: dict[str, dict[str, str]] = {}
    if cfg.annotations:
        source = Path(cfg.annotations)
        questions, answers = of_table(source, level=cfg.level, settings=settings)
        own: dict[str, dict[str, Any]] = {}
        scheme, guidelines = None, ""
        rows = []
    else:
        source = require(workspace / "annotations.jsonl", "collect")
        sentences = Workspace(workspace).read_sentences().to_pylist()
        articles = Workspace(workspace).read_articles().to_pylist()
        every = read_annotations(source)
        sha256_of = {s["sentence_id"]: text_sha256(s["text"]) for s in sentences}
        rows = counted_annotations(every, sha256_of)
        if not rows:
            raise BadInput(f"{source}: expected annotations that count, found none yet")
        scheme = load_scheme()
        guidelines = read_guidelines(scheme)
        outlets = {a["article_id"]: a["outlet"] for a in articles}
        questions, answers = of_annotations(rows, sentences, outlets, scheme, **settings)
        planned = workspace / "known.json"  # of `plan`: the hidden checks and the qualification
        known = (
            {r["sentence_id"]: r["labels"] for r in read_jsonl(cfg.known)}
            if cfg.known
            else read_object(planned, ["answers"], "plan")["answers"] if planned.exists() else {}
        )  # fmt: skip
        own = people(rows, every, sha256_of, known)
        groups = {s["sentence_id"]: s["group_id"] for s in sentences}
        there = (workspace / "speakers.parquet").exists()
        suggested = Workspace(workspace).read_speakers().to_pylist() if there else []
        report["anchoring"] = drift.anchoring(
            rows, {s["sentence_id"]: s for s in suggested}, groups, seed=settings["seed"]
        )
        report["flags"] = flag_costs(rows, answers, scheme)
        texts = contexts(sentences, articles)
    annotators = per_annotator(answers, with_models=cfg.annotator_models, seed=settings["seed"])
    for name, facts in own.items():
        annotators.setdefault(name, {}).update(facts)
    enough = advice(answers, width=cfg.wanted_width, seed=settings["seed"])
    report = {
        "questions": questions,
        "annotators": annotators,
        "identical": identical_annotators(answers),
        **report,
        "problems": problems(answers, scheme, guidelines),
        "enough": enough,
        "advice": sample_advice(enough),
        "origin": None if cfg.annotations else origin_of((r["origin"] for r in rows), cfg.campaign.origin),
        "signature": {
            "annotations": file_sha256(source), **settings, "onrecord": __version__,
        },
    }  # fmt: skip
    write_json(workspace / "agreement.json", report)
    title = source.name if cfg.annotations else cfg.campaign.title
    html = page.agreement_page(report, disputes(answers), texts, title=str(title))
    write_text(workspace / "agreement.html", html)
    print("\n".join([*report_lines(questions), *warnings(report)]))
    print(f"{workspace / 'agreement.json'}, {workspace / 'agreement.html'}")
    if cfg.minimum is not None:
        low = [n for n, q in questions.items() if q["alpha"] is None or q["alpha"] < cfg.minimum]
        if low:
            raise CheckFailed(f"alpha below minimum={cfg.minimum}: {', '.join(low)}")


def warnings(report: Mapping[str, Any]) -> Iterable[str]:
    """Yield a line for each pair of annotators who never differ, though others do."""
    for row in report["identical"]:
        yield (
            f"{' and '.join(row['pair'])} never differ on {row['n_tasks']} shared tasks, "
            f"{row['disputed_by_others']} answers to which others dispute: one person, or working together?"
        )


def report_lines(questions: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """Yield a line a question: alpha, its interval or the reason why there is none, what it rests on."""
    for name, q in questions.items():
        shown = "undefined" if q["alpha"] is None else f"{q['alpha']:.3f}"
        if q["low"] is not None:
            shown += f" [{q['low']:.3f}, {q['high']:.3f}]" + (" narrow" if q["narrow"] else "")
        elif "reason" in q:
            shown += (
                f" (no interval: {q['reason']})" if q["alpha"] is not None else f": {q['reason']}"
            )
        furniture = q.get("with_furniture")
        also = (
            f"; with furniture {furniture['alpha']:.3f}"
            if furniture and furniture["alpha"] is not None
            else ""
        )
        yield f"alpha of {name:<13} {shown}; {q['unanimous']} of {q['n_pairable']} unanimous{also}"
