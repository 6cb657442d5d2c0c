"""``agree``: agreement between annotators per question, with intervals over groups of articles.

Figures are given without furniture first, with it second: by-lines and captions are easy, and inflate
agreement.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, get_args

from omegaconf import DictConfig

from onrecord import __version__
from onrecord.campaign.agreement import annotator_quality, drift
from onrecord.campaign.agreement.aggregation import MAX_LABELS, claimed_and_observed
from onrecord.campaign.agreement.coefficients import Level
from onrecord.campaign.agreement.confusions import confusions, flag_costs
from onrecord.campaign.agreement.long_table import (
    Answers,
    answers_of_annotations,
    questions_of,
    read_long,
)
from onrecord.campaign.agreement.measures import (
    breakdown,
    coefficient,
    disputes,
    identical_annotators,
    measure,
)
from onrecord.campaign.agreement.page import agreement_page, contexts
from onrecord.campaign.planning.sample_size import sample_advice, sample_size
from onrecord.campaign.tool_exports import long_table
from onrecord.core.agreement_report import (
    AgreementReport,
    AlphaFigures,
    AnnotatorFigures,
    ClaimedShare,
    IdenticalPair,
    QuestionFigures,
)
from onrecord.core.errors import BadInput, CheckFailed
from onrecord.core.files import (
    file_sha256,
    write_json,
    write_text,
)
from onrecord.core.intervals import format_number, format_score
from onrecord.core.records import (
    Annotation,
    ArticleRow,
    SentenceRow,
    SpeakerRow,
    origin_of,
    text_sha256,
)
from onrecord.core.votes import Versions, counted_annotations
from onrecord.core.workspace import Workspace
from onrecord.scheme.guidelines import read_guidelines
from onrecord.scheme.instrument import versions_of
from onrecord.scheme.migrations import read_annotations
from onrecord.scheme.scheme import Scheme, load_scheme


class Campaign(NamedTuple):
    """A campaign's annotations, and what they are read with; ``rows`` are the valid ones of ``every``."""

    rows: list[Annotation]
    every: list[Annotation]
    sentences: list[SentenceRow]
    articles: list[ArticleRow]
    speakers: list[SpeakerRow]
    known: annotator_quality.Known
    scheme: Scheme
    guidelines: str
    versions: Versions


def week(moment: str) -> str:
    """Return the ISO week of a moment.

    >>> week("2026-01-05T10:00:00Z")
    '2026-W02'
    """
    year, number, _ = date.fromisoformat(moment[:10]).isocalendar()
    return f"{year}-W{number:02d}"


def measure_campaign(
    campaign: Campaign,
) -> tuple[dict[str, QuestionFigures], dict[str, Answers]]:
    """Return the figures of every question of the scheme, without furniture first, and the answers.

    Questions that nobody answered have a reason and no figure.
    """
    scheme = campaign.scheme
    groups = {s["sentence_id"]: s["group_id"] for s in campaign.sentences}
    article_of = {s["sentence_id"]: s["article_id"] for s in campaign.sentences}
    outlets = {a["article_id"]: a["outlet"] for a in campaign.articles}
    furniture = {s["sentence_id"] for s in campaign.sentences if s["furniture"]}
    facts: dict[str, Callable[[Annotation], str]] = {
        "guidelines": lambda row: row["guidelines_version"],
        "week": lambda row: week(row["created_at"]),
        "outlet": lambda row: outlets.get(article_of[row["sentence_id"]]) or "unknown",
        "moment": lambda row: row["created_at"],
    }
    prose = [row for row in campaign.rows if row["sentence_id"] not in furniture]
    answers = answers_of_annotations(prose, scheme, groups, facts)
    furnished = len(prose) < len(campaign.rows)
    everything = answers_of_annotations(campaign.rows, scheme, groups, {}) if furnished else {}
    questions = {}
    for name, own in answers.items():
        level = scheme.questions[name].level
        found = measure(own, level=level)
        found["with_furniture"] = coefficient(everything[name], level=level) if everything else None
        slices = {
            fact: breakdown(own, fact, level=level) for fact in ("guidelines", "week", "outlet")
        }
        found["by_guidelines"] = slices["guidelines"]
        found["by_week"] = slices["week"]
        found["by_outlet"] = slices["outlet"]
        found["change"] = drift.between_versions(own, level=level)
        found["drift"] = drift.over_time(own, own.facts["moment"])
        questions[name] = found
    return questions, answers


