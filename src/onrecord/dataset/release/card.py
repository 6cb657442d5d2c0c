"""The dataset card: YAML for the Hub, and a body that answers the questions of data statements and datasheets.

Every figure is computed. What only a person knows is given in the config (``statement.*``); where it is
not, the card has a named TODO. Questions after Bender and Friedman (2018), "Data statements for natural
language processing", and Gebru et al. (2021), "Datasheets for datasets".
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pyarrow as pa
import yaml
from datasets import Features as HubFeatures

from onrecord import __version__
from onrecord.core.errors import BadInput
from onrecord.core.intervals import format_number, format_score
from onrecord.dataset.features import SPLITS, Features, Tables, configs_yaml
from onrecord.dataset.release.card_fields import CardFields
from onrecord.dataset.release.citation import bibtex
from onrecord.dataset.release.release_inputs import License, ReleaseInfo, ReleaseInputs

SIZES = (
    (1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"),
    (float("inf"), "n>10M"),
)  # fmt: skip


@cache
def terms() -> dict[str, Any]:
    """Return the terms that the Hub knows, and the addresses of licences."""
    path = Path(__file__).with_name("hub_terms.yaml")
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def check_terms(
    licenses: Sequence[str], language: str, tasks: Sequence[str], task_ids: Sequence[str]
) -> None:
    """Raise BadInput for a licence, language or task that the Hub does not know, naming one in another case."""
    # The list of language codes inside the package `datasets`.
    languages = files("datasets.utils.resources").joinpath("languages.json").read_text("utf-8")
    for what, words, known in (
        ("licence", licenses, terms()["licenses"]),
        ("language", [language], json.loads(languages)),
        ("task", tasks, terms()["task_categories"]),
        ("task id", task_ids, terms()["task_ids"]),
    ):
        for word in words:
            if word not in known:
                near = [k for k in known if k.casefold() == word.casefold()]
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise BadInput(f"the Hub knows no {what} {word!r}{hint}")


def license_of(part: str, name: str) -> License:
    """Return the licence of a part (text, labels); raises BadInput where we do not know its address.

    >>> license_of("labels", "cc0-1.0").spdx
    'CC0-1.0'
    """
    known = terms()["license_urls"]
    if name not in known:
        raise BadInput(f"licence {name!r}: expected one of {', '.join(known)}")
    return License(part, name, **known[name])


def card_yaml(
    folder: Path, info: ReleaseInfo, tables: Tables, features: Features
) -> dict[str, Any]:
    """Return the card's YAML: the Hub's search terms, the configs, and the features as ``datasets`` 2 to 5 read them."""
    rows = sum(table.num_rows for table in tables["gold"].values())
    options = info.options
    return {
        "pretty_name": info.title,
        "language": [options.campaign.language],
        **(
            {"license": info.licenses[0].name}
            if len(info.licenses) == 1
            else {
                "license": "other",
                "license_name": "-".join(f"{part.of}-{part.name}" for part in info.licenses),
                "license_link": "LICENSE.md",
            }
        ),
        "annotations_creators": [info.annotators_are],
        "language_creators": ["found"],
        "multilinguality": ["monolingual"],
        "source_datasets": ["original"],
        "size_categories": [next(name for limit, name in SIZES if rows < limit)],
        "task_categories": options.tasks,
        "task_ids": options.task_ids,
        "tags": [*options.keywords, f"labels-made-by-{info.origin}"],
        "configs": configs_yaml(folder, tables),
        "dataset_info": [
            {
                "config_name": config,
                "features": [
                    {"sequence" if key == "list" else key: value for key, value in column.items()}
                    for column in HubFeatures.from_dict(dict(features[config]))._to_yaml_list()
                ],
                "splits": [
                    {"name": split, "num_bytes": table.nbytes, "num_examples": table.num_rows}
                    for split, table in by_split.items()
                ],
            }
            for config, by_split in tables.items()
        ],
    }


def render(
    head: Mapping[str, Any], inputs: ReleaseInputs, info: ReleaseInfo, fields: CardFields
) -> str:
    """Return the card: YAML head and body. An undefined field is an error, never an empty place."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True,  # noqa: S701 - Markdown
    )  # fmt: skip
    environment.filters |= {"score": format_score, "number": format_number}
    body = environment.get_template("card.md.j2").render(
        **vars(fields), info=info, options=info.options, campaign=info.options.campaign, dataset=inputs.dataset,
        agreement=inputs.agreement["questions"] if inputs.agreement else {}, baseline=inputs.baseline,
        scheme_version=inputs.scheme.version, bibtex=bibtex(info), software=__version__,
    )  # fmt: skip
    yaml_head = yaml.safe_dump(dict(head), sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{yaml_head}---\n\n{body}"


def ordered_splits(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the tables that have rows, in the order train, validation, test."""
    return {s: tables[s] for s in SPLITS if s in tables and tables[s].num_rows}
