"""What feeds the state or decides an outcome uses + - * / and sqrt alone, like the world."""

from pathlib import Path

import pytest

from tests.world.test_purity import offences

FOLDER = Path(__file__).parents[2] / "scenarios"
EXACT = ("trajectory", "place", "spawn", "criticality", "expect", "road", "forecast", "plan")
EXACT += ("driver", "run", "law", "roadway", "encroach", "measures")


@pytest.mark.parametrize("name", EXACT)
def test_the_file_leaves_no_bit_to_the_machine(name: str) -> None:
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    assert offences(source, world=False) == []
