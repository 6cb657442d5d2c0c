"""``make``: run the steps that are stale, in order. It runs verbs, so it stands beside the command line."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from onrecord.campaign.labelstudio.server import is_alive
from onrecord.cli import app
from onrecord.cli.overrides import near
from onrecord.cli.pipeline import STEPS, state, words_of
from onrecord.core.errors import BadInput


def main(cfg: DictConfig) -> None:
    """Run what is stale up to ``until``, each step as it was last run here; always ask the server what is new."""
    verbs = [step.verb for step in STEPS]
    if cfg.until not in verbs:
        raise BadInput(
            f"until={cfg.until}: expected one of {', '.join(verbs)}{near(cfg.until, verbs)}"
        )
    hydra = HydraConfig.get()
    given = {word.partition("=")[0]: word for word in hydra.overrides.task}
    given |= {"campaign": f"campaign={hydra.runtime.choices['campaign']}"}
    given |= {"workspace": f"workspace={cfg.workspace}"}
    given.pop("until", None)
    workspace = Path(cfg.workspace)
    for step in STEPS[: verbs.index(cfg.until) + 1]:
        again = [w for w in words_of(step, workspace) if w.partition("=")[0] not in given]
        words = [*given.values(), *again]
        config = app.composed(step.verb, words)
        now = state(step, workspace, app.plain(config))
        if now == "done" and step.verb != "collect":
            print(f"{step.verb:<11} done")
        elif now == "done" and not (config.labelstudio.url or is_alive(workspace / "labelstudio")):
            print(
                f"{step.verb:<11} done; nothing new can come: no Label Studio runs for {workspace}"
            )
        else:  # no file here tells what the server has anew: it is asked even where all is done
            print(f"{step.verb:<11} {now}: running", *again, flush=True)
            app.call(step.verb, words)
