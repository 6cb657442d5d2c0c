"""``onrecord publish``: a versioned release folder that is a Hub dataset repository, with or without the text."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from onrecord.core.clock import utc_now
from onrecord.core.errors import BadInput
from onrecord.core.files import read_json, read_object, require, write_json, write_jsonl, write_text
from onrecord.core.tables import write_parquet
from onrecord.core.workspace import Workspace
from onrecord.dataset.folder import write_configs
from onrecord.dataset.release import card, changelog, checks, citation
from onrecord.dataset.release.card_fields import Material, card_facts, rai_fields
from onrecord.dataset.release.codebook import codebook, meaning_of
from onrecord.dataset.release.croissant import croissant
from onrecord.dataset.release.hub import upload
from onrecord.dataset.release.release_tables import (  # fmt: skip
    Tables,
    baseline,
    dataset_signature,
    read_dataset,
    release_tables,
)
from onrecord.dataset.standoff.standoff import (
    SENTENCE_HASHES,
    article_rows,
    runs,
    sentence_hashes,
)
from onrecord.scheme.guidelines import guidelines_version, read_guidelines
from onrecord.scheme.scheme import annotation_folder, load_scheme

MADE = {"people": "people's", "machine": "machine-made", "simulated": "simulated"}


def main(cfg: DictConfig) -> Path:
    """Write ``releases/vX.Y.Z/``, prove it, and (``to=hub``) upload it in one commit; return its folder."""
    workspace = Path(cfg.workspace)
    changelog.parse_version(str(cfg.version))
    if cfg.kind not in ("full", "standoff"):
        raise BadInput(f"kind={cfg.kind}: expected full or standoff")
    if cfg.to not in (None, "hub"):
        raise BadInput(f"to={cfg.to}: expected hub")
    if cfg.to == "hub" and not cfg.contact:
        raise BadInput("to=hub needs contact=…: whom to write to for a takedown or a correction")
    if cfg.to == "hub" and not cfg.repo:
        raise BadInput("to=hub needs repo=OWNER/NAME")
    material = read_material(workspace, Path(cfg.run) if cfg.run else None)
    refuse_undeclared(material, cfg)
    folder = write_once(material, cfg, workspace / "releases")
    if cfg.to == "hub":
        print(f"uploaded as {upload(folder, repo=cfg.repo, version=str(cfg.version), private=cfg.private)}")  # fmt: skip
    return folder


def write_once(material: Material, cfg: DictConfig, releases: Path) -> Path:
    """Return the release's folder, written and proved, or found there with the same bytes.

    Raises BadInput where other bytes are published under the version; with ``bump`` the next patch is taken.
    """
    while True:
        folder = releases / f"v{cfg.version}"
        fresh = releases / f".v{cfg.version}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            fresh.mkdir(parents=True)
            write_release(fresh, material, about_release(material, cfg, folder), cfg, releases)
            differing = other_bytes(folder, fresh) if folder.exists() else []
            if not folder.exists():
                fresh.rename(folder)
                print(f"published {folder} ({cfg.kind}, {MADE[material.dataset['origin']]} labels)")
                return folder
            if not differing:
                print(f"{folder} is already published, byte for byte the same")
                return folder
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        said = f"{folder} is published and holds other bytes ({', '.join(differing[:3])})"
        if not cfg.bump:
            raise BadInput(f"{said}: raise version=, or say bump=true")
        major, minor, patch = changelog.parse_version(str(cfg.version))
        cfg.version = f"{major}.{minor}.{patch + 1}"
        print(f"{said}: it stays, and {cfg.version} is tried")


def read_material(workspace: Path, run: Path | None) -> Material:
    """Return what the workspace holds for a release; raises BadInput naming the verb that is missing."""
    dataset = require(workspace / "dataset" / "dataset.json", "build").parent
    audit = read_object(require(workspace / "audit.json", "build"), ["passed", "summary"], "build")
    if not audit["passed"]:
        raise BadInput(f"{workspace / 'audit.json'}: the audit failed ({audit['summary']}): build again")  # fmt: skip
    tables, features = read_dataset(dataset)
    about = read_object(dataset / "dataset.json", ["source"], "build")
    rows = about["source"] == "rows"
    agreement = workspace / "agreement.json"
    return Material(
        tables, features, about, audit,
        read_json(agreement) if agreement.is_file() and not rows else None,
        baseline(run, Path("experiments/runs"), dataset_signature(dataset)),
        None if rows else Workspace(workspace).read_articles(),
        None if rows else Workspace(workspace).read_sentences(),
        load_scheme(), annotation_folder(),
    )  # fmt: skip


def refuse_undeclared(material: Material, cfg: DictConfig) -> None:
    """Raise BadInput where the release would claim what it may not: origin, rights, words unknown to the Hub."""
    origin = material.dataset["origin"]
    if material.dataset["source"] == "gold" and origin != cfg.campaign.origin:
        raise BadInput(
            f"the annotations are {MADE[origin]}, but the campaign says origin: {cfg.campaign.origin}: "
            f"write origin: {origin} into conf/campaign/{cfg.campaign.name}.yaml, or say campaign.origin={origin}"
        )
    if cfg.kind == "full" and not cfg.campaign.text_license:
        raise BadInput(
            "kind=full needs campaign.text_license: under what terms the text may be passed on"
        )
    if cfg.kind == "standoff" and material.articles is None:
        raise BadInput("kind=standoff needs the campaign's articles: a table (source=rows) has no offsets to give instead of its text")  # fmt: skip
    known = card.terms()["annotations_creators"]
    if cfg.annotators_are not in (None, *known):
        raise BadInput(f"annotators_are={cfg.annotators_are}: the Hub knows {', '.join(known)}")
    licenses = [
        cfg.campaign.labels_license,
        cfg.campaign.text_license if cfg.kind == "full" else None,
    ]
    card.check_terms(licenses, str(cfg.campaign.language), list(cfg.tasks), list(cfg.task_ids))


def release_date(given: str | None, folder: Path) -> str:
    """Return the release's date: as given, as the published folder has it, SOURCE_DATE_EPOCH, or today."""
    if given is not None:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(given)):
            raise BadInput(f"released={given}: expected YYYY-MM-DD")
        return str(given)
    if (folder / "croissant.json").is_file():
        return str(read_json(folder / "croissant.json")["datePublished"])[:10]
    return f"{utc_now():%Y-%m-%d}"


