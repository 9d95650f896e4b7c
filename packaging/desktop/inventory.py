"""What lies in a built folder and where it came from: Python packages, libraries of the building
system, Python itself, the game's data. Collects the licence texts of all of it.
"""

import ast
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|authors|copyright)", re.IGNORECASE)
_APACHE = re.compile(r"Apache([- ](Software )?License,?)?[- ]?(Version )?2(\.0)?", re.IGNORECASE)
_APACHE_TEXT = Path(__file__).resolve().parent / "texts" / "Apache-2.0"
_TEXTS = {"LGPL-3": ("LGPL-3", "GPL-3")}
"""A licence that is written as additions to another one comes with both texts."""
_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)\b")


@dataclass(slots=True)
class Part:
    """One component. kind: pypi, deb, library, runtime or data. licence: '' where unknown."""

    name: str
    version: str
    kind: str
    licence: str = ""
    homepage: str = ""
    texts: list[Path] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    """of single files: name in the package -> sha256"""
    note: str = ""
    source: str = ""
    """where its source is, of parts whose licence asks for it"""


def python_parts(found: tuple[Distribution, ...]) -> list[Part]:
    """One part for each distribution, with the licence files that it brought."""
    parts = []
    for each in found:
        meta = each.metadata
        parts.append(
            Part(
                name=str(meta["Name"]),
                version=each.version,
                kind="pypi",
                licence=_declared(meta),
                homepage=_homepage(meta),
                texts=list(_texts(each)),
            )
        )
    return parts


def _declared(meta: Any) -> str:
    if meta.get("License-Expression"):
        return str(meta["License-Expression"])
    named = [
        line.rsplit(" :: ", 1)[-1]
        for line in meta.get_all("Classifier") or ()
        if line.startswith("License :: ") and line.count(" :: ") > 1
    ]
    plain = str(meta.get("License") or "").strip().splitlines()
    if plain and len(plain[0]) <= 60:
        return plain[0]
    return " / ".join(named)


def _homepage(meta: Any) -> str:
    for line in meta.get_all("Project-URL") or ():
        label, _, link = line.partition(",")
        if label.strip().lower() in ("homepage", "source", "repository", "source code"):
            return str(link).strip()
    return str(meta.get("Home-page") or "")


def _texts(each: Distribution) -> Iterator[Path]:
    for file in each.files or ():
        if file.suffix not in (".py", ".pyc", ".so", ".pyi") and _LICENCE_FILE.search(file.name):
            path = Path(str(each.locate_file(file)))
            if path.is_file():
                yield path


def library_parts(toc: Path, site: Path) -> list[Part]:
    """Libraries that came from the building system, by the package that owns them.

    toc: the collection list that PyInstaller leaves, a Python literal.
    """
    owners: dict[str, Part] = {}
    for dest, source, kind in _entries(toc):
        path = Path(source)
        if kind != "BINARY" or path.is_relative_to(site):
            continue
        if _of_python(path):
            continue
        name, version, licence = _owner(path)
        part = owners.setdefault(name, Part(name, version, "deb", texts=licence))
        part.files[dest] = _sha256(path)
    return sorted(owners.values(), key=lambda part: part.name)


def vendored_parts(site: Path, toc: Path, here: Path) -> tuple[list[Part], list[str]]:
    """Libraries inside wheels by the table in `here`, and the names of those that it does not know.

    On Windows they have no `lib` before their names (avcodec-62-0a1b.dll).
    """
    known = tomllib.loads((here / "vendored.toml").read_text(encoding="utf-8"))["libraries"]
    parts: dict[str, Part] = {}
    unknown = []
    for dest, source, kind in _entries(toc):
        path, name = Path(source), Path(dest).name
        if kind != "BINARY" or not path.is_relative_to(site) or not _is_library(name):
            continue
        name = name if name.startswith("lib") else f"lib{name}"
        fitting = [begin for begin in known if name.startswith(begin)]
        if not fitting:
            unknown.append(Path(dest).name)
            continue
        told = known[max(fitting, key=len)]
        texts = _known_texts(site, here / "texts", told)
        part = parts.setdefault(
            told["name"],
            Part(told["name"], "as in its wheel", "library", told["licence"], texts=texts),
        )
        part.source = told.get("source", "")
        part.files[dest] = _sha256(path)
    return sorted(parts.values(), key=lambda part: part.name), sorted(unknown)


def _known_texts(site: Path, folder: Path, told: dict[str, str]) -> list[Path]:
    """Licence texts of a row of the table: our copies, or those that its distribution brought."""
    if of := told.get("of"):
        return list(_texts(next(iter(distributions(name=of, path=[str(site)])))))
    text = told["text"]
    return [folder / each for each in _TEXTS.get(text, (text,)) if each]


def _is_library(name: str) -> bool:
    """Whether a file in a wheel is a library that others load, not a module of Python."""
    if name.endswith(".dll"):
        return True
    return name.startswith("lib") and "cpython" not in name and (".so" in name or ".dylib" in name)


def _entries(toc: Path) -> Iterator[tuple[str, str, str]]:
    def walk(value: Any) -> Iterator[tuple[str, str, str]]:
        if isinstance(value, tuple) and len(value) == 3 and all(isinstance(x, str) for x in value):
            yield value
        elif isinstance(value, list | tuple):
            for item in value:
                yield from walk(item)

    yield from walk(ast.literal_eval(toc.read_text(encoding="utf-8")))


def _of_python(path: Path) -> bool:
    prefixes = (Path(sys.base_prefix), Path(sys.base_prefix).resolve())
    return any(path.is_relative_to(prefix) for prefix in prefixes if prefix != Path("/usr"))


