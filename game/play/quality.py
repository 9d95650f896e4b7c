"""The server's own quality checks on this machine, before an hour of upload is refused.

Cheap ones alone: hashes, pairs, the replay, and how sharp the styled frames are. Fraud signals are
not among them; passing here promises nothing.
"""

import hashlib
import importlib.util
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from game.atlas.load import load as load_city
from game.session.format import TrackId
from game.session.protocols import Evidence
from game.session.reader import Session
from rewards.sample import sample_ticks

if TYPE_CHECKING:  # the server's parts are not in every install
    from rewards.graph import Step

SAMPLES = 6


def for_upload(folder: Path) -> tuple[list["Step"], Evidence]:
    """The checks that can run here, and what they may use of the session in `folder`."""
    from rewards.checks.integrity import integrity
    from rewards.checks.pairs import pairs
    from rewards.checks.replay import replay
    from rewards.graph import Step

    steps = [Step("integrity", integrity, stops=True), Step("pairs", pairs)]
    steps.append(Step("replay", replay, stops=True))
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
    if importlib.util.find_spec("cv2") is not None:
        from rewards.checks.blur import blur

        _with_pictures(folder, evidence)
        steps.append(Step("blur", blur))
    return steps, evidence


def _with_pictures(folder: Path, evidence: Evidence) -> None:
    """Decode the samples in a bounded child, as the server does; nothing is drawn again."""
    from rewards.checks.case import Seen
    from rewards.checks.decode import Order, decode

    with tempfile.TemporaryDirectory() as out:
        wanted: dict[int, tuple[int, ...]] = dict.fromkeys(
            (TrackId.SOURCE, TrackId.STYLED), evidence.sample_ticks
        )
        decoded = decode(Order(folder, Path(out), wanted))
        pictures = {key: picture.copy() for key, picture in decoded.pictures.items()}
    from dataclasses import replace

    evidence.memo["seen"] = Seen(replace(decoded, pictures=pictures), {}, "", False)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
