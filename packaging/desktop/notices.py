"""What goes with the package for whoever hands it on: a table of everything inside with its
licence, and an offer of source for the parts whose licence asks for one.

Says what is inside and what their authors ask; decides nothing. docs/packaging.md has the decision
that is left to the distributor.
"""

import re
from pathlib import Path

from inventory import Part, folder_of

_COPYLEFT = re.compile(r"\bL?GPL-")
_NOTICE = """\
What is inside this package, and under which terms. The texts are in the folder beside this file
that is named in the last column. The program itself is under the Apache License 2.0 (../LICENSE).

"""
_PARTS = """

Parts under the GNU General Public Licence or the Lesser one
============================================================
They are used as shared libraries and are files of their own, which may be replaced by other builds
of the same interface. FFmpeg here is linked with x264 and x265, which are under the GPL, version 2
or any later one: FFmpeg with them is a work under the GPL, version 3 as FFmpeg's own parts ask for
at least version 3 of the LGPL. The recorder and the makers of films load it in processes of the
program. SOURCE-OFFER.txt says where the source of each is.
"""
_OFFER = """\
Source of the parts under the GNU licences
==========================================
{who}

{rows}
Versions: those inside the wheels `av` {av} and, of the parts of GCC, `numpy` {numpy}. The build of
`av` takes each by exact version and checksum, with its patches and settings, and is published.
"""
_GIVEN = """\
{offer} gives to anybody who has this package, on request and for three years from the day it
was handed on, the complete corresponding source of the parts below, with the scripts that control
their compilation, on a medium in common use for no more than the cost of handing it over, or over a
network at no charge."""
_MISSING = """\
Nobody has signed this offer: the package was built without --source-offer "NAME, ADDRESS". Who
hands it on has to name themselves here, or to provide the source with it."""


def is_copyleft(part: Part) -> bool:
    """Whether its licence asks for its source. The run-time exception of GCC frees programs of it,
    not the library itself.
    """
    return bool(_COPYLEFT.search(part.licence))


def notice(parts: list[Part]) -> str:
    """The table of all parts, and what is to be said of some."""
    rows = [(p.name, p.version, p.licence or "see its texts", folder_of(p)) for p in parts]
    rows = sorted(set(rows), key=lambda row: row[0].lower())
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = ["  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3]])
             for row in rows]  # fmt: skip
    names = "\n".join(
        f"- {part.name} ({part.licence}): {', '.join(sorted(part.files)) or 'in its own folder'}"
        for part in parts if is_copyleft(part)
    )  # fmt: skip
    return _NOTICE + "\n".join(lines) + _PARTS + "\n" + names + "\n"


def offer(parts: list[Part], who: str) -> str:
    """The offer of source. who: name and address of who makes it, '' where nobody does."""
    said = _GIVEN.format(offer=who) if who else _MISSING
    wheels = {
        name: next((part.version for part in parts if part.name == name), "unknown")
        for name in ("av", "numpy")
    }
    rows = "".join(
        f"- {part.name} ({part.licence})\n    {part.source or part.homepage or 'unknown'}\n"
        for part in parts if is_copyleft(part)
    )  # fmt: skip
    return _OFFER.format(who=said, rows=rows, **wheels)


def write(parts: list[Part], folder: Path, who: str) -> list[str]:
    """Write both into `folder`; returns the names of copyleft parts whose source nobody named."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "NOTICE.txt").write_text(notice(parts), encoding="utf-8")
    (folder / "SOURCE-OFFER.txt").write_text(offer(parts, who), encoding="utf-8")
    return [p.name for p in parts if is_copyleft(p) and not (p.source or p.homepage)]
