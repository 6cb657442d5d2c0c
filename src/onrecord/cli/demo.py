"""``demo``: run all steps in order, on an embedded server that it ends."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from onrecord import ROOT
from onrecord.campaign import serve, shipped_labels
from onrecord.cli import runner
from onrecord.cli.pipeline import campaign_overrides
from onrecord.core.agreement_report import AgreementReport
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json
from onrecord.core.intervals import format_score
from onrecord.core.workspace import Workspace


def heading(step: str) -> None:
    """Print which step follows."""
    print(f"\n── {step} ".ljust(72, "─"), flush=True)


def bring_sample(folder: Path) -> None:
    """Copy the sample's articles and labels into a folder that has none: an installed wheel carries them."""
    if not folder.exists() and (ROOT / "data/sample").is_dir():
        shutil.copytree(ROOT / "data/sample", folder)


def run_step(command: str, overrides: Sequence[str], *own: str) -> Any:
    """Print a heading, run a command with the common overrides and its own, and return its result."""
    heading(command)
    return runner.call(command, [*overrides, *own])


def enter_labels(workspace: Workspace, overrides: Sequence[str]) -> None:
    """Launch the plan, enter the shipped annotations and collect them; a server that this starts, it ends."""
    was_running = serve.is_running(workspace.folder)
    try:
        run_step("serve", overrides)
        run_step("launch", overrides)
        heading("enter the shipped annotations")
        shipped_labels.main(runner.composed("launch", overrides))
        run_step("collect", overrides)
    finally:
        if not was_running:
            run_step("serve", overrides, "stop=true")


def main(cfg: DictConfig) -> None:
    """Run every step; end the server whatever happens; print a screenful of results."""
    started = time.monotonic()
    campaign = HydraConfig.get().runtime.choices["campaign"]
    if not cfg.campaign.labels:
        raise BadInput(
            f"campaign={campaign}: expected a campaign that comes with labels (campaign.labels), found none: "
            f"rehearse yours with `onrecord launch campaign={campaign} simulate=true`"
        )
    overrides = [f"campaign={campaign}", f"workspace={cfg.workspace}", f"articles={cfg.articles}"]
    overrides.append(f"seed={cfg.seed}")
    workspace = Workspace(Path(cfg.workspace))
    if campaign == "sample":
        bring_sample(Path("data/sample"))
    for command in ("ingest", "segment", "attribute", "plan"):
        run_step(command, overrides)
    enter_labels(workspace, overrides)
    for command in ("agree", "adjudicate", "build"):
        run_step(command, overrides)
    run = Path(run_step("train", overrides, f"model={cfg.model}"))
    run_step("evaluate", overrides, f"run={run}", "on=out_of_fold")
    # an earlier release under this version stays as it is
    release = run_step("publish", overrides, f"version={cfg.version}", "bump=true")
    print(f"\n══ {cfg.campaign.title} ".ljust(72, "═"))
    print(summary(read_json(workspace.agreement), read_json(run / "report.json")))
    print(f"  report     {run / 'report.html'}")
    print(f"  agreement  {workspace.agreement_page}\n  release    {release}\n")
    serve = ["onrecord serve", *campaign_overrides(campaign, workspace.folder)]
    print(f"To annotate yourself: {' '.join(serve)}")
    print(
        f"  then log in as an annotator in {workspace.logins}: annotations from other accounts are ignored"
    )
    print(f"({time.monotonic() - started:.0f} s)")


def summary(agreement: AgreementReport, report: dict[str, Any]) -> str:
    """Return the agreement of each question and the model's score beside the baseline's, as lines."""
    origins = {"machine": " (machine-made labels, not people)"}
    origins["simulated"] = " (simulated annotators, not people)"
    lines = [
        f"Agreement without furniture{origins.get(report['origin'], '')}: Krippendorff's alpha"
    ]
    lines += [f"  {q:<14} {format_score(m, 'alpha')}" for q, m in agreement["questions"].items()]
    note = f": {report['heading']}" if report.get("heading") else ""
    lines.append(
        f"Stance model by grouped out-of-fold prediction, n = {report['n']}{note}: macro-F1"
    )
    baseline = report["baseline"]
    lines.append(f"  {report['signature']['name']:<14} {format_score(report['macro_f1'])}")
    lines.append(f"  {baseline['name']:<14} {format_score(baseline['scores']['macro_f1'])}")
    return "\n".join(lines)
