"""Signs the announcement that `scale-diffusion update` reads, for the files of one or more builds.

python packaging/desktop/release.py --key release.key --out release.json DIST/*.deb DIST/*.zip ...
python packaging/desktop/release.py --new-key release.key     (prints the public half, for builds)
Keep the key off the machine that serves the files. Needs the game's own environment.
"""

import argparse
import hashlib
import os
import re
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.update.manifest import Release, ReleaseFile, public_hex, read, sign

_NAMED = re.compile(r"scale-diffusion[-_](?P<version>\d[\d.]*\d)[-_](?P<platform>[a-z0-9_-]+?)\.")


def main() -> int:
    """Make a key, or sign a release."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--new-key", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--out", type=Path, default=Path("release.json"))
    parser.add_argument("--notes", default="")
    parser.add_argument("--days", type=int, default=90, help="how long it is believed")
    options = parser.parse_args()
    if options.new_key:
        print(public_hex(new_key(options.new_key)))
        return 0
    if not options.key or not options.files:
        parser.error("give --key and the files of the release")
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(options.key.read_text().strip()))
    text = announce(options.files, key, options.notes, int(time.time()), options.days)
    options.out.write_text(text, encoding="utf-8")
    print(public_hex(key))
    return 0


def new_key(path: Path) -> Ed25519PrivateKey:
    """A fresh key in a file that its owner alone may read. Never overwrites one."""
    key = Ed25519PrivateKey.generate()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key.private_bytes_raw().hex() + "\n")
    return key


def announce(files: list[Path], key: Ed25519PrivateKey, notes: str, now_s: int, days: int) -> str:
    """The signed text. The version is that of the files' names, which must agree."""
    listed, versions = [], set()
    for path in files:
        named = _NAMED.match(path.name)
        if named is None:
            raise SystemExit(f"release: {path.name} is not named scale-diffusion-VERSION-PLATFORM")
        versions.add(named["version"])
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        platform = "linux-x86_64" if named["platform"] == "amd64" else named["platform"]
        listed.append(ReleaseFile(platform, path.name, path.stat().st_size, digest))
    if len(versions) != 1:
        raise SystemExit(f"release: files of several versions: {', '.join(sorted(versions))}")
    release = Release(versions.pop(), now_s, now_s + days * 86400, notes, tuple(listed))
    text = sign(release, key)
    read(text.encode(), (public_hex(key),), now_s)  # what is published can be read
    return text


if __name__ == "__main__":
    sys.exit(main())
