"""``make``: run the steps that are stale, in order. It runs verbs, so it stands beside the command line."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from onrecord import cli
from onrecord.config import near
from onrecord.records import BadInput
from onrecord.steps import STEPS, state


def main(cfg: DictConfig) -> None:
    """Run what is stale up to ``until``; what the server has anew, only ``collect`` itself can tell."""
    verbs = [step.verb for step in STEPS]
    if cfg.until not in verbs:
        raise BadInput(
            f"until={cfg.until}: expected one of {', '.join(verbs)}{near(cfg.until, verbs)}"
        )
    campaign = HydraConfig.get().runtime.choices["campaign"]
    words = [f"campaign={campaign}", f"workspace={cfg.workspace}", f"articles={cfg.articles}"]
    words.append(f"seed={cfg.seed}")
    for step in STEPS[: verbs.index(cfg.until) + 1]:
        config = cli.composed(step.verb, words)
        now = state(step, Path(cfg.workspace), cli.plain(config))
        if now == "done":
            print(f"{step.verb:<11} done")
        else:
            print(f"{step.verb:<11} {now}: running", flush=True)
            cli.call(step.verb, words)