def per_annotator(
    questions: Mapping[str, Answers], *, with_models: bool
) -> dict[str, AnnotatorFigures]:
    """Return per annotator: tasks, agreement with the rest and label bias by question.

    ``with_models`` adds the skills that Dawid-Skene and MACE estimate, where a question has three annotators.
    """
    found: dict[str, AnnotatorFigures] = {}
    for name, answers in questions.items():
        few_labels = len(answers.labels) <= MAX_LABELS
        modelled = with_models and len(answers.annotators) > 2 and few_labels
        rest = annotator_quality.agreement_with_rest(answers)
        bias = annotator_quality.label_bias(answers) if few_labels else {}
        skills = annotator_quality.annotator_models(answers) if modelled else {}
        for annotator, given in answers.by_annotator.items():
            row = found.setdefault(
                annotator, {"n_tasks": 0, "agreement_with_rest": {}, "bias": {}, "models": {}}
            )
            row["n_tasks"] = max(row["n_tasks"], len(given))
            row["agreement_with_rest"][name] = rest.get(annotator)
            row["bias"] |= {name: bias[annotator]} if annotator in bias else {}
            row["models"] |= {name: skills[annotator]} if annotator in skills else {}
    return dict(sorted(found.items()))


def add_campaign_quality(
    annotators: dict[str, AnnotatorFigures], campaign: Campaign
) -> list[Annotation]:
    """Add to each annotator's figures those that only a campaign has: pace, known answers, repeats; return checks."""
    sha256_of = {s["sentence_id"]: text_sha256(s["text"]) for s in campaign.sentences}
    rows = campaign.rows
    checks = annotator_quality.check_annotations(campaign.every, sha256_of, campaign.versions)
    repeats = counted_annotations(campaign.every, sha256_of, "repeat", campaign.versions)
    pace = annotator_quality.pace(rows)
    right = annotator_quality.check_scores([*rows, *checks], campaign.known)
    same = annotator_quality.consistency(repeats, rows)
    for name in sorted({row["annotator"] for row in rows}):
        own = annotators.setdefault(name, {})
        if name in pace:
            own["pace"] = pace[name]
        if name in right:
            own["checks"] = right[name]
        if name in same:
            own["repeats"] = same[name]
    return checks


def claimed(campaign: Campaign, checks: Iterable[Annotation]) -> dict[str, list[ClaimedShare]]:
    """Return per question how sure the annotator model is of known answers, and how often it is right."""
    answers = answers_of_annotations([*campaign.rows, *checks], campaign.scheme, {}, {})
    found = {}
    for name, own in answers.items():
        known = annotator_quality.known_labels(campaign.known, name)
        if known.keys() & own.place.keys() and len(own.labels) <= MAX_LABELS:
            found[name] = claimed_and_observed(own, known)
    return found


def make_report(
    questions: dict[str, QuestionFigures],
    answers: Mapping[str, Answers],
    campaign: Campaign | None,
    *,
    with_models: bool,
    width: float,
    origin: str | None,
    signature: dict[str, str | int],
    seed: int,
) -> AgreementReport:
    """Return the whole of agreement.json; ``campaign`` is None for a table from elsewhere."""
    annotators = per_annotator(answers, with_models=with_models)
    sizes = {name: sample_size(own, width=width, seed=seed) for name, own in answers.items()}
    scheme, guidelines = (campaign.scheme, campaign.guidelines) if campaign else (None, "")
    report: AgreementReport = {
        "questions": questions,
        "annotators": annotators,
        "identical": identical_annotators(answers),
        "problems": confusions(answers, scheme, guidelines),
        "enough": sizes,
        "advice": sample_advice(sizes),
        "origin": origin,
        "signature": signature,
    }
    if campaign:
        checks = add_campaign_quality(annotators, campaign)
        suggestions = {s["sentence_id"]: s for s in campaign.speakers}
        groups = {s["sentence_id"]: s["group_id"] for s in campaign.sentences}
        report["anchoring"] = drift.anchoring(campaign.rows, suggestions, groups)
        report["claimed"] = claimed(campaign, checks)
        report["flags"] = flag_costs(campaign.rows, answers, campaign.scheme)
    return report


