"""From the frozen folder to what is handed out: licences, bill of materials, archive, .deb,
checksums, table. Called by build.py in an environment of its own.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import archive
import bom
import inventory
import notices
from closure import closure, installed

HERE = Path(__file__).resolve().parent
NAME, APP = "scale-diffusion", "Scale Diffusion.app"
PLATFORMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}


def main() -> int:
    """Finish; prints the table, returns the exit status."""
    options = _options()
    began = time.monotonic()
    out, dist = options.out, options.out / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    found = closure(installed(options.site))
    version = next(each.version for each in found if each.metadata["Name"] == NAME)
    bundle = out / "frozen" / NAME
    inside = bundle / "_internal"
    for assets in _assets(bundle):
        _channel(assets / "channel.json", options)
    parts = inventory.python_parts(found)
    toc = out / "work" / NAME / "COLLECT-00.toc"
    parts += inventory.library_parts(toc, options.site)
    vendored, unknown = inventory.vendored_parts(options.site, toc, HERE)
    parts += vendored
    parts += [inventory.runtime_part(), *inventory.data_parts(inside / "assets")]
    bare = inventory.gather(parts, bundle / "licences")
    sourceless = notices.write(parts, bundle / "licences", options.source_offer)
    shutil.copyfile(HERE.parents[1] / "LICENSE", bundle / "LICENSE")
    stem = f"{NAME}-{version}-{_platform()}"
    listed = bom.write(parts, NAME, version, bundle / "sbom.cdx.json")
    shutil.copyfile(bundle / "sbom.cdx.json", dist / f"{stem}.cdx.json")
    program = bundle / (f"{NAME}.exe" if os.name == "nt" else NAME)
    _sign(options.sign_program, program)
    made = _pack(out, dist, bundle, stem, version, options)
    for file in made:
        _sign(options.sign_file, file)
    sums = archive.checksums(dist)
    took = {"prepare": options.prepared_s, "freeze": options.frozen_s}
    took["finish"] = round(time.monotonic() - began, 1)
    told: dict[str, Any] = {
        "version": version,
        "commit": options.commit,
        "platform": _platform(),
        "folder_bytes": archive.size_of(bundle),
        "files": {file.name: file.stat().st_size for file in made},
        "seconds": took,
        "components": listed,
        "glibc": inventory.glibc_floor(bundle) if sys.platform.startswith("linux") else "",
        "declared_only": bare,
        "unknown_licence": unknown,
        "source_offered_by": options.source_offer,
        "source_unknown": sourceless,
        "sums": sums,
    }
    (dist / "build.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    _print(told, dist)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--prepared-s", type=float, default=0.0)
    parser.add_argument("--frozen-s", type=float, default=0.0)
    parser.add_argument("--no-deb", action="store_true")
    parser.add_argument("--commit", default="")
    for name in ("--sign-program", "--sign-file", "--update-url", "--update-keys",
                 "--source-offer"):  # fmt: skip
        parser.add_argument(name, default="")
    return parser.parse_args()


def _assets(bundle: Path) -> list[Path]:
    """Where a copy looks for its data: on macOS the .app has its own beside the folder's."""
    app = bundle.with_name(APP) / "Contents" / "Resources" / "assets"
    return [bundle / "_internal" / "assets", *([app] if app.is_dir() else [])]


def _platform() -> str:
    machine = os.environ.get("PROCESSOR_ARCHITECTURE", "") or os.uname().machine
    return f"{PLATFORMS[sys.platform]}-{machine.lower().replace('amd64', 'x86_64')}"


def _channel(path: Path, options: argparse.Namespace) -> None:
    """Tell this copy where updates are announced and whose signature it believes."""
    keys = [key.strip() for key in options.update_keys.split(",") if key.strip()]
    if bool(keys) != bool(options.update_url):
        raise SystemExit("build: --update-url and --update-keys go together")
    if keys:
        path.write_text(json.dumps({"url": options.update_url, "keys": keys}), encoding="utf-8")


def _sign(command: str, file: Path) -> None:
    """Run the signing hook for one file; a hook that fails ends the build."""
    if command:
        parts = _words(command)
        words = [part.replace("{}", str(file)) for part in parts]
        if words == parts:
            words.append(str(file))
        subprocess.run(words, check=True)


def _words(command: str, windows: bool = os.name == "nt") -> list[str]:
    """A command's words; on Windows a backslash is part of a path and keeps its place."""
    if not windows:
        return shlex.split(command)
    return [part.strip('"') for part in shlex.split(command, posix=False)]


def _seal(app: Path) -> None:
    """Sign the .app again: what was laid into it broke the seal, and macOS calls a copy with a
    broken one damaged. Without an identity of one's own it is the seal that names nobody.
    """
    identity = os.environ.get("CODESIGN_IDENTITY") or "-"
    words = ["codesign", "--force", "--deep", "--sign", identity]
    if identity != "-":
        rights = os.environ.get("CODESIGN_ENTITLEMENTS") or str(HERE / "entitlements.plist")
        words += ["--options", "runtime", "--timestamp", "--entitlements", rights]
    subprocess.run([*words, str(app)], check=True)
    subprocess.run(["codesign", "--verify", "--deep", "--strict", str(app)], check=True)


def _pack(
    out: Path,
    dist: Path,
    bundle: Path,
    stem: str,
    version: str,
    options: argparse.Namespace,
) -> list[Path]:
    if sys.platform == "darwin":  # ditto alone keeps the links and signatures of the .app
        app = bundle.with_name(APP)
        for name in ("licences", "LICENSE", "sbom.cdx.json"):
            source, target = bundle / name, app / "Contents" / "Resources" / name
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
        _seal(app)
        _sign(options.sign_program, app)
        made = dist / f"{stem}.zip"
        words = ["ditto", "-c", "-k", "--keepParent", str(app), str(made)]
        subprocess.run(words, check=True)
        return [made]
    if sys.platform == "win32":
        made = shutil.make_archive(str(dist / stem), "zip", bundle.parent, bundle.name)
        return [Path(made)]
    files = [archive.tar(bundle, dist / f"{stem}.tar.gz")]
    if not options.no_deb and shutil.which("dpkg-deb"):
        icon = out / "work" / NAME / "icons" / f"{NAME}.png"
        files.append(archive.deb(bundle, out / "deb", dist, version, icon))
    return files


def _print(told: dict[str, Any], dist: Path) -> None:
    rows = [("unpacked", f"{told['folder_bytes'] / 1e6:.0f} MB")]
    rows += [(name, f"{size / 1e6:.0f} MB") for name, size in told["files"].items()]
    rows += [(f"seconds to {name}", f"{took:.0f}") for name, took in told["seconds"].items()]
    rows.append(("components in the bill of materials", str(told["components"])))
    rows.append(("glibc that it asks for", told["glibc"] or "-"))
    print(f"| package | {told['platform']} |\n|---|---|")
    print("\n".join(f"| {name} | {value} |" for name, value in rows))
    if not told["source_offered_by"]:
        said = "nobody offers the source of its GPL parts: not for handing on (docs/packaging.md)"
        print(f"build: {said}", file=sys.stderr)
    print(f"all of it is in {dist}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
