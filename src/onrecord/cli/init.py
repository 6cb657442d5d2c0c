"""``init``: create a campaign in the current folder, ready for your own articles and target."""

import shutil
from pathlib import Path

from omegaconf import DictConfig

from onrecord import ROOT
from onrecord.cli.overrides import CAMPAIGN_NAME
from onrecord.core.errors import BadInput
from onrecord.core.files import write_text

CONFIG = """\
# The campaign {name}. All keys: onrecord plan --cfg job (under `campaign`).
name: {name}
title: {title}
target:
  id: {name}                       # short, for files
  name: {target}
  opposite: null                   # its opposite in words; shown to annotators if given
  aliases: []                      # words that name the target
  opposites: []                    # words that name its opposite
origin: people                     # who makes the labels: people, machine or simulated
language: en
# labelstudio: {{url: https://label.example.org}}   # the team's own server; else `onrecord serve`
release: standoff                  # full needs the right to publish the text, named in text_license
# text_license: cc-by-4.0
creators: []                       # who makes the dataset, for `publish`: [{{name: "Family, Given", orcid: …, affiliation: …}}] or [{{name: …, organization: true}}]
# send_furniture: true             # annotate by-lines, captions and the like too
# targets: {{second: {{name: …}}}}   # further targets, each with a question of annotation/scheme.yaml: `target: second`
"""


def campaign_config(name: str, target: str) -> str:
    """Return the text of ``conf/campaign/NAME.yaml`` for a target in words.

    >>> print(campaign_config("buses", "free buses").splitlines()[5])
      name: "free buses"
    """
    literal = '"' + target.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return CONFIG.format(name=name, title=literal, target=literal)


def check_request(name: str, target: str) -> None:
    """Raise BadInput unless the name can be a folder's and the target is one line of words."""
    if not name or not target:
        raise BadInput(
            'expected campaign=NAME target="what the stance is about", found no such value'
        )
    if not CAMPAIGN_NAME.fullmatch(name):
        raise BadInput(f"campaign={name}: expected letters, digits, `.`, `_` or `-`, at most 64")
    if "\n" in target:
        raise BadInput(
            f"target={target!r}: expected what the stance is about, in words, on one line"
        )


def main(cfg: DictConfig) -> None:
    """Write the config, the instrument and the folder for the articles; refuse to write over a config."""
    name, target = str(cfg.name or ""), str(cfg.target or "").strip()
    check_request(name, target)
    config, articles = Path("conf/campaign") / f"{name}.yaml", Path("data") / name / "articles"
    if config.exists():
        raise BadInput(f"{config} exists: choose another name, or edit it")
    if not Path("annotation/scheme.yaml").exists():
        shutil.copytree(ROOT / "annotation", "annotation", dirs_exist_ok=True)
    articles.mkdir(parents=True, exist_ok=True)
    write_text(config, campaign_config(name, target))
    print(f"Created the campaign {name}:")
    print(f"  {config}     its target and settings")
    print("  annotation/     the questions (scheme.yaml) and the guidelines")
    print(f"  {articles}/     put your articles here (txt, html, jsonl, csv, parquet)")
    print("Next, with the articles there:")
    print(f"  onrecord validate campaign={name}           is it sound?")
    print(
        f"  onrecord serve campaign={name}              Label Studio; the first start installs it"
    )
    print(f"  onrecord make campaign={name} until=launch  read, segment, plan, fill the projects")
