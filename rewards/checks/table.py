"""The checks of this server in the order of their cost. What stops early is a lie, not a flaw."""

from rewards.checks.blur import blur
from rewards.checks.geometry import geometry
from rewards.checks.humanity import humanity
from rewards.checks.integrity import integrity
from rewards.checks.journal import journal
from rewards.checks.pairs import pairs
from rewards.checks.replay import replay
from rewards.checks.structure import structure
from rewards.checks.temporal import temporal
from rewards.graph import Step

CHECKS: tuple[Step, ...] = (
    Step("integrity", integrity, stops=True),
    Step("pairs", pairs),
    Step("replay", replay, stops=True),
    Step("journal", journal, stops=True),
    Step("humanity", humanity),
    Step("geometry", geometry),
    Step("blur", blur),
    Step("structure", structure),
    Step("temporal", temporal),
)
