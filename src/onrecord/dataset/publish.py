"""``onrecord publish``: a versioned release folder that is a Hub dataset repository, with or without the text."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
from omegaconf import DictConfig, OmegaConf

from onrecord.core.clock import utc_now
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, read_object, require, write_json, write_jsonl, write_text
from onrecord.core.tables import write_parquet
from onrecord.core.workspace import Workspace
from onrecord.dataset.dataset_info import DatasetInfo
from onrecord.dataset.features import Features, Tables, read_dataset, write_configs
from onrecord.dataset.release import card, changelog, checks, citation
from onrecord.dataset.release.card_fields import card_fields, rai_fields
from onrecord.dataset.release.codebook import codebook, meaning_of
from onrecord.dataset.release.croissant import croissant
from onrecord.dataset.release.hub import upload
from onrecord.dataset.release.release_inputs import (
    LABELS_MADE,
    ReleaseInfo,
    ReleaseInputs,
    ReleaseOptions,
)
from onrecord.dataset.release.release_tables import dataset_signature, find_baseline, release_tables
from onrecord.dataset.standoff.standoff import (
    SENTENCE_HASHES,
    check_no_quotation,
    released_articles,
    sentence_hashes,
    without_text,
    word_runs,
)
from onrecord.scheme.guidelines import guidelines_version, read_guidelines
from onrecord.scheme.scheme import annotation_folder, load_scheme

RUNS = Path("experiments/runs")


def main(cfg: DictConfig) -> Path:
    """Write ``releases/vX.Y.Z/``, check it, and (``to=hub``) upload it in one commit; return its folder."""
    workspace = Workspace(Path(cfg.workspace))
    options = read_options(cast(dict[str, Any], OmegaConf.to_container(cfg, resolve=True)))
    if cfg.to not in (None, "hub"):
        raise BadInput(f"to={cfg.to}: expected hub")
    if cfg.to == "hub" and not options.contact:
        raise BadInput("to=hub needs contact=…: an address for takedowns and corrections")
    if cfg.to == "hub" and not options.repo:
        raise BadInput("to=hub needs repo=OWNER/NAME")
    inputs = read_inputs(workspace, Path(cfg.run) if cfg.run else None)
    refuse_undeclared(inputs, options)
    folder, version = write_release_if_new(inputs, options, workspace.releases)
    if cfg.to == "hub":
        print(f"uploaded as {upload(folder, repo=cfg.repo, version=version, private=cfg.private)}")
    return folder


def read_options(values: Mapping[str, Any]) -> ReleaseOptions:
    """Return the configuration's values as options; raises BadInput where one is of another type, or no kind."""
    changelog.parse_version(str(values["version"]))
    creators = [{"name": c} if isinstance(c, str) else c for c in values["creators"] or ()]
    if not creators:
        raise BadInput(
            f"publish needs who made the dataset: write creators: [{{name: 'Family, Given', orcid: …, affiliation: …}}] or "
            f"[{{name: …, organization: true}}] into conf/campaign/{values['campaign']['name']}.yaml"
        )
    campaign = {k: v if v is None else str(v) for k, v in values["campaign"].items()}
    try:
        options = msgspec.convert(
            {**values, "campaign": campaign, "creators": creators}, ReleaseOptions
        )
    except msgspec.ValidationError as error:
        raise BadInput(f"publish: {error}") from error
    if options.kind not in ("full", "standoff"):
        raise BadInput(f"kind={options.kind}: expected full or standoff")
    return options


def read_inputs(workspace: Workspace, run: Path | None) -> ReleaseInputs:
    """Return the workspace's files for a release; raises BadInput naming the command that makes a missing one."""
    require(workspace.dataset / "dataset.json", "build")
    audit = read_object(workspace.require(Workspace.audit), ["passed", "summary"], "build")
    if not audit["passed"]:
        raise BadInput(f"{workspace.audit}: the audit failed ({audit['summary']}): build again")
    tables, features = read_dataset(workspace.dataset)
    info = read_object(
        workspace.dataset / "dataset.json", sorted(DatasetInfo.__required_keys__), "build"
    )
    rows = info["source"] == "rows"
    agreed = workspace.agreement.is_file() and not rows
    return ReleaseInputs(
        tables, features, cast(DatasetInfo, info),
        agreement=read_json(workspace.agreement) if agreed else None,
        baseline=find_baseline(run, RUNS, dataset_signature(workspace.dataset)),
        articles=None if rows else workspace.read_articles(),
        sentences=None if rows else workspace.read_sentences(),
        scheme=load_scheme(), guidelines=annotation_folder(),
    )  # fmt: skip


