"""The probe's verdict: what is measured decides, and the advice names the cause."""

import dataclasses

import pytest

from streaming.gauges import Percentiles
from streaming.measure import Measured
from streaming.probe import judge

ASKED = 2_500_000
WELL = Measured(
    Percentiles(25, 60, 80), 1.0, 29.8, 300, 700, 2_000_000, 0.3, 0.2, "tiny/1",
    {"encode": 4, "uplink": 5, "backend": 6, "downlink": 5, "decode": 2}, 0.0, 8.0, 2_500_000,
)  # fmt: skip


def test_a_good_line_is_fit_and_needs_no_advice() -> None:
    report = judge(WELL, ASKED)
    assert (report.verdict, report.advice, report.slowest) == ("fit", (), "")


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        ({"line_loss": 0.03}, "usable", "cable"),
        ({"line_loss": 0.08}, "unfit", "cable"),
        ({"line_ms": 400.0}, "unfit", "nearer"),
        ({"fps": 24.0, "stages": {"backend": 40.0, "uplink": 4.0}}, "usable", "server takes"),
        ({"returned": 0.5}, "unfit", "do not come back"),
        ({"returned": 0.0}, "unfit", "not one picture"),
        ({"sending": 900_000}, "usable", "carries less"),
        ({"connect_ms": 5000.0}, "usable", "TURN"),
    ],
)
def test_each_fault_is_named(change: dict[str, object], verdict: str, words: str) -> None:
    report = judge(dataclasses.replace(WELL, **change), ASKED)  # type: ignore[arg-type]
    assert report.verdict == verdict
    assert any(words in line for line in report.advice), report.advice


def test_the_slowest_stage_is_named_only_where_the_server_tells() -> None:
    slow = {"encode": 3.0, "uplink": 40.0, "decode": 2.0}
    assert judge(dataclasses.replace(WELL, stages=slow), ASKED).slowest == ""
    told = {**slow, "backend": 5.0, "downlink": 6.0}
    assert judge(dataclasses.replace(WELL, stages=told), ASKED).slowest == "uplink"
