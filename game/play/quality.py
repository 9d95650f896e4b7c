"""The server's own quality checks on this machine, before an hour of upload is refused.

Cheap ones alone: hashes, pairs, the replay, and how sharp the styled frames are. Fraud signals are
not among them; passing here promises nothing.
"""

import hashlib
import importlib.util
import logging
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from game.atlas.load import load as load_city
from game.session.format import TrackId
from game.session.protocols import Check, Evidence
from game.session.reader import Session
from rewards.sample import sample_ticks

SAMPLES = 6
log = logging.getLogger(__name__)


def for_upload(folder: Path) -> tuple[Sequence[Check], Evidence]:
    """The checks that can run here, and what they may use of the session in `folder`."""
    steps = _steps()
    with Session.open(folder) as session:
        ticket = session.manifest.ticket
        ticks = [frame.tick for frame in session.frames(TrackId.SOURCE)]
    chosen = sample_ticks(secrets.token_bytes(16), folder.name, ticks, (), SAMPLES)
    evidence = Evidence(
        city=load_city(),
        renderer=None,
        sample_ticks=chosen,
        # whose ticket it is, the server knows; here only that nothing was changed in it since
        keys={"ticket": (str(ticket.get("key", "")),)},
        scratch=Path(tempfile.gettempdir()),
        policy="default" if ticket else "offline",
        session=folder.name,
        files={path.name: _sha256(path) for path in folder.iterdir() if path.is_file()},
    )
    if steps and importlib.util.find_spec("cv2") is not None:
        from rewards.checks.blur import blur
        from rewards.graph import Step

        _with_pictures(folder, evidence)
        steps.append(Step("blur", blur))
    return steps, evidence


def _steps() -> list[Any]:
    """Those that need nothing but the player's own install; none where even that lacks a part."""
    try:
        from rewards.checks.integrity import integrity
        from rewards.checks.pairs import pairs
        from rewards.checks.replay import replay
        from rewards.graph import Step
    except ImportError as error:
        log.warning("quality.skipped why=%s", error)
        return []
    return [
        Step("integrity", integrity, stops=True), Step("pairs", pairs),
        Step("replay", replay, stops=True),
    ]  # fmt: skip


def _with_pictures(folder: Path, evidence: Evidence) -> None:
    """Decode the samples in a bounded child, as the server does; nothing is drawn again."""
    from rewards.checks.case import Seen
    from rewards.checks.decode import Order, decode

    with tempfile.TemporaryDirectory() as out:
        asked = evidence.sample_ticks
        wanted: dict[int, tuple[int, ...]] = {TrackId.SOURCE: asked, TrackId.STYLED: asked}
        decoded = decode(Order(folder, Path(out), wanted))
        pictures = {key: picture.copy() for key, picture in decoded.pictures.items()}
    from dataclasses import replace

    evidence.memo["seen"] = Seen(replace(decoded, pictures=pictures), {}, "", False)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
