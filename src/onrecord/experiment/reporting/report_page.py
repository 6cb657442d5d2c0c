"""``report.html``: a report as a page. It shows sentences, so it stays on the machine that made it."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from onrecord.core.html import (
    Interval,
    Line,
    Section,
    heat_map,
    interval_plot,
    line_plot,
    notice,
    page,
    table,
    text,
)
from onrecord.experiment.models.top_features import Top
from onrecord.experiment.reporting.model_card import ORIGINS
from onrecord.experiment.reporting.model_sections import learning, what_speaks

Report = Mapping[str, Any]
MEASURES = {"macro_f1": "macro-F1", "f_avg": "F_avg", "accuracy": "accuracy"}
STRATA = {
    "target": "By target",
    "speaker": "By type of speaker",
    "speaker_name": "By office-holder",
    "outlet": "By outlet",
    "month": "By month",
}
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
    """Return the page; ``texts`` gives each id its sentence, ``top`` each part of the model its heaviest features."""
    signature = report["signature"]
    where = (
        "the test split"
        if signature["on"] == "test"
        else f"sentences predicted out of fold, by {signature['fold_by']}"
    )
    title = f"{signature['name']}: {report['question']}"
    if report["heading"]:
        title += f" ({report['heading']})"
    lead = (
        f"{campaign[:1].upper()}{campaign[1:]}. Scored on {where}: {report['n']:,} sentences in {report['n_groups']:,} groups. "
        "Intervals are 95 %, by bootstrap over groups."
    )
    sections = [
        Section("Scores", [*_cautions(report), *_scores(report)]),
        Section("By label", _labels(report)),
        Section("Confusion", [_confusion(report)]),
        Section("Can the probabilities be believed?", _calibration(report)),
        *_strata(report),
        Section(
            "Errors to read", _errors(report, texts), "Wrong, and sure of it: the surest first."
        ),
    ]
    sections += [*learning(report["curve"]), *what_speaks(top)]
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
    if report["macro_f1"].get("narrow"):
        found.append(notice("Fewer than 30 groups: the intervals are likely too narrow.", "plain"))
    if report.get("looks_at_test"):
        found.append(
            notice(f"Runs that have looked at this test split: {report['looks_at_test']}.", "plain")
        )
    return found


def _scores(report: Report) -> list[Markup]:
    rows = [_dot(words, report[key]) for key, words in MEASURES.items()]
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
            [
                MEASURES[k],
                report[k]["value"],
                other["scores"][k]["value"],
                d["value"],
                d["low"],
                d["high"],
                VERDICTS[d["verdict"]],
            ]
            for k, d in other["difference"].items()
        ]
        columns = (
            "score",
            signature_name(report),
            other["name"],
            "difference",
            "low",
            "high",
            "verdict",
        )
        blocks.append(
            table(
                "Beside the baseline that was named beforehand (paired bootstrap over groups)",
                columns,
                cells,
            )
        )
        test = other["mcnemar"]
        blocks.append(
            text(
                f"Exact McNemar, blind to groups: right alone {test['only_first_right']} against {test['only_second_right']}, p = {test['p']:.3g}."
            )
        )
    dropped = report["macro_f1"].get("dropped")
    if dropped:
        blocks.append(
            text(
                f"{dropped:,} of {report['bootstrap']['replicates']:,} replicates lacked a label and were dropped."
            )
        )
    return blocks


def signature_name(report: Report) -> str:
    """Return the name of the model that a report is of."""
    return str(report["signature"]["name"])


def _labels(report: Report) -> list[Markup]:
    labels = report["per_label"]
    rows = [
        [k, v["n"], v["n_groups"], v["predicted"], v["precision"], v["recall"], v["f1"]["value"]]
        for k, v in labels.items()
    ]
    return [
        interval_plot(
            [_dot(k, v["f1"]) for k, v in labels.items() if v["f1"]["value"] is not None],
            "F1 of each label",
        ),
        table(
            "Labels", ("label", "in gold", "groups", "predicted", "precision", "recall", "F1"), rows
        ),
    ]


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
        f"Expected calibration error {found['ece']:.3f}",
        f"Brier {found['brier']:.3f}",
        f"cross-entropy {found['cross_entropy']:.3f}",
    ]
    if found["cross_entropy_soft"] is not None:
        words.append(f"against the shares of the votes {found['cross_entropy_soft']:.3f}")
    bins = found["bins"]
    blocks = [text(", ".join(words) + ".")]
    if len(bins) > 1:
        sure = [b["confidence"] for b in bins]
        lines = [
            Line("model", sure, [b["accuracy"] for b in bins]),
            Line("ideal", [0.0, 1.0], [0.0, 1.0]),
        ]
        blocks.append(
            line_plot(
                lines,
                "Reliability",
                x_name="probability given",
                y_name="share right",
                y_domain=(0, 1),
            )
        )
    rows = [
        [f"{b['from']:.1f} to {b['to']:.1f}", b["n"], b["confidence"], b["accuracy"]] for b in bins
    ]
    blocks.append(
        table(
            "Bins of the likeliest label's probability",
            ("bin", "n", "probability", "share right"),
            rows,
        )
    )
    return blocks


def _strata(report: Report) -> list[Section]:
    found = []
    parts = {name: report[name] for name in ("unanimous", "contested") if report[name]}
    if parts:
        found.append(_stratum("Where annotators agreed, and where not", parts))
    for key, title in STRATA.items():
        if len(report[f"per_{key}"]) > 1:
            found.append(_stratum(title, report[f"per_{key}"]))
    return found


def _stratum(title: str, parts: Mapping[str, Any]) -> Section:
    largest = sorted(parts.items(), key=lambda item: (-item[1]["n"], item[0]))[:30]
    rows = [
        [
            k,
            v["n"],
            v["n_groups"],
            v["macro_f1"]["value"],
            v["f_avg"]["value"],
            v["accuracy"]["value"],
        ]
        for k, v in largest
    ]
    dots = [_dot(k, v["macro_f1"]) for k, v in largest if v["macro_f1"]["value"] is not None]
    return Section(
        title,
        [
            interval_plot(dots, "macro-F1"),
            table(title, ("part", "n", "groups", "macro-F1", "F_avg", "accuracy"), rows),
        ],
        "macro-F1 is over the labels present in each part, so parts with different labels do not compare.",
    )


def _errors(report: Report, texts: Mapping[str, str]) -> list[Markup]:
    errors = report["confident_errors"]
    if not errors:
        return [text("None.")]
    rows = [[texts[e["id"]], e["gold"], e["predicted"], e["probability"], e["id"]] for e in errors]
    return [
        table("Most confident errors", ("sentence", "gold", "predicted", "probability", "id"), rows)
    ]


def _dot(label: str, score: Mapping[str, Any]) -> Interval:
    return Interval(label, score["value"], score["low"], score["high"])
