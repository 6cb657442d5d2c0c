"""``demo``: the whole way, in order, on an embedded server that it ends."""

import shutil
import time
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from onrecord import ROOT, cli
from onrecord.campaign import seats, server
from onrecord.records import read_json


def interval(score: dict[str, Any]) -> str:
    """Return a score's interval in words, or that there is none.

    >>> interval({"low": 0.5, "high": 0.75})
    '[0.50, 0.75]'
    >>> interval({"low": None, "high": None, "reason": "4 groups"})
    'no interval: 4 groups'
    """
    if score.get("low") is None:
        return f"no interval: {score.get('reason', 'too few groups')}"
    narrow = " (narrow: under 30 groups)" if score.get("narrow") else ""
    return f"[{score['low']:.2f}, {score['high']:.2f}]{narrow}"


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
    common = [f"campaign={campaign}", f"workspace={cfg.workspace}", f"articles={cfg.articles}"]
    common.append(f"seed={cfg.seed}")
    workspace = Path(cfg.workspace)
    if campaign == "sample":
        bring_sample(Path("data/sample"))

    def step(verb: str, *words: str) -> Any:
        heading(verb)
        return cli.call(verb, [*common, *words])

    for verb in ("ingest", "segment", "attribute", "plan"):
        step(verb)
    stood = server.is_alive(workspace / "labelstudio")
    step("serve")
    try:
        step("launch")
        heading("enter the shipped annotations")
        seats.enter(cli.composed("launch", common))
        step("collect")
    finally:
        if not stood:  # a server that somebody had started before goes on
            step("serve", "stop=true")
    step("agree")
    step("adjudicate")
    step("build")
    run = step("train", f"model={cfg.model}")
    step("evaluate", f"run={run}", "on=out_of_fold")
    step("publish", f"version={cfg.version}")
    print(f"\n══ {cfg.campaign.title} ".ljust(72, "═"))
    print(summary(read_json(workspace / "agreement.json"), read_json(Path(run) / "report.json")))
    print(f"report     {Path(run) / 'report.html'}")
    print(f"agreement  {workspace / 'agreement.html'}")
    print(f"release    {workspace / 'releases' / f'v{cfg.version}'}")
    print(f"annotate   onrecord serve campaign={campaign}")
    print(f"{time.monotonic() - started:.0f} s")


def summary(agreement: dict[str, Any], report: dict[str, Any]) -> str:
    """Return the agreement of each question and the model's score beside the baseline's, as lines."""
    lines = []
    for name, question in agreement["questions"].items():
        alpha = question["alpha"]
        shown = f"{alpha:.3f} {interval(question)}" if alpha is not None else interval(question)
        lines.append(f"alpha of {name:<13} {shown}  ({question['n_tasks']} sentences)")
    return "\n".join(lines)
