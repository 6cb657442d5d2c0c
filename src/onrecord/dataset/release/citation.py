"""How a release is cited: CITATION.cff, DataCite JSON, BibTeX."""

from typing import Any

import yaml

from onrecord.dataset.release.release_inputs import Creator, ReleaseInfo


def citation_cff(info: ReleaseInfo) -> str:
    """Return a Citation File Format 1.2.0 file. Source: https://citation-file-format.github.io."""
    options = info.options
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": info.title,
        "abstract": info.description + _rights(info),
        "version": options.version,
        "date-released": info.released,
        "authors": [
            {"name": c.name}
            if c.organization
            else dict(zip(("family-names", "given-names"), _names(c), strict=False))
            | _given(orcid=orcid_url(c), affiliation=c.affiliation)
            for c in options.creators
        ],
        # Of several the format says "or": the abstract says which holds for what.
        "license": [part.spdx for part in info.licenses]
        if len(info.licenses) > 1
        else info.licenses[0].spdx,
        "keywords": options.keywords,
    } | _addresses(info)
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)


def datacite(info: ReleaseInfo) -> dict[str, Any]:
    """Return DataCite metadata (schema 4.5) as its REST API takes it; a DOI only where there is one."""
    options = info.options
    rights = [
        {"rights": f"{part.of.capitalize()}: {part.spdx}", "rightsUri": part.url, "rightsIdentifier": part.spdx,
         "rightsIdentifierScheme": "SPDX", "schemeUri": "https://spdx.org/licenses/"}
        for part in info.licenses
    ]  # fmt: skip
    attributes = {
        "creators": [_datacite_creator(c) for c in options.creators],
        "titles": [{"title": info.title}],
        "publisher": {"name": options.publisher},
        "publicationYear": info.released[:4],
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Annotated text"},
        "subjects": [{"subject": word} for word in options.keywords],
        "dates": [{"date": info.released, "dateType": "Issued"}],
        "language": options.campaign.language,
        "version": options.version,
        "rightsList": rights,
        "descriptions": [{"description": info.description, "descriptionType": "Abstract"}],
        "schemaVersion": "http://datacite.org/schema/kernel-4",
    } | _addresses(info)
    return {"data": {"type": "dois", "attributes": attributes}}


def bibtex(info: ReleaseInfo) -> str:
    """Return a BibTeX entry."""
    fields = {
        "title": f"{{{info.title}}}",
        "author": " and ".join(
            f"{{{c.name}}}" if c.organization else c.name for c in info.options.creators
        ),
        "year": info.released[:4],
        "version": info.options.version,
        "publisher": info.options.publisher,
    } | _addresses(info)
    return f"@misc{{{info.name}, {', '.join(f'{key} = {{{value}}}' for key, value in fields.items())}}}"


def orcid_url(creator: Creator) -> str | None:
    """Return the address of a creator's ORCID, which is given with or without it."""
    return creator.orcid and f"https://orcid.org/{creator.orcid.rpartition('/')[2]}"


def _datacite_creator(creator: Creator) -> dict[str, Any]:
    named = {"name": creator.name, "nameType": "Organizational" if creator.organization else "Personal"}  # fmt: skip
    if not creator.organization:
        named |= dict(zip(("familyName", "givenName"), _names(creator), strict=False))
    orcid = {"nameIdentifier": orcid_url(creator), "nameIdentifierScheme": "ORCID", "schemeUri": "https://orcid.org"}  # fmt: skip
    return named | _given(
        nameIdentifiers=[orcid] if creator.orcid else None,
        affiliation=[{"name": creator.affiliation}] if creator.affiliation else None,
    )


def _names(creator: Creator) -> list[str]:
    """Return the family name and the given names; without a comma the last word is the family name."""
    family, comma, given = (part.strip() for part in creator.name.partition(","))
    if not comma:
        given, _, family = creator.name.rpartition(" ")
    return [family, given] if given else [family]


def _rights(info: ReleaseInfo) -> str:
    return "".join(f" {part.of.capitalize()}: {part.spdx}." for part in info.licenses if len(info.licenses) > 1)  # fmt: skip


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _addresses(info: ReleaseInfo) -> dict[str, str]:
    return _given(doi=info.options.doi, url=info.url)