def about_release(material: Material, cfg: DictConfig, folder: Path) -> dict[str, Any]:
    """Return what every description of the release says of it: names, version, rights, citation."""
    origin, name = (
        material.dataset["origin"],
        re.sub(r"[^a-z0-9]+", "-", str(cfg.campaign.name).lower()),
    )
    text, labels = cfg.campaign.text_license, cfg.campaign.labels_license
    spdx, address = card.licence(str(labels))
    made_by = {"people": "annotated by people", "machine": "labelled by language-model passes, not by people",
               "simulated": "with simulated labels"}[origin]  # fmt: skip
    targets = sorted(
        {t for table in material.tables["gold"].values() for t in table["target"].to_pylist()}
    )
    about = {
        "name": f"on-record-{name}", "title": f"On Record: {cfg.campaign.title}", "version": str(cfg.version),
        "released": release_date(cfg.released, folder), "origin": origin, "targets": targets,
        "description": f"Sentences from news articles, {made_by}, for who claims what and where they stand toward: "
        f"{'; '.join(targets)}.",
        "license": str(labels) if cfg.kind == "standoff" or text == labels else "other",
        "license_spdx": spdx, "license_url": address, "language": str(cfg.campaign.language),
        "creators": list(cfg.creators), "publisher": str(cfg.publisher), "keywords": list(cfg.keywords),
        "url": cfg.url or (f"https://huggingface.co/datasets/{cfg.repo}" if cfg.repo else None), "doi": cfg.doi,
        "tasks": list(cfg.tasks), "task_ids": list(cfg.task_ids),
        "annotators_are": cfg.annotators_are or {"people": "other"}.get(origin, "machine-generated"),
        "guidelines_version": followed(material),
        "kind": str(cfg.kind), "labels_license": str(labels), "text_license": str(text),
    }  # fmt: skip
    return about | {"cite_as": citation.bibtex(about)}