def refuse_undeclared(inputs: ReleaseInputs, options: ReleaseOptions) -> None:
    """Raise BadInput where the release would state a wrong origin, lacks the right to the text, or uses unknown terms."""
    origin, campaign = inputs.dataset["origin"], options.campaign
    if inputs.dataset["source"] == "gold" and origin != campaign.origin:
        raise BadInput(
            f"the annotations are {LABELS_MADE[origin]}, but the campaign says origin: {campaign.origin}: "
            f"write origin: {origin} into conf/campaign/{campaign.name}.yaml, or give campaign.origin={origin}"
        )
    if options.kind == "full" and not campaign.text_license:
        raise BadInput(
            "kind=full needs campaign.text_license: the terms under which the text may be passed on"
        )
    if options.kind == "standoff" and inputs.articles is None:
        raise BadInput("kind=standoff needs the campaign's articles: a table (source=rows) has no offsets to give instead of its text")  # fmt: skip
    known = card.terms()["annotations_creators"]
    if options.annotators_are not in (None, *known):
        raise BadInput(f"annotators_are={options.annotators_are}: the Hub knows {', '.join(known)}")
    text = [campaign.text_license] if options.kind == "full" and campaign.text_license else []
    card.check_terms([campaign.labels_license, *text], campaign.language, options.tasks, options.task_ids)  # fmt: skip


def write_release_if_new(
    inputs: ReleaseInputs, options: ReleaseOptions, releases: Path
) -> tuple[Path, str]:
    """Return the release's folder, written and checked or found there with the same bytes, and its version.

    Raises BadInput where other bytes are published under the version; with ``bump`` the next patch is taken.
    """
    while True:
        folder, fresh = releases / f"v{options.version}", releases / f".v{options.version}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            fresh.mkdir(parents=True)
            released = release_date(options.released, folder)
            write_release(fresh, inputs, describe(inputs, options, released), releases)
            if not folder.exists():
                fresh.rename(folder)
                labels = LABELS_MADE[inputs.dataset["origin"]]
                print(f"published {folder} ({options.kind}, {labels} labels)")
                return folder, options.version
            changed = changed_files(folder, fresh)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        if not changed:
            print(f"{folder} is already published, byte for byte the same")
            return folder, options.version
        complaint = f"{folder} is published and holds other bytes ({', '.join(changed[:3])})"
        if not options.bump:
            raise BadInput(f"{complaint}: give a higher version=, or bump=true")
        major, minor, patch = changelog.parse_version(options.version)
        options = replace(options, version=f"{major}.{minor}.{patch + 1}")
        print(f"{complaint}: it is kept, trying {options.version}")


def changed_files(folder: Path, fresh: Path) -> list[str]:
    """Return the files in which the published folder, whose checksums must hold, and the fresh one differ."""
    checks.check_checksums(folder)
    old, new = (
        (f / "SHA256SUMS").read_text(encoding="utf-8").splitlines() for f in (folder, fresh)
    )
    return sorted({line.partition("  ")[2] for line in set(old) ^ set(new)})


def release_date(given: str | None, folder: Path) -> str:
    """Return the release's date: as given, else of the published folder, else today's (see `core.clock`)."""
    if given is not None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", given):
            raise BadInput(f"released={given}: expected YYYY-MM-DD")
        return given
    if (folder / "croissant.json").is_file():
        return str(read_json(folder / "croissant.json")["datePublished"])[:10]
    return f"{utc_now():%Y-%m-%d}"


def describe(inputs: ReleaseInputs, options: ReleaseOptions, released: str) -> ReleaseInfo:
    """Return what every description of the release states."""
    origin, campaign = inputs.dataset["origin"], options.campaign
    licenses = [card.license_of("labels", campaign.labels_license)]
    if options.kind == "full" and campaign.text_license not in (None, campaign.labels_license):
        licenses.insert(0, card.license_of("text", str(campaign.text_license)))
    made_by = {"people": "annotated by people", "machine": "labelled by language-model passes, not by people",
               "simulated": "with simulated labels"}[origin]  # fmt: skip
    targets = sorted({t for rows in inputs.tables["gold"].values() for t in rows["target"].to_pylist()})  # fmt: skip
    hub = f"https://huggingface.co/datasets/{options.repo}" if options.repo else None
    return ReleaseInfo(
        options, name="on-record-" + re.sub(r"[^a-z0-9]+", "-", campaign.name.lower()),
        title=f"On Record: {campaign.title}", released=released, origin=origin, targets=targets,
        description=f"Sentences from news articles, {made_by}, for who claims what and where they stand toward: "
        f"{'; '.join(targets)}.",
        licenses=licenses, url=options.url or hub,
        annotators_are=options.annotators_are or {"people": "other"}.get(origin, "machine-generated"),
        guidelines_version=guideline_versions(inputs),
    )  # fmt: skip


