"""Writes the golden session of this world version: run it once for a release, then never again.

python -m tests.session.golden
"""

import sys
import tempfile
from pathlib import Path

from game.session.writer import SessionWriter
from game.world.step import step
from game.world.version import WORLD_VERSION

from . import conftest as made

FOLDER = Path(__file__).parents[1] / "golden" / f"session-world-{WORLD_VERSION}"
TICKS = 90


def main() -> None:
    """Record the small block once more, unless this version has its session already."""
    if FOLDER.exists():
        sys.exit(f"{FOLDER} is there; a changed golden session is a new world version")
    with tempfile.TemporaryDirectory() as root:
        manifest = made.manifest_of()
        writer = SessionWriter.create(Path(root), manifest, now_ns=lambda: 1)
        state = made.start_of(manifest, made.CITY).state
        writer.tick(state)
        for tick in range(TICKS):
            state = step(made.CITY, state, made.driven(tick))
            writer.tick(state)
        writer.finish({"success": True, "collisions": state.collisions})
        FOLDER.mkdir(parents=True)
        for path in sorted(writer.folder.iterdir()):
            (FOLDER / path.name).write_bytes(path.read_bytes())


if __name__ == "__main__":
    main()
