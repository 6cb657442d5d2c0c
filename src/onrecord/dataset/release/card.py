"""The dataset card: YAML for the Hub, and a body that answers the questions of data statements and datasheets.

Every figure is computed. What only a person knows is given in the config (``statement.*``); where it is
not, the card says what is to be written there. Questions after Bender and Friedman (2018), "Data statements
for natural language processing", and Gebru et al. (2021), "Datasheets for datasets".
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import pyarrow as pa
import yaml
from datasets import Features

from onrecord.core.errors import BadInput
from onrecord.dataset.features import SPLITS, Spec
from onrecord.dataset.folder import configs_yaml

GAPS = {
    "curation": "why these articles, how they were chosen, and over which time",
    "variety": "the varieties of the language, and who speaks in the texts",
    "annotators": "who annotated: training, pay, background, how they were found",
    "consent": "ethics review, the annotators' consent, privacy of the persons named",
    "funding": "who paid for the work",
    "maintenance": "who answers, for how long, and how corrections are made",
}
SPLIT_WORDS = {
    "by_group": "Groups of copies were assigned whole, labels spread as evenly as whole groups allow.",
    "by_date": "All of train was published before validation, and validation before test.",
    "by_outlet": "Each outlet is in one split: test outlets are not seen in training.",
    "kfold": "All rows are in train, with a column `fold`: for cross-validation of small data.",
    "fixed": "The splits are those that the table declared.",
}
SIZES = (
    (1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"),
    (float("inf"), "n>10M"),
)  # fmt: skip


@cache
def terms() -> dict[str, Any]:
    """Return the words that the Hub knows, and where licences are written down."""
    path = Path(__file__).with_name("hub_terms.yaml")
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def check_terms(
    licenses: Sequence[str | None], language: str, tasks: Sequence[str], task_ids: Sequence[str]
) -> None:
    """Raise BadInput for a licence, language or task that the Hub does not know, naming a near one."""
    # The list of language codes inside the package `datasets`.
    languages = files("datasets.utils.resources").joinpath("languages.json").read_text("utf-8")
    for what, words, known in (
        ("licence", [w for w in licenses if w is not None], terms()["licenses"]),
        ("language", [language], yaml.safe_load(languages)),
        ("task", tasks, terms()["task_categories"]),
        ("task id", task_ids, terms()["task_ids"]),
    ):
        for word in words:
            if word not in known:
                near = [k for k in known if k.casefold() == str(word).casefold()]
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise BadInput(f"the Hub knows no {what} {word!r}{hint}")


def licence(name: str) -> tuple[str, str]:
    """Return a licence's SPDX name and address; raises BadInput where we do not know them.

    >>> licence("cc0-1.0")[0]
    'CC0-1.0'
    """
    known = terms()["license_urls"]
    if name not in known:
        raise BadInput(f"licence {name!r}: expected one of {', '.join(known)}")
    return known[name]["spdx"], known[name]["url"]


def per_label(
    tables: Mapping[str, pa.Table], question: str, names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Return label → split → rows."""
    found = {split: Counter(table[question].to_pylist()) for split, table in tables.items()}
    return {name: {split: found[split][i] for split in tables} for i, name in enumerate(names)}