def guideline_versions(inputs: ReleaseInputs) -> str:
    """Return the versions of the guidelines that the annotations followed, and the one that is included."""
    text = (inputs.guidelines / "guidelines.md").read_text(encoding="utf-8")
    included = guidelines_version(text)
    versions = {
        version
        for rows in inputs.tables.get("annotations", {}).values()
        for version in rows["guidelines_version"].to_pylist()
    }
    if versions <= {included}:
        return included
    return f"{', '.join(sorted(versions))} (the file included is {included})"


def write_release(folder: Path, inputs: ReleaseInputs, info: ReleaseInfo, releases: Path) -> None:
    """Write every file of the release into ``folder`` and check it; raises BadInput where a check fails."""
    standoff = info.options.kind == "standoff"
    questions = inputs.scheme.questions.values()
    tables, features = release_tables(inputs.tables, inputs.features)
    if standoff:
        names = [q.name for q in questions if q.kind == "name"]
        tables, features = without_text(tables, features, names)
    tables = {config: card.ordered_splits(by_split) for config, by_split in tables.items()}
    write_configs(folder, tables)
    quoted = write_campaign_files(folder, inputs, tables, standoff=standoff)
    write_descriptions(folder, inputs, info, tables, features)
    write_changelog(folder, info, releases)
    from_scheme = {q.name: q.names for q in questions if q.names and inputs.articles is not None}
    checks.check_label_order(folder, from_scheme)
    checks.check_croissant(folder)
    if standoff:
        # Guidelines may take examples from a text that the campaign has the right to give.
        exempt = ["guidelines.md"] if info.options.campaign.text_license else []
        check_no_quotation(folder, quoted, exempt)
    write_text(folder / "SHA256SUMS", checks.checksums(folder))


def write_campaign_files(
    folder: Path, inputs: ReleaseInputs, tables: Tables, *, standoff: bool
) -> set[int]:
    """Write what only a campaign has: articles, guidelines, scheme and (stand-off) the sentences' hashes.

    Return the runs of words of the articles that a stand-off release must not quote.
    """
    if inputs.articles is None or inputs.sentences is None:
        return set()
    used = {
        article
        for by_split in tables.values()
        for rows in by_split.values()
        for article in rows["article_id"].to_pylist()
    }
    quoted: set[int] = set()
    if standoff:
        quoted = quoted.union(*map(word_runs, inputs.articles["text"].to_pylist()))
        rows = sentence_hashes(inputs.sentences, used)
        write_parquet(folder / "sentences.parquet", rows, SENTENCE_HASHES)
    write_jsonl(folder / "articles.jsonl", released_articles(inputs.articles, used, quoted=quoted))
    write_text(folder / "guidelines.md", read_guidelines(inputs.scheme, inputs.guidelines))
    shutil.copyfile(inputs.guidelines / "scheme.yaml", folder / "scheme.yaml")
    return quoted


def write_descriptions(
    folder: Path, inputs: ReleaseInputs, info: ReleaseInfo, tables: Tables, features: Features
) -> None:
    """Write the card, the codebook, and the files that machines read of the release."""
    meaning = meaning_of(inputs.scheme)
    fields = card_fields(inputs, tables, info)
    write_json(folder / "codebook.json", codebook(inputs.scheme, features, meaning, info))
    write_json(folder / "dataset.json", inputs.dataset)
    parts = [
        f"- The {part.of} of this dataset: [{part.spdx}]({part.url})" for part in info.licenses
    ]
    if len(parts) == 1:
        parts = [f"[{info.licenses[0].spdx}]({info.licenses[0].url})"]
    write_text(folder / "LICENSE.md", "# Licence\n\n" + "\n".join(parts) + "\n")
    write_text(folder / "CITATION.cff", citation.citation_cff(info))
    write_json(folder / "datacite.json", citation.datacite(info))
    head = card.card_yaml(folder, info, tables, features)
    write_text(folder / "README.md", card.render(head, inputs, info, fields))
    rai = rai_fields(fields, info)
    write_json(folder / "croissant.json", croissant(folder, features, meaning, info, rai))


def write_changelog(folder: Path, info: ReleaseInfo, releases: Path) -> None:
    """Write CHANGELOG.md: this release against the one before, then the entries of that one."""
    last = changelog.previous_release(releases, info.options.version)
    entry = changelog.changelog_entry(
        info.options.version, info.released, changelog.labels_of(folder),
        None if last is None else changelog.labels_of(last), "" if last is None else last.name,
    )  # fmt: skip
    text = f"# Changes of {info.title}\n\n{entry}"
    if last is not None:
        earlier = (last / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n\n")[2]
        text += f"\n{earlier}"
    write_text(folder / "CHANGELOG.md", text)
