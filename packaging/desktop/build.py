"""Builds the package of the system it runs on: python packaging/desktop/build.py

Needs Python 3.11 and the network (or pip's own mirror settings) once; makes its own environments
under --out, freezes the program, and leaves archive, .deb (Linux), licences, bill of materials,
checksums and a table in OUT/dist. Changes nothing else.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAME = "scale-diffusion"
_NOT_SOURCE = ("build", "dist", ".git", ".venv", "*.egg-info", "__pycache__", ".*_cache")
TOOLS = ("cyclonedx-python-lib[json-validation]==11.12.0", "packaging==26.3")


def main() -> int:
    """Build; returns the exit status."""
    options = _options()
    out = options.out.resolve()
    if sys.version_info[:2] != (3, 11):
        print("build: use Python 3.11, the version that the package is tried with", file=sys.stderr)
        return 2
    began = time.monotonic()
    source, commit = _source(out / "source")
    python = _environment(
        out / "runtime", _runtime_stamp(), lambda python: _install_runtime(python, source)
    )
    tools = _environment(out / "tools", " ".join(TOOLS), _install_tools)
    _pip(python, "--no-deps", "--force-reinstall", str(source))
    prepared = time.monotonic()
    _freeze(python, out)
    frozen = time.monotonic()
    words = [str(tools), str(HERE / "finish.py"), "--out", str(out), "--site", _site(python)]
    words += ["--commit", commit]
    words += ["--prepared-s", f"{prepared - began:.1f}", "--frozen-s", f"{frozen - prepared:.1f}"]
    for name in ("sign_program", "sign_file", "update_url", "update_keys", "source_offer"):
        if value := getattr(options, name):
            words += [f"--{name.replace('_', '-')}", value]
    words += ["--no-deb"] if options.no_deb else []
    return subprocess.run(words, check=False).returncode


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "desktop")
    parser.add_argument("--no-deb", action="store_true", help="leave the .deb out (xz takes long)")
    parser.add_argument(
        "--sign-program", default="", metavar="CMD", help="run for the program before it is packed"
    )
    parser.add_argument(
        "--sign-file", default="", metavar="CMD", help="run for each finished file; {} is its path"
    )
    parser.add_argument("--update-url", default="", help="where this copy will ask for updates")
    parser.add_argument(
        "--update-keys", default="", help="public release keys it believes, hex, with commas"
    )
    parser.add_argument(
        "--source-offer", default="", metavar="WHO",
        help="name and address of who hands the package on and gives the source of its GPL parts",
    )  # fmt: skip
    return parser.parse_args()


def _environment(folder: Path, stamp: str, install: Callable[[Path], None]) -> Path:
    """The Python of an environment in `folder`, made anew when `stamp` has changed."""
    mark = folder / "stamp"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = hashlib.sha256(f"{stamp} {sys.version}".encode()).hexdigest()
    if mark.is_file() and mark.read_text() == wanted:
        return python
    print(f"build: making {folder}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    install(python)
    mark.write_text(wanted)
    return python


def _runtime_stamp() -> str:
    return (ROOT / "setup.py").read_text() + (HERE / "constraints.txt").read_text()


def _source(folder: Path) -> tuple[Path, str]:
    """A copy of what belongs to the source, and its commit: what else lies in the checkout, as
    earlier builds or models in training, gets into no package. '' where there is no git.
    """
    shutil.rmtree(folder, ignore_errors=True)
    commit = _git("rev-parse", "HEAD") if _git("rev-parse", "--show-prefix") == "" else None
    if commit is None:
        leave = shutil.ignore_patterns(*_NOT_SOURCE)
        shutil.copytree(ROOT, folder, symlinks=True, ignore=leave)
        return folder, ""
    for name in (_git("ls-files", "-z") or "").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return folder, commit + ("+changes" if changed else "")


def _git(*words: str) -> str | None:
    """What git says of the checkout; None where it has nothing to say."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _install_runtime(python: Path, source: Path) -> None:
    """What the game needs in the versions of constraints.txt, and the freezer; nothing else."""
    pins = str(HERE / "constraints.txt")
    _pip(python, "--constraint", pins, str(source), "pyinstaller")
    _pip(python, "--uninstall", NAME)


def _install_tools(python: Path) -> None:
    _pip(python, *TOOLS)


def _pip(python: Path, *words: str) -> None:
    deed = ["install", *words]
    if words[0] == "--uninstall":
        deed = ["uninstall", "--yes", *words[1:]]
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([str(python), "-m", "pip", *deed, *quiet], check=True)


def _freeze(python: Path, out: Path) -> None:
    shutil.rmtree(out / "frozen", ignore_errors=True)
    words = [str(python), "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "ERROR"]
    words += ["--distpath", str(out / "frozen"), "--workpath", str(out / "work")]
    subprocess.run([*words, str(HERE / f"{NAME}.spec")], check=True, cwd=out)


def _site(python: Path) -> str:
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    done = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
