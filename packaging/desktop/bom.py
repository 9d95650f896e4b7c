"""Writes the list of what a package holds as CycloneDX 1.6 JSON and checks it by its schema."""

import json
from collections.abc import Iterable
from pathlib import Path

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from inventory import Part
from packageurl import PackageURL

_KINDS = {
    "pypi": ComponentType.LIBRARY,
    "deb": ComponentType.LIBRARY,
    "library": ComponentType.LIBRARY,
    "runtime": ComponentType.PLATFORM,
    "data": ComponentType.DATA,
}


class BadBom(Exception):
    """The list is not valid CycloneDX; a fault of this program."""


def write(parts: Iterable[Part], name: str, version: str, path: Path) -> int:
    """Write the list to `path`; returns how many components it has. Raises BadBom."""
    bom = Bom()
    root = Component(name=name, version=version, type=ComponentType.APPLICATION, bom_ref=name)
    bom.metadata.component = root
    components = [_component(part) for part in parts if part.name != name]
    for component in components:
        bom.components.add(component)
    bom.register_dependency(root, components)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    check(text)
    path.write_text(text + "\n", encoding="utf-8")
    return len(components)


def check(text: str) -> None:
    """Raises BadBom unless `text` is valid CycloneDX 1.6."""
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        raise BadBom(str(wrong))
    if not json.loads(text).get("components"):
        raise BadBom("it lists nothing")


def _component(part: Part) -> Component:
    made = Component(
        name=part.name,
        version=part.version,
        type=_KINDS[part.kind],
        bom_ref=f"{part.kind}:{part.name}@{part.version}",
        description=part.note or None,
    )
    if part.licence:
        made.licenses.add(LicenseFactory().make_from_string(part.licence))
    if part.kind == "pypi":
        made.purl = PackageURL("pypi", None, part.name.lower().replace("_", "-"), part.version)
    elif part.kind == "deb":
        made.purl = PackageURL("deb", "debian", part.name, part.version)
    if part.homepage.startswith("http"):
        reference = ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(part.homepage))
        made.external_references.add(reference)
    for file, digest in part.files.items():
        made.components.add(
            Component(
                name=file,
                type=ComponentType.FILE,
                bom_ref=f"file:{file}",
                hashes=[HashType.from_hashlib_alg("sha256", digest)],
            )
        )
    return made
