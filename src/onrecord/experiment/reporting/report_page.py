"""``report.html``: a report as a page. It shows sentences, so it stays on the machine that made it."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from onrecord.core.html import (
    Interval,
    Line,
    Section,
    bar_plot,
    heat_map,
    interval_plot,
    line_plot,
    notice,
    page,
    table,
    text,
)
from onrecord.core.intervals import Score, format_number, format_score
from onrecord.experiment.models.top_features import Top
from onrecord.experiment.reporting.report import ORIGINS, Report, Stratum

MEASURES = {"macro_f1": "macro-F1", "f_avg": "F_avg", "accuracy": "accuracy"}
VERDICTS = {
    "first": "better than the baseline",
    "second": "worse than the baseline",
    "none": "no difference that these data can tell",
    "unknown": "too few groups to tell",
}


def report_page(
    report: Report,
    campaign: str,
    texts: Mapping[str, str],
    top: Mapping[str, Top],
) -> str:
    """Return the page; ``texts`` gives each id its sentence, ``top`` each part of the model its top features."""
    signature = report["signature"]
    held_out = f"sentences predicted out of fold, by {signature['fold_by']}"
    where = "the test split" if signature["on"] == "test" else held_out
    title = f"{signature['name']}: {report['question']}"
    if report["heading"]:
        title += f" ({report['heading']})"
    lead = (
        f"{campaign[:1].upper()}{campaign[1:]}. Scored on {where}: {report['n']:,} sentences in {report['n_groups']:,} groups. "
        "Intervals are 95 %, over groups."
    )
    sections = [
        Section("Scores", [*_cautions(report), *_scores(report)]),
        Section("By label", _labels(report)),
        Section("Confusion", [_confusion(report)]),
        Section("Calibration", _calibration(report)),
        *_strata(report),
        Section("Errors to read", _errors(report, texts), "Wrong predictions with the highest probabilities."),
        *learning_curve_section(report.get("curve")),
        *top_features_section(top),
    ]  # fmt: skip
    note = ", ".join(f"{k} {v}" for k, v in signature.items() if v is not None)
    return page(
        title,
        lead,
        sections,
        f"Signature: {note}. Labels describe a sentence, not a person's view.",
    )


def _cautions(report: Report) -> list[Markup]:
    found = []
    if report["heading"]:
        why = "; ".join(report["small"]) or f"{report['n_groups']} groups"
        found.append(notice(f"Too small to evaluate: {why}. Read the figures as a rehearsal."))
    if report["origin"] != "people":
        found.append(notice(f"Labels made by {ORIGINS.get(report['origin'], report['origin'])}."))
    for finding in report["findings"]:
        if "too small to learn" not in finding:  # said above
            found.append(notice(f"The dataset's audit: {finding}.", "plain"))
    if report["absent_from_gold"]:
        found.append(
            notice(
                f"Absent from the gold scored, and so from macro-F1: {', '.join(report['absent_from_gold'])}.",
                "plain",
            )
        )
    if report.get("looks_at_test"):
        found.append(
            notice(f"Runs that have looked at this test split: {report['looks_at_test']}.", "plain")
        )
    return found


def _scores(report: Report) -> list[Markup]:
    scores = _scores_of(report)
    rows = [_dot(words, scores[key]) for key, words in MEASURES.items()]
    other = report["baseline"]
    blocks = []
    reference = None
    if other:
        value = other["scores"]["macro_f1"]["value"]
        reference = None if value is None else (value, f"{other['name']}, macro-F1")
    blocks.append(
        interval_plot([r for r in rows if r.value is not None], "Scores", reference=reference)
    )
    reason = report["macro_f1"].get("reason")
    if reason:
        blocks.append(text(f"No intervals: {reason}."))
    if other:
        cells = [
            [MEASURES[k], scores[k]["value"], other["scores"][k]["value"], d["value"], d["low"], d["high"], VERDICTS[d["verdict"]]]
            for k, d in other["difference"].items()
        ]  # fmt: skip
        name = report["signature"]["name"]
        columns = ("score", name, other["name"], "difference", "low", "high", "verdict")
        title = "Against the baseline named beforehand (paired, over groups)"
        blocks.append(table(title, columns, cells))
        test = other["mcnemar"]
        blocks.append(
            text(
                f"Exact McNemar, blind to groups: {test['only_first_right']} sentences only {name} gets right, "
                f"{test['only_second_right']} only {other['name']}; p = {test['p']:.3g}."
            )
        )
    return blocks


def _scores_of(part: Stratum) -> dict[str, Score]:
    return {"macro_f1": part["macro_f1"], "f_avg": part["f_avg"], "accuracy": part["accuracy"]}


def _labels(report: Report) -> list[Markup]:
    labels = report["per_label"]
    rows = [
        [k, v["n"], v["n_groups"], v["predicted"], v["precision"], v["recall"], v["f1"]["value"]]
        for k, v in labels.items()
    ]
    dots = [_dot(k, v["f1"]) for k, v in labels.items() if v["f1"]["value"] is not None]
    columns = ("label", "in gold", "groups", "predicted", "precision", "recall", "F1")
    return [interval_plot(dots, "F1 of each label"), table("Labels", columns, rows)]


def _confusion(report: Report) -> Markup:
    names = report["confusion"]["labels"]
    return heat_map(
        report["confusion"]["counts"],
        names,
        names,
        "Gold (rows) by prediction (columns)",
        corner="gold \\ predicted",
    )


def _calibration(report: Report) -> list[Markup]:
    found = report["calibration"]
    words = [
        f"Expected calibration error {format_number(found['ece'])}",
        f"Brier {format_number(found['brier'])}",
        f"cross-entropy {format_number(found['cross_entropy'])}",
    ]
    if found["cross_entropy_soft"] is not None:
        words.append(
            f"against the shares of the votes {format_number(found['cross_entropy_soft'])}"
        )
    bins = found["bins"]
    blocks = [text(", ".join(words) + ".")]
    if len(bins) > 1:
        lines = [
            Line("model", [b["confidence"] for b in bins], [b["accuracy"] for b in bins]),
            Line("ideal", [0.0, 1.0], [0.0, 1.0]),
        ]
        x = "predicted probability"
        blocks.append(line_plot(lines, "Reliability", x_name=x, y_name="accuracy", y_domain=(0, 1)))
    rows = [
        [f"{b['from']:.1f} to {b['to']:.1f}", b["n"], b["confidence"], b["accuracy"]] for b in bins
    ]
    columns = ("bin", "n", "probability", "accuracy")
    blocks.append(table("Bins of the likeliest label's probability", columns, rows))
    return blocks


def _strata(report: Report) -> list[Section]:
    both = {"unanimous": report["unanimous"], "contested": report["contested"]}
    parts = {name: part for name, part in both.items() if part}
    found = [_stratum("Where annotators agreed, and where not", parts)] if parts else []
    for title, by in (
        ("By target", report["per_target"]),
        ("By type of speaker", report["per_speaker"]),
        ("By office-holder", report["per_speaker_name"]),
        ("By outlet", report["per_outlet"]),
        ("By month", report["per_month"]),
    ):
        if len(by) > 1:
            found.append(_stratum(title, by))
    return found


def _stratum(title: str, parts: Mapping[str, Stratum]) -> Section:
    largest = sorted(parts.items(), key=lambda item: (-item[1]["n"], item[0]))[:30]
    rows = [
        [k, v["n"], v["n_groups"], *(score["value"] for score in _scores_of(v).values())]
        for k, v in largest
    ]
    dots = [_dot(k, v["macro_f1"]) for k, v in largest if v["macro_f1"]["value"] is not None]
    columns = ("part", "n", "groups", *MEASURES.values())
    lead = "macro-F1 is over the labels present in each part, so parts with different labels do not compare."
    return Section(title, [interval_plot(dots, "macro-F1"), table(title, columns, rows)], lead)


def _errors(report: Report, texts: Mapping[str, str]) -> list[Markup]:
    errors = report["confident_errors"]
    if not errors:
        return [text("None.")]
    rows = [[texts[e["id"]], e["gold"], e["predicted"], e["probability"], e["id"]] for e in errors]
    columns = ("sentence", "gold", "predicted", "probability", "id")
    return [table("Most confident errors", columns, rows)]


def _dot(label: str, score: Score) -> Interval:
    return Interval(label, score["value"], score["low"], score["high"])


def learning_curve_section(curve: Mapping[str, Any] | None) -> list[Section]:
    """Return the section of a learning curve, as in ``curve.json``; none where there is no curve."""
    if curve is None:
        return []
    points, more = curve["points"], curve["extrapolation"]
    rows = [["measured", p["size"], p["value"], p["low"], p["high"]] for p in points]
    rows += [[f"{p['more']:,} more sentences", p["size"], p["value"], p["low"], p["high"]] for p in more]  # fmt: skip
    lead = f"{curve['measure']} out of fold, {curve['repeats']} draws of each size; extrapolated by a power law."
    lines = [_line("measured", points), *([_line("extrapolated", more)] if more else [])]
    y = str(curve["measure"])
    blocks = [line_plot(lines, "Learning curve", x_name="training sentences", y_name=y)]
    blocks += [
        text(f"{p['more']:,} more sentences would give about {format_score(p)}.") for p in more
    ]
    blocks.append(table("The curve", ("", "sentences", curve["measure"], "low", "high"), rows))
    if curve["reason"]:
        blocks.append(text(f"No intervals: {curve['reason']}."))
    return [Section("What more sentences would give", blocks, lead)]


def _line(label: str, points: Sequence[Mapping[str, Any]]) -> Line:
    banded = all(p["low"] is not None for p in points)
    return Line(
        label,
        [p["size"] for p in points],
        [p["value"] for p in points],
        [p["low"] for p in points] if banded else None,
        [p["high"] for p in points] if banded else None,
    )


def top_features_section(top: Mapping[str, Top]) -> list[Section]:
    """Return a section for each part of a model that has weights, with its top features."""
    return [
        Section(
            "Top-weighted features per label" + (f": {part}" if part else ""),
            [
                bar_plot([(w.replace(" ", "␣"), v) for w, v in rows if v > 0], label, digits=2)
                for label, rows in weights.items()
            ],
            "Weights of a linear model; they are associations, not reasons.",
        )
        for part, weights in top.items()
    ]