def followed(material: Material) -> str:
    """Return the versions of the guidelines that the annotations followed, and the one that is included."""
    text = (material.guidelines / "guidelines.md").read_text(encoding="utf-8")
    included = guidelines_version(text)
    versions = {
        version
        for table in material.tables.get("annotations", {}).values()
        for version in table["guidelines_version"].to_pylist()
    }
    if versions <= {included}:
        return included
    return f"{', '.join(sorted(versions))} (the file included is {included})"


def write_release(
    folder: Path, material: Material, about: Mapping[str, Any], cfg: DictConfig, releases: Path
) -> None:
    """Write every file of the release into ``folder`` and prove it; raises BadInput where the proof fails."""
    named = [q.name for q in material.scheme.questions.values() if q.kind == "name"]
    tables, features = release_tables(material.tables, material.features, about["kind"], named)
    configs = {config: card.ordered_splits(by_split) for config, by_split in tables.items()}
    write_configs(folder, configs)
    quoted: set[int] = set()
    if material.articles is not None and material.sentences is not None:
        used = article_ids(tables)
        if about["kind"] == "standoff":
            quoted = {run for text in material.articles["text"].to_pylist() for run in runs(text)}
            write_parquet(
                folder / "sentences.parquet",
                sentence_hashes(material.sentences, used),
                SENTENCE_HASHES,
            )
        write_jsonl(folder / "articles.jsonl",
                    article_rows(material.articles, used, full=about["kind"] == "full", quoted=quoted))  # fmt: skip
        write_text(folder / "guidelines.md", read_guidelines(material.scheme, material.guidelines))
        shutil.copyfile(material.guidelines / "scheme.yaml", folder / "scheme.yaml")
    meaning = meaning_of(material.scheme)
    write_json(folder / "codebook.json", codebook(material.scheme, features, meaning, about))
    write_json(folder / "dataset.json", dict(material.dataset))
    write_text(folder / "CITATION.cff", citation.citation_cff(about))
    write_json(folder / "datacite.json", citation.datacite(about))
    facts = card_facts(
        material,
        tables,
        about,
        statement=dict(cfg.statement),
        repo=cfg.repo,
        contact=cfg.contact,
    )
    write_text(folder / "README.md", card.render(card.card_yaml(about, configs, features), facts))
    write_json(
        folder / "croissant.json",
        croissant(folder, features, meaning, about, rai_fields(facts, about)),
    )
    write_changelog(folder, about, changelog.previous_release(releases, about["version"]))
    declared = {q.name: q.names for q in material.scheme.questions.values() if q.names}
    checks.check_label_order(folder, declared if material.articles is not None else {})
    checks.check_croissant(folder)
    if about["kind"] == "standoff":
        # Guidelines may take examples from a text that the campaign has the right to give.
        own = frozenset({"guidelines.md"}) if cfg.campaign.text_license else frozenset[str]()
        checks.check_no_quotation(folder, quoted, own)
    write_text(folder / "SHA256SUMS", checks.checksums(folder))


def article_ids(tables: Tables) -> set[str]:
    """Return the articles that any table has a row of."""
    return {
        article
        for by_split in tables.values()
        for table in by_split.values()
        for article in table["article_id"].to_pylist()
    }


def write_changelog(folder: Path, about: Mapping[str, Any], last: Path | None) -> None:
    """Write CHANGELOG.md: this release against the one before, then what that one said."""
    before = None if last is None else changelog.labels_of(last)
    entry = changelog.changelog(about["version"], about["released"], changelog.labels_of(folder), before,
                              "" if last is None else last.name)  # fmt: skip
    head = f"# Changes of {about['title']}\n\n"
    earlier = (
        ""
        if last is None
        else (last / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n\n")[2]
    )
    write_text(folder / "CHANGELOG.md", head + entry + ("\n" + earlier if earlier else ""))


def other_bytes(folder: Path, fresh: Path) -> list[str]:
    """Return the files in which the published folder, whose checksums must hold, and the fresh one differ."""
    checks.check_checksums(folder)
    old, new = (
        (f / "SHA256SUMS").read_text(encoding="utf-8").splitlines() for f in (folder, fresh)
    )
    return sorted({line.partition("  ")[2] for line in set(old) ^ set(new)})