def per_outlet(
    tables: Mapping[str, pa.Table], question: str, names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Return outlet → label → rows, over all splits; empty where no outlet is known."""
    found: Counter[tuple[Any, Any]] = Counter()
    for table in tables.values():
        if "outlet" in table.column_names:
            found.update(zip(table["outlet"].to_pylist(), table[question].to_pylist(), strict=True))
    outlets = sorted({str(outlet) for outlet, _ in found if outlet is not None})
    return {o: {name: found[o, i] for i, name in enumerate(names)} for o in outlets}


def sizes(tables: Mapping[str, pa.Table]) -> dict[str, dict[str, int]]:
    """Return split → rows and groups."""
    return {
        split: {"rows": table.num_rows, "groups": len(set(table["group_id"].to_pylist()))}
        for split, table in tables.items()
    }


def gaps(statement: Mapping[str, str | None]) -> dict[str, str]:
    """Return each statement, or a named gap that says what a person is to write there.

    >>> gaps({"funding": "None."})["funding"]
    'None.'
    >>> gaps({})["funding"]
    '**Gap, to be written (`statement.funding`):** who paid for the work.'
    """
    return {
        name: statement.get(name) or f"**Gap, to be written (`statement.{name}`):** {wanted}."
        for name, wanted in GAPS.items()
    }


def agreement_rows(agreement: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """Return the card's table of agreement, figures as text; empty where none was computed."""
    rows = []
    for name, found in ((agreement or {}).get("questions") or {}).items():
        furniture = found.get("with_furniture") or {}
        low, high = found.get("low"), found.get("high")
        rows.append({
            "name": name, "alpha": shown(found.get("alpha")), "n_tasks": str(found.get("n_tasks", "")),
            "interval": f"{shown(low)} to {shown(high)}" + (" (narrow: under 30 groups)" if found.get("narrow") else "") if low is not None else str(found.get("reason") or "none: too few groups"),
            "with_furniture": shown(furniture.get("alpha")) if furniture else "none annotated",
        })  # fmt: skip
    return rows


def shown(figure: float | None) -> str:
    """Return a figure with three decimals, or that it is undefined.

    >>> shown(0.97149), shown(None)
    ('0.971', 'undefined')
    """
    return "undefined" if figure is None else f"{figure:.3f}"


def limits(
    origin: str, kind: str, audit: Mapping[str, Any], outlets: int, groups: int
) -> list[str]:
    """Return the limits that the figures themselves show."""
    found = []
    if origin != "people":
        found.append(
            f"the labels are {'machine-made' if origin == 'machine' else 'simulated'}, not people's"
        )
    if groups < 30:
        found.append(
            f"{groups} groups of articles: intervals are wide or cannot be given, and scores are unstable"
        )
    found.append(
        "the outlets of the articles are not recorded"
        if outlets == 0
        else f"{outlets} outlets: no sample of the press"
    )
    found += [str(finding["message"]) for finding in audit["findings"]]
    if kind == "standoff":
        found.append(
            "the text must be had elsewhere, and a copy in another version gives some sentences back only in part"
        )
    found.append(
        "one sentence is judged at a time: irony, quotation chains and context beyond the shown sentences may be missed"
    )
    return found  # fmt: skip


def card_yaml(
    about: Mapping[str, Any],
    configs: Mapping[str, Mapping[str, pa.Table]],
    features: Mapping[str, Mapping[str, Spec]],
) -> dict[str, Any]:
    """Return the card's YAML: what the Hub searches by, the configs, and the features as ``datasets`` writes them."""
    rows = sum(table.num_rows for table in configs["gold"].values())
    return {
        "pretty_name": about["title"],
        "language": [about["language"]],
        "license": about["license"],
        "annotations_creators": [about["annotators_are"]],
        "language_creators": ["found"],
        "multilinguality": ["monolingual"],
        "source_datasets": ["original"],
        "size_categories": [next(name for limit, name in SIZES if rows < limit)],
        "task_categories": list(about["tasks"]),
        "task_ids": list(about["task_ids"]),
        "tags": [*about["keywords"], f"labels-made-by-{about['origin']}"],
        "configs": configs_yaml(configs),
        "dataset_info": [
            {
                "config_name": config,
                "features": Features.from_dict(dict(features[config]))._to_yaml_list(),
                "splits": [
                    {"name": split, "num_bytes": table.nbytes, "num_examples": table.num_rows}
                    for split, table in configs[config].items()
                    if table.num_rows
                ],
            }
            for config in configs
        ],
    }


def render(head: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """Return the card: YAML head and body. An undefined fact is an error, never an empty place."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True,  # noqa: S701 - Markdown
    )  # fmt: skip
    body = environment.get_template("card.md.j2").render(**facts)
    yaml_head = yaml.safe_dump(dict(head), sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{yaml_head}---\n\n{body}"


def ordered_splits(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Return the tables that have rows, in the order train, validation, test."""
    return {s: tables[s] for s in SPLITS if s in tables and tables[s].num_rows}
