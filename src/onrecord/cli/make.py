"""``make``: run the steps that are stale, in order."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from onrecord.campaign.serve import is_running
from onrecord.cli import runner
from onrecord.cli.commands import STEPS
from onrecord.cli.overrides import did_you_mean
from onrecord.cli.pipeline import last_overrides, state
from onrecord.core.errors import BadInput
from onrecord.core.workspace import Workspace
from onrecord.scheme.instrument import check_versions


def main(cfg: DictConfig) -> None:
    """Run what is stale up to ``until``, each step as it was last run here; always query the server."""
    names = [step.name for step in STEPS]
    if cfg.until not in names:
        near = did_you_mean(cfg.until, names)
        raise BadInput(f"until={cfg.until}: expected one of {', '.join(names)}{near}")
    hydra = HydraConfig.get()
    given = {o.partition("=")[0]: o for o in hydra.overrides.task}
    given |= {"campaign": f"campaign={hydra.runtime.choices['campaign']}"}
    given |= {"workspace": f"workspace={cfg.workspace}"}
    given.pop("until", None)
    workspace = Workspace(Path(cfg.workspace))
    check_versions(workspace, cfg.campaign)
    for step in STEPS[: names.index(cfg.until) + 1]:
        again = [o for o in last_overrides(step, workspace) if o.partition("=")[0] not in given]
        overrides = [*given.values(), *again]
        config = runner.composed(step.name, overrides)
        now = state(step, workspace, runner.plain(config))
        if now == "done" and step.name != "collect":
            print(f"{step.name:<11} done")
        elif now == "done" and not (config.labelstudio.url or is_running(workspace.folder)):
            print(
                f"{step.name:<11} done; no new annotations: no Label Studio runs for {workspace.folder}"
            )
        else:  # local files cannot show new annotations, so the server is always queried
            print(f"{step.name:<11} {now}: running", *again, flush=True)
            runner.call(step.name, overrides)
