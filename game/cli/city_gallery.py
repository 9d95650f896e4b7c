"""`city gallery`: the README's pictures, all by one command."""

import time
from pathlib import Path
from typing import Any

import click

from game.cli.output import emit, stderr


@click.command("gallery")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--pack", type=click.Path(path_type=Path, file_okay=False), help="Folder of a pack.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(out: Path, pack: Path | None, as_json: bool) -> None:
    """Draw ten places, the same at four times of day, and every channel into JPEG files."""
    from game.atlas.load import load
    from game.session.format import CaptureProfile
    from game.view.gallery import make

    start = time.monotonic()
    with stderr().status("drawing") as status:
        files = make(load(pack), out, CaptureProfile(), lambda name: status.update(f"{name} done"))
    data: dict[str, Any] = {
        "path": str(out),
        "files": [file.name for file in files],
        "bytes": sum(file.stat().st_size for file in files),
        "seconds": round(time.monotonic() - start, 2),
    }
    emit(as_json, data, lambda: stderr().print(f"{out}: {', '.join(data['files'])}"))