def _owner(path: Path) -> tuple[str, str, list[Path]]:
    """The Debian package of a library: name, version, its copyright page."""
    if shutil.which("dpkg") is None:
        return path.name, "unknown", []
    for candidate in (path.resolve(), path, Path("/usr") / path.relative_to("/")):
        said = _ask("dpkg", "-S", str(candidate))
        if said:
            name = said.split(":")[0]
            version = _ask("dpkg-query", "-W", "-f", "${Version}", name)
            page = Path("/usr/share/doc") / name / "copyright"
            return name, version, [page] if page.is_file() else []
    return path.name, "unknown", []


def _ask(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout else ""


def runtime_part() -> Part:
    """The Python that runs it all."""
    version = ".".join(map(str, sys.version_info[:3]))
    library = Path(sys.base_prefix) / "lib" / f"python3.{sys.version_info[1]}"
    places = (library / "LICENSE.txt", Path(sys.base_prefix) / "LICENSE.txt")
    debian = Path(f"/usr/share/doc/python3.{sys.version_info[1]}/copyright")
    texts = [place for place in (*places, debian) if place.is_file()][:1]
    return Part("python", version, "runtime", "PSF-2.0", "https://www.python.org", texts)


def data_parts(assets: Path) -> list[Part]:
    """The city packs and the embedded network, with their terms."""
    parts = []
    sources = tomllib.loads((assets / "city" / "SOURCES.toml").read_text(encoding="utf-8"))
    terms = " AND ".join(sorted({str(entry["terms"]) for entry in sources["files"].values()}))
    for pack in sorted(path.parent for path in assets.glob("city/*/pack.json")):
        told = json.loads((pack / "pack.json").read_text(encoding="utf-8"))
        version = str(told.get("digest", ""))[:16] or str(told.get("version", "1"))
        files = {f"assets/city/{pack.name}/{f.name}": _sha256(f) for f in sorted(pack.glob("*"))}
        note = "buildings and ground: City of New York; streets: OpenStreetMap contributors"
        parts.append(
            Part(f"city-{pack.name}", version, "data", terms, "", [pack / "NOTICE"], files, note)
        )
    laid = {
        f"assets/city/furniture/{f.name}": _sha256(f)
        for f in sorted((assets / "city" / "furniture").glob("*.npz"))
    }
    if laid:
        terms = str(sources["files"]["furniture"]["terms"])
        note = "laid out along the packs' streets by this program"
        notices = sorted(assets.glob("city/*/NOTICE"))  # of the streets that it was derived from
        parts.append(Part("city-furniture", "1", "data", terms, "", notices, laid, note))
    fonts = assets / "fonts"
    told = tomllib.loads((fonts / "SOURCES.toml").read_text(encoding="utf-8"))["files"]
    files = {f"assets/fonts/{name}": _sha256(fonts / name) for name in sorted(told)}
    text = fonts / "LICENCE.txt"
    origin = next(iter(told.values()))["origin"]
    note = "cut to the characters of the program's screens"
    parts.append(
        Part("DejaVu Sans Mono", "2.37", "data", "Bitstream-Vera", origin, [text], files, note)
    )
    for made in sorted((assets / "meshes").glob("*.npz")):
        digest, note = _sha256(made), "made by this program's own code"
        files = {f"assets/meshes/{made.name}": digest}
        parts.append(
            Part(f"meshes-{made.stem}", digest[:16], "data", "Apache-2.0", "", [], files, note)
        )
    weights = (
        path for kind in ("onnx", "safetensors") for path in (assets / "models").glob(f"*/*.{kind}")
    )
    for model in sorted(weights):
        name = f"assets/models/{model.parent.name}/{model.name}"
        note = "trained by this project on its own renders"
        digest = _sha256(model)
        own = model.stem.startswith(model.parent.name)
        part = model.stem if own else f"{model.parent.name}-{model.stem}"
        parts.append(Part(part, digest[:16], "data", "Apache-2.0", "", [], {name: digest}, note))
    return parts


def folder_of(part: Part) -> str:
    """Name of the folder with the texts of a part."""
    return f"{part.name}-{part.version}".replace("/", "_").replace(":", "_")


def gather(parts: list[Part], into: Path) -> list[str]:
    """Copy every licence text to `into`/part; returns the names of parts that brought none.

    Who declares the Apache License and brought no text gets ours: it is the same for everybody.
    """
    bare = []
    for part in parts:
        if not part.texts and _APACHE.fullmatch(part.licence):
            part.texts = [_APACHE_TEXT]
        folder = into / folder_of(part)
        folder.mkdir(parents=True, exist_ok=True)
        for number, text in enumerate(part.texts):
            name = text.name if not (folder / text.name).exists() else f"{number}-{text.name}"
            shutil.copyfile(text, folder / name)
        if not part.texts:
            bare.append(part.name)
            said = f"{part.name} {part.version}\nLicence as declared: {part.licence or 'unknown'}\n"
            (folder / "DECLARED.txt").write_text(said + part.homepage + "\n", encoding="utf-8")
    return bare


def glibc_floor(folder: Path) -> str:
    """The newest glibc symbol version that anything in `folder` asks for, '' where nothing does."""
    newest = (0, 0)
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            if content[:4] == b"\x7fELF":
                found = [(int(a), int(b)) for a, b in _GLIBC.findall(content)]
                newest = max([newest, *found])
    return f"{newest[0]}.{newest[1]}" if newest > (0, 0) else ""


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
