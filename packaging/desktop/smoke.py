"""Installs a Linux package into a bare root file system, drives ten seconds there, headless, films
a failed scenario, and lets two visitors come to a kiosk.

python packaging/desktop/smoke.py PACKAGE [--root DIR] [--suite bookworm]   (as root, on Debian)
Makes the root with debootstrap unless DIR is one already; works in a copy of it, which it removes.
PACKAGE: the .deb, installed with apt, or the .tar.gz, unpacked. Plays as an unprivileged user.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAME = "scale-diffusion"
_QUIET = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
_PLAY = "play --bot --scenario busy-intersection --seconds 10 --drives 1 --seed 7 --json"
_KIOSK = (
    "--set stream.backend=filter --set play.city=light kiosk soak --visitors 2 --kills 0 --json"
)


def main() -> int:
    """Install, look, drive, verify; 0 when all of it worked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=Path)
    parser.add_argument("--root", type=Path, help="a root to copy; made when it is not there")
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--keep", action="store_true", help="leave the used root for a look")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("smoke: chroot needs root", file=sys.stderr)
        return 2
    if shutil.which("debootstrap") is None:
        print("smoke: debootstrap is missing: apt-get install debootstrap", file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory(prefix="scale-diffusion-smoke-") as scratch:
        bare = options.root or Path(scratch) / "bare"
        if not (bare / "bin" / "sh").exists():
            run(["debootstrap", "--variant=minbase", options.suite, str(bare)])
        used = Path(scratch) / "used"
        run(["cp", "-a", "--reflink=auto", str(bare), str(used)])
        told = prove(used, options.package)
        if options.keep:
            shutil.move(str(used), tempfile.gettempdir())
    told["package"] = options.package.name
    told["suite"] = options.suite
    print(json.dumps(told))
    return 0 if told["ok"] else 1


def prove(root: Path, package: Path) -> dict[str, object]:
    """Every step with its seconds; `ok` says whether all came out well."""
    told: dict[str, object] = {}
    started = time.monotonic()
    program = install(root, package)
    told["install_s"] = round(time.monotonic() - started, 1)
    told["version"] = inside(root, [program, "--version"]).stdout.strip()
    doctor = timed(told, "doctor_s", root, [program, "doctor", "--json"])
    told["renderer"] = _answer(doctor, "renderer")
    window = ["--set", "play.window=offscreen", "--set", "rewards.url=off"]
    played = timed(told, "play_s", root, [program, *window, *_PLAY.split()])
    told["drives"] = played.get("drives", 0)
    sessions = played.get("sessions") or [""]
    verified = timed(told, "verify_s", root, [program, "session", "verify", "last", "--json"])
    told |= {key: verified.get(key) for key in ("session", "ticks", "pairs", "digest")}
    told["problems"] = verified.get("problems", ["no answer"])
    told["qa_s"], told["film_bytes"] = film_a_failure(root, program)
    visited = timed(told, "kiosk_s", root, [program, *_KIOSK.split()])
    told["visitors"], told["traces"] = visited.get("visitors", 0), visited.get("traces", ["?"])
    told["left_behind"] = processes_of(root)
    told["ok"] = bool(
        doctor.get("ok")
        and told["drives"] == 1
        and verified.get("ok")
        and verified.get("session") == sessions[-1]
        and verified.get("ticks", 0) >= 590
        and told["film_bytes"]
        and told["visitors"] == 2
        and not told["traces"]
        and not told["left_behind"]
    )
    return told


def film_a_failure(root: Path, program: str) -> tuple[float, int]:
    """A scenario that fails, with JUnit and film, as in a container; seconds, bytes of the film."""
    started = time.monotonic()
    words = "scenario run road-debris --driver idle --junit /tmp/out.xml --render /tmp/films"
    done = inside(root, [program, *words.split()])
    films = list((root / "tmp" / "films").glob("*.mp4"))
    good = done.returncode == 1 and (root / "tmp" / "out.xml").is_file()
    size = sum(film.stat().st_size for film in films) if good else 0
    return round(time.monotonic() - started, 1), size


def install(root: Path, package: Path) -> str:
    """Put the package into the root; returns the command that starts it."""
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    shutil.copyfile("/etc/resolv.conf", root / "etc" / "resolv.conf")
    shutil.copyfile(package, root / "opt" / package.name)
    inside(root, [*_QUIET, "update"], user="root", check=True, environment=environment)
    wanted = [f"/opt/{package.name}"] if package.suffix == ".deb" else ["libgl1", "libegl1"]
    words = [*_QUIET, "install", "-y", "--no-install-recommends", *wanted]
    inside(root, words, user="root", check=True, environment=environment)
    if package.suffix == ".deb":
        return NAME
    words = ["tar", "-xzf", f"/opt/{package.name}", "-C", "/opt"]
    inside(root, words, user="root", check=True)
    return f"/opt/{NAME}/{NAME}"


def inside(
    root: Path,
    words: list[str],
    user: str = "nobody",
    check: bool = False,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run in the root with /proc and a shared memory of its own, and almost no environment."""
    given = {"HOME": "/tmp", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    env = [f"{k}={v}" for k, v in {**given, **(environment or {})}.items()]
    script = (
        f'mount -t proc proc "{root}/proc" && mount -t tmpfs -o mode=1777 tmpfs "{root}/dev/shm" '
        f'&& exec chroot --userspec={user} "{root}" env -i "$@"'
    )
    (root / "dev" / "shm").mkdir(exist_ok=True)
    call = ["unshare", "--mount", "sh", "-c", script, "sh", *env, *words]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        print(
            f"smoke: {' '.join(words)}: {done.returncode}\n{done.stderr[-3000:]}", file=sys.stderr
        )
        if check:
            raise SystemExit(1)
    return done


def timed(told: dict[str, object], name: str, root: Path, words: list[str]) -> dict[str, object]:
    """Run a command of the program and read its JSON line; {} where it gave none."""
    started = time.monotonic()
    done = inside(root, words)
    told[name] = round(time.monotonic() - started, 1)
    try:
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def processes_of(root: Path) -> list[int]:
    """Processes that still live in the root: there should be none."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.readlink(entry / "root") == str(root):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def run(words: list[str]) -> None:
    """Run and stop on failure."""
    subprocess.run(words, check=True, stdout=sys.stderr)


def _answer(doctor: dict[str, object], name: str) -> str:
    answers = doctor.get("answers")
    for each in answers if isinstance(answers, list) else []:
        if each["name"] == name:
            return str(each["detail"])
    return ""


if __name__ == "__main__":
    sys.exit(main())