def read_campaign(workspace: Workspace, about: Mapping[str, Any], known: str | None) -> Campaign:
    """Return what the workspace holds of the campaign configured as ``about``.

    ``known`` is a file of known answers, by default those that plan set apart.

    Raises BadInput where no annotation is valid.
    """
    source = workspace.require(Workspace.annotations)
    sentences: list[SentenceRow] = workspace.read_sentences().to_pylist()
    every = read_annotations(source)
    scheme = load_scheme()
    versions = versions_of(about, scheme)
    texts = {s["sentence_id"]: text_sha256(s["text"]) for s in sentences}
    rows = counted_annotations(every, texts, versions=versions)
    if not rows:
        raise BadInput(f"{source}: expected valid annotations, found none yet")
    return Campaign(
        rows, every, sentences, workspace.read_articles().to_pylist(),
        workspace.read_speakers().to_pylist() if workspace.speakers.exists() else [],
        annotator_quality.read_known(workspace, known), scheme, read_guidelines(scheme), versions,
    )  # fmt: skip


def measure_table(
    answers: dict[str, Answers], *, level: Level
) -> tuple[dict[str, QuestionFigures], dict[str, Answers]]:
    """Return the figures and the answers of every question of a table; raises BadInput for another level."""
    if level not in get_args(Level):
        raise BadInput(f"level: expected one of {', '.join(get_args(Level))}, found {level!r}")
    return {name: measure(own, level=level) for name, own in answers.items()}, answers


def read_table(path: Path, kind: str | None, question: str | None) -> dict[str, Answers]:
    """Return question → answers of a long table, or of another tool's export where ``kind`` names the tool."""
    if kind is None:
        return read_long(path)
    scheme = load_scheme()
    return questions_of(
        long_table(path, kind, question, dict.fromkeys(scheme.questions, False)), path
    )


def sha256_of(path: Path) -> str:
    """Return the hash of a file, or of the files of a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*.*") if p.is_file())
    return text_sha256("".join(map(file_sha256, files))) if path.is_dir() else file_sha256(path)


def main(cfg: DictConfig) -> None:
    """Measure the workspace's annotations, or any long table, and write agreement.json and .html."""
    workspace = Workspace(Path(cfg.workspace))
    seed = int(cfg.seed)
    campaign = None if cfg.annotations else read_campaign(workspace, cfg.campaign, cfg.known)
    source = Path(cfg.annotations) if cfg.annotations else workspace.annotations
    questions, answers = (
        measure_campaign(campaign)
        if campaign
        else measure_table(read_table(source, cfg.format, cfg.question), level=cfg.level)
    )
    report = make_report(
        questions, answers, campaign, with_models=cfg.annotator_models, width=cfg.wanted_width,
        origin=origin_of((r["origin"] for r in campaign.rows), cfg.campaign.origin) if campaign else None,
        signature={"annotations": sha256_of(source), "seed": seed, "onrecord": __version__}, seed=seed,
    )  # fmt: skip
    texts = contexts(campaign.sentences, campaign.articles) if campaign else {}
    title = str(cfg.campaign.title) if campaign else source.name
    write_json(workspace.agreement, report)
    write_text(
        workspace.agreement_page, agreement_page(report, disputes(answers), texts, title=title)
    )
    print("\n".join([*report_lines(questions), *warnings(report["identical"])]))
    print(f"{workspace.agreement}, {workspace.agreement_page}")
    if cfg.minimum is not None:
        low = [n for n, q in questions.items() if q["alpha"] is None or q["alpha"] < cfg.minimum]
        if low:
            raise CheckFailed(f"alpha below minimum={cfg.minimum}: {', '.join(low)}")


def warnings(pairs: Iterable[IdenticalPair]) -> Iterable[str]:
    """Yield a line for each pair of annotators who never differ, though others differ from them."""
    for row in pairs:
        yield (
            f"{' and '.join(row['pair'])} never differ on {row['n_tasks']} shared tasks, "
            f"{row['disputed_by_others']} answers to which others dispute: one person, or working together?"
        )


def report_lines(questions: Mapping[str, AlphaFigures]) -> Iterable[str]:
    """Yield a line a question: alpha, its interval or the reason why there is none, what it rests on; then the rest."""
    for name, q in questions.items():
        furniture = q.get("with_furniture")
        also = f"; with furniture {format_number(furniture['alpha'])}" if furniture else ""
        yield (
            f"alpha of {name:<13} {format_score(q, 'alpha')}; {q['unanimous']} of {q['n_pairable']} unanimous{also}"
        )
        if others := q.get("others"):
            yield f"  for other annotators {format_score({'value': q['alpha'], **others})}"
    if missing := sum(q.get("n_missing", 0) for q in questions.values()):
        rows = "1 row has" if missing == 1 else f"{missing:,} rows have"
        yield f"{rows} no label (empty, None, nan or NA): missing annotations"
