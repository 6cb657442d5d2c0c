"""How a release is cited: CITATION.cff, DataCite JSON, BibTeX."""

from collections.abc import Mapping
from typing import Any

import yaml


def citation_cff(about: Mapping[str, Any]) -> str:
    """Return a Citation File Format 1.2.0 file. Source: https://citation-file-format.github.io."""
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": about["title"],
        "abstract": about["description"],
        "version": about["version"],
        "date-released": about["released"],
        "authors": [{"name": name} for name in about["creators"]],
        "license": about["license_spdx"],
        "keywords": list(about["keywords"]),
    }
    fields |= {key: about[key] for key in ("doi", "url") if about[key]}
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)


def datacite(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return DataCite metadata (schema 4) as its REST API takes it; a DOI only where there is one."""
    attributes = {
        "creators": [{"name": name, "nameType": "Organizational"} for name in about["creators"]],
        "titles": [{"title": about["title"]}],
        "publisher": about["publisher"],
        "publicationYear": int(about["released"][:4]),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Annotated text"},
        "subjects": [{"subject": word} for word in about["keywords"]],
        "dates": [{"date": about["released"], "dateType": "Issued"}],
        "language": about["language"],
        "version": about["version"],
        "rightsList": [
            {
                "rights": about["license_spdx"],
                "rightsUri": about["license_url"],
                "rightsIdentifier": about["license_spdx"],
                "rightsIdentifierScheme": "SPDX",
            }
        ],
        "descriptions": [{"description": about["description"], "descriptionType": "Abstract"}],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    }
    attributes |= {key: about[key] for key in ("doi", "url") if about[key]}
    return {"data": {"type": "dois", "attributes": attributes}}


def bibtex(about: Mapping[str, Any]) -> str:
    """Return a BibTeX entry.

    >>> about = {"name": "x", "title": "X", "creators": ["A", "B"], "released": "2026-01-02", "version": "1.0.0", "publisher": "P", "url": None, "doi": None}
    >>> bibtex(about)
    '@misc{x, title = {{X}}, author = {{A} and {B}}, year = {2026}, version = {1.0.0}, publisher = {P}}'
    """
    authors = " and ".join(f"{{{name}}}" for name in about["creators"])
    fields = [
        f"title = {{{{{about['title']}}}}}",
        f"author = {{{authors}}}",
        f"year = {{{about['released'][:4]}}}",
        f"version = {{{about['version']}}}",
        f"publisher = {{{about['publisher']}}}",
        *(f"{key} = {{{about[key]}}}" for key in ("doi", "url") if about[key]),
    ]
    return f"@misc{{{about['name']}, {', '.join(fields)}}}"
