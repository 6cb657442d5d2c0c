"""``demo``: the whole way, in order, on an embedded server that it ends."""

import shutil
import time
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from onrecord import ROOT
from onrecord.campaign.labelstudio import server, shipped_labels
from onrecord.cli import app
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json


def heading(step: str) -> None:
    """Print where the walk is."""
    print(f"\n── {step} ".ljust(72, "─"), flush=True)


def bring_sample(folder: Path) -> None:
    """Copy the sample's articles and labels into a folder that has none: an installed wheel carries them."""
    if not folder.exists() and (ROOT / "data/sample").is_dir():
        shutil.copytree(ROOT / "data/sample", folder)


def main(cfg: DictConfig) -> None:
    """Walk every step; end the server whatever happens; print a screenful of what came out."""
    started = time.monotonic()
    campaign = HydraConfig.get().runtime.choices["campaign"]
    if not cfg.campaign.labels:
        raise BadInput(
            f"campaign={campaign}: expected a campaign that comes with labels (campaign.labels), found none: "
            f"rehearse yours with `onrecord launch campaign={campaign} simulate=true`"
        )
    common = [f"campaign={campaign}", f"workspace={cfg.workspace}", f"articles={cfg.articles}"]
    common.append(f"seed={cfg.seed}")
    workspace = Path(cfg.workspace)
    if campaign == "sample":
        bring_sample(Path("data/sample"))

    def step(verb: str, *words: str) -> Any:
        heading(verb)
        return app.call(verb, [*common, *words])

    for verb in ("ingest", "segment", "attribute", "plan"):
        step(verb)
    stood = server.is_alive(workspace / "labelstudio")
    try:
        step("serve")
        step("launch")
        heading("enter the shipped annotations")
        shipped_labels.enter(app.composed("launch", common))
        step("collect")
    finally:
        if not stood:  # a server that somebody had started before goes on
            step("serve", "stop=true")
    step("agree")
    step("adjudicate")
    step("build")
    run = step("train", f"model={cfg.model}")
    step("evaluate", f"run={run}", "on=out_of_fold")
    release = step("publish", f"version={cfg.version}", "bump=true")  # what was published stays
    print(f"\n══ {cfg.campaign.title} ".ljust(72, "═"))
    print(summary(read_json(workspace / "agreement.json"), read_json(Path(run) / "report.json")))
    print(f"  report     {Path(run) / 'report.html'}")
    print(f"  agreement  {workspace / 'agreement.html'}")
    print(f"  release    {release}")
    print(f"\nTo annotate yourself: {' '.join(['onrecord serve', *own_words(cfg, campaign)])}")
    print(
        f"  then log in as an annotator of {workspace / 'logins.csv'}: answers of others are not counted"
    )
    print(f"({time.monotonic() - started:.0f} s)")


def own_words(cfg: DictConfig, campaign: str) -> list[str]:
    """Return the overrides that lead another verb to this campaign and workspace."""
    words = [f"campaign={campaign}"] if campaign != "sample" else []
    return words + ([f"workspace={cfg.workspace}"] if cfg.workspace != f"data/{campaign}" else [])


def figure(score: dict[str, Any]) -> str:
    """Return a score with its interval, or with the reason why there is none.

    >>> figure({"value": 0.5, "low": 0.25, "high": 0.75, "narrow": True})
    '0.500 [0.250, 0.750] (narrow: fewer than 30 groups)'
    >>> figure({"alpha": 1.0, "low": None, "high": None, "reason": "4 groups"})
    '1.000 (no interval: 4 groups)'
    """
    value = score.get("value", score.get("alpha"))
    if value is None:
        return f"undefined: {score.get('reason', 'no reason given')}"
    if score["low"] is None:
        return f"{value:.3f} (no interval: {score.get('reason', 'no reason given')})"
    narrow = " (narrow: fewer than 30 groups)" if score.get("narrow") else ""
    return f"{value:.3f} [{score['low']:.3f}, {score['high']:.3f}]{narrow}"


def summary(agreement: dict[str, Any], report: dict[str, Any]) -> str:
    """Return the agreement of each question and the model's score beside the baseline's, as lines."""
    made = {"machine": "machine-made labels", "simulated": "simulated annotators"}.get(
        report["origin"]
    )
    lines = [
        f"Agreement, furniture left out{f' ({made}, not people)' if made else ''}: Krippendorff's alpha"
    ]
    lines += [f"  {name:<14} {figure(q)}" for name, q in agreement["questions"].items()]
    heading = report.get("heading")
    lines.append(
        f"Stance model by grouped out-of-fold prediction, n = {report['n']}{f': {heading}' if heading else ''}: macro-F1"
    )
    lines.append(f"  {report['signature']['name']:<14} {figure(report['macro_f1'])}")
    lines.append(
        f"  {report['baseline']['name']:<14} {figure(report['baseline']['scores']['macro_f1'])}"
    )
    return "\n".join(lines)
