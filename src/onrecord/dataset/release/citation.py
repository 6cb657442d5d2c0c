"""How a release is cited: CITATION.cff, DataCite JSON, BibTeX."""

from typing import Any

import yaml

from onrecord.dataset.release.release_inputs import ReleaseInfo


def citation_cff(info: ReleaseInfo) -> str:
    """Return a Citation File Format 1.2.0 file. Source: https://citation-file-format.github.io."""
    options = info.options
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": info.title,
        "abstract": info.description,
        "version": options.version,
        "date-released": info.released,
        "authors": [{"name": name} for name in options.creators],
        "license": info.license_spdx,
        "keywords": options.keywords,
    } | _addresses(info)
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)


def datacite(info: ReleaseInfo) -> dict[str, Any]:
    """Return DataCite metadata (schema 4) as its REST API takes it; a DOI only where there is one."""
    options = info.options
    rights = {
        "rights": info.license_spdx,
        "rightsUri": info.license_url,
        "rightsIdentifier": info.license_spdx,
        "rightsIdentifierScheme": "SPDX",
    }
    attributes = {
        "creators": [{"name": name, "nameType": "Organizational"} for name in options.creators],
        "titles": [{"title": info.title}],
        "publisher": options.publisher,
        "publicationYear": int(info.released[:4]),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Annotated text"},
        "subjects": [{"subject": word} for word in options.keywords],
        "dates": [{"date": info.released, "dateType": "Issued"}],
        "language": options.campaign.language,
        "version": options.version,
        "rightsList": [rights],
        "descriptions": [{"description": info.description, "descriptionType": "Abstract"}],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    } | _addresses(info)
    return {"data": {"type": "dois", "attributes": attributes}}


def bibtex(info: ReleaseInfo) -> str:
    """Return a BibTeX entry."""
    fields = {
        "title": f"{{{info.title}}}",
        "author": " and ".join(f"{{{name}}}" for name in info.options.creators),
        "year": info.released[:4],
        "version": info.options.version,
        "publisher": info.options.publisher,
    } | _addresses(info)
    return f"@misc{{{info.name}, {', '.join(f'{key} = {{{value}}}' for key, value in fields.items())}}}"


def _addresses(info: ReleaseInfo) -> dict[str, str]:
    found = {"doi": info.options.doi, "url": info.url}
    return {key: address for key, address in found.items() if address}
