"""What a release is made from: the configuration, the workspace's files, and the release's own description."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pyarrow as pa

from onrecord.core.agreement_report import AgreementReport
from onrecord.dataset.dataset_info import DatasetInfo
from onrecord.dataset.features import Features, Tables
from onrecord.scheme.scheme import Scheme

LABELS_MADE = {"people": "people's", "machine": "machine-made", "simulated": "simulated"}


@dataclass(frozen=True)
class CampaignTerms:
    """The part of ``conf/campaign/NAME.yaml`` that a release states."""

    name: str
    title: str
    origin: str
    language: str
    labels_license: str
    text_license: str | None


@dataclass(frozen=True)
class Creator:
    """Who made the dataset: a person as ``Family, Given`` or an organization; ``orcid`` without its address."""

    name: str
    organization: bool = False
    orcid: str | None = None
    affiliation: str | None = None


@dataclass(frozen=True)
class License:
    """The terms of a part (``of``: text or labels), by the Hub's name, SPDX's, and their address."""

    of: str
    name: str
    spdx: str
    url: str


@dataclass(frozen=True)
class ReleaseOptions:
    """``conf/publish.yaml``, as given."""

    campaign: CampaignTerms
    version: str
    bump: bool
    kind: str  # full or standoff
    released: str | None  # YYYY-MM-DD
    repo: str | None
    contact: str | None
    creators: list[Creator]
    publisher: str
    url: str | None
    doi: str | None
    tasks: list[str]
    task_ids: list[str]
    keywords: list[str]
    annotators_are: str | None
    statement: dict[str, str | None]


class Baseline(TypedDict):
    """The cross-validated score of a run on this dataset."""

    name: str
    signature: str
    n: int
    n_groups: int
    folds: int
    macro_f1: float | None
    accuracy: float | None
    small: str


@dataclass(frozen=True)
class ReleaseInputs:
    """Everything that a release is made from, read. A table (``source=rows``) has no articles and no sentences."""

    tables: Tables
    features: Features
    dataset: DatasetInfo
    agreement: AgreementReport | None
    baseline: Baseline | None
    articles: pa.Table | None
    sentences: pa.Table | None
    scheme: Scheme
    guidelines: Path  # the folder of guidelines.md and scheme.yaml


@dataclass(frozen=True)
class ReleaseInfo:
    """What every description of a release states beside its options: names, date, rights, targets."""

    options: ReleaseOptions
    name: str
    title: str
    released: str  # YYYY-MM-DD
    origin: str
    targets: list[str]
    description: str
    licenses: list[
        License
    ]  # of the text, where it is released, and of the labels; one where they are the same
    url: str | None
    annotators_are: str
    guidelines_version: str
