"""``make``: run the steps that are stale, in order. It runs verbs, so it stands beside the command line."""

from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from onrecord import cli
from onrecord.config import near
from onrecord.records import BadInput
from onrecord.steps import STEPS, state, words_of


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
        now = state(step, workspace, cli.plain(cli.composed(step.verb, words)))
        if now == "done" and step.verb == "collect":
            print(f"{step.verb:<11} {ask(words)}")
        elif now == "done":
            print(f"{step.verb:<11} done")
        else:
            print(f"{step.verb:<11} {now}: running", *again, flush=True)
            cli.call(step.verb, words)


def ask(words: Sequence[str]) -> str:
    """Collect once more, since no file here tells what the server has anew; return how that went."""
    try:
        cli.call("collect", words)
    except BadInput as error:
        return f"done; nothing new can come: {error}"
    return "done"
