"""Archive, Debian package and checksums of a built folder. Same content gives the same archive."""

import gzip
import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

NAME = "scale-diffusion"
_KIOSK = Path(__file__).resolve().parents[1] / "kiosk"
_CONTROL = """\
Package: {name}
Version: {version}
Architecture: amd64
Maintainer: Scale Diffusion <packages@scale-diffusion.org>
Installed-Size: {size}
Depends: libc6 (>= 2.35), libstdc++6 (>= 12), libgcc-s1, libgl1, libegl1
Recommends: ca-certificates, libgl1-mesa-dri
Section: games
Priority: optional
Description: Driving game on real Manhattan streets
 Frames go to a diffusion model and come back as a photographed city.
"""
_MENU = """\
[Desktop Entry]
Type=Application
Name=Scale Diffusion
Comment=Drive through real Manhattan
Exec=scale-diffusion play
Icon=scale-diffusion
Terminal=true
Categories=Game;Simulation;
"""


def size_of(folder: Path) -> int:
    """Bytes of all files in `folder`, links not followed."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())


def tar(folder: Path, path: Path) -> Path:
    """`folder` as .tar.gz: sorted, without owner, dated by SOURCE_DATE_EPOCH or 0."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = epoch
        return entry

    with (
        open(path, "wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w") as writer,
    ):
        for each in [folder, *sorted(folder.rglob("*"))]:
            inside = str(Path(folder.name) / each.relative_to(folder))
            writer.add(each, inside, recursive=False, filter=plain)
    return path


def deb(folder: Path, work: Path, dist: Path, version: str, icon: Path) -> Path:
    """`folder` as a .deb under /opt with a command, a menu entry, and what a kiosk needs."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(folder, work / "opt" / NAME, symlinks=True)
    (work / "usr" / "bin").mkdir(parents=True)
    os.symlink(f"/opt/{NAME}/{NAME}", work / "usr" / "bin" / NAME)
    menu = work / "usr" / "share" / "applications"
    menu.mkdir(parents=True)
    (menu / f"{NAME}.desktop").write_text(_MENU, encoding="utf-8")
    shared = work / "usr" / "share"
    unit = f"{NAME}-kiosk.service"
    for source, target, mode in (
        (icon, shared / "icons" / "hicolor" / "256x256" / "apps" / f"{NAME}.png", 0o644),
        (_KIOSK / unit, work / "usr" / "lib" / "systemd" / "user" / unit, 0o644),
        (_KIOSK / "session.sh", shared / NAME / "kiosk-session.sh", 0o755),
        (folder / "LICENSE", shared / "doc" / NAME / "copyright", 0o644),
    ):
        target.parent.mkdir(parents=True)
        shutil.copyfile(source, target)
        target.chmod(mode)
    (work / "DEBIAN").mkdir()
    control = _CONTROL.format(name=NAME, version=version, size=size_of(work) // 1024)
    (work / "DEBIAN" / "control").write_text(control, encoding="utf-8")
    made = dist / f"{NAME}_{version}_amd64.deb"
    words = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(work), str(made)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(work)
    return made


def checksums(dist: Path) -> dict[str, str]:
    """Write SHA256SUMS beside the files of `dist` and return it, name -> digest."""
    found = {}
    for file in sorted(dist.iterdir()):
        if file.name not in ("SHA256SUMS", "build.json"):
            with open(file, "rb") as stream:
                found[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    lines = "".join(f"{digest}  {name}\n" for name, digest in found.items())
    (dist / "SHA256SUMS").write_text(lines, encoding="utf-8")
    return found
