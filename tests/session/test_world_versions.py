"""A recording of an older world: it says so, and its stored states read on.

Each world version leaves a session of the small block behind, tests/golden/session-world-N.
"""

from pathlib import Path

import pytest

from game.errors import ScenarioChanged
from game.session.reader import Session
from game.session.replay import library_stage
from game.session.verify import verify
from game.world.version import WORLD_VERSION

from . import conftest as made

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("version", range(1, WORLD_VERSION))
def test_a_session_of_an_older_world_is_named_as_such_and_still_reads(version):
    with Session.open(GOLDEN / f"session-world-{version}") as session:
        report = verify(session, made.CITY, made.start_of)
        assert [(p.kind, p.tick) for p in report.problems] == [("world", 0)]
        told = f"driven in world version {version}, this build has {WORLD_VERSION}"
        assert told in report.problems[0].detail
        assert "91 stored states agree with their digests" in report.problems[0].detail
        ticks = session.ticks()
        assert (len(ticks), ticks.world_version) == (91, version)
        assert ticks[90].ego.x > ticks[0].ego.x + 5.0
        assert session.end["outcome"]["success"] is True


def test_this_world_has_its_golden_session_and_replays_it():
    """Every release leaves one: python -m tests.session.golden."""
    with Session.open(GOLDEN / f"session-world-{WORLD_VERSION}") as session:
        report = verify(session, made.CITY, made.start_of)
        assert report.ok, report.problems
        assert (report.ticks, report.digest) == (91, session.end["digest"])


def test_the_name_of_a_drive_that_nobody_knows_is_refused():
    for name in ("no-such-scenario", "free-drive@", "free-drive@Nowhere@x"):
        with pytest.raises(ScenarioChanged):
            library_stage(made.manifest_of(scenario=name), made.CITY)
