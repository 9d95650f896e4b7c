"""A long stream stays as large, as fast and as sound as a short one."""

import statistics
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the diffusion extra is not installed")

from streaming.diffusion.wan import endure as module  # noqa: E402
from streaming.diffusion.wan.endure import endure, soundness  # noqa: E402
from streaming.diffusion.wan.engine import Engine  # noqa: E402
from streaming.diffusion.wan.rig import Rig  # noqa: E402
from tests.streaming.diffusion.wan.folder import write_folder  # noqa: E402


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    torch.set_num_threads(1)
    return Rig(write_folder(tmp_path, width=16, height=16), "cpu")


def test_the_memory_is_sound_and_no_position_is_lost(rig: Rig) -> None:
    rows, end = endure(rig, 0.05, lambda row: None)
    assert end.faults == ()
    assert end.shifted < 1e-4
    assert rows[-1].frames >= 90
    assert end.latent == rows[-1].latent == (rows[-1].frames - 1) // 4


def test_the_style_may_change_inside_a_chunk(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURNS", 6)
    rows, end = endure(rig, 0.02, lambda row: None)
    assert (rows[-1].frames, end.faults) == (37, ())


def test_control_faults_are_seen(rig: Rig) -> None:
    engine = Engine(rig)
    engine._thread = engine  # type: ignore[assignment]
    lane = engine.open(lambda: None)
    painter = lane.stream.painter
    painter.prompt = rig.model.prompt(rig.embedding("", "day"))
    for _ in range(40):
        lane.stream.painter.paint(torch.randn(16, 1, 2, 2), 0.4, None)
    assert soundness(rig, lane).faults == ()
    painter.cache.slots[0].held[2] -= 7
    assert "rolling slots" in soundness(rig, lane).faults[0]
    painter.cache.slots[0].held[2] += 7
    painter.cache.keys[0, 0, 0, 0, 0] = float("nan")
    assert any("not finite" in fault for fault in soundness(rig, lane).faults)


@pytest.mark.slow
def test_an_hour_is_flat(rig: Rig) -> None:
    rows, end = endure(rig, 60, lambda row: None)
    assert end.faults == ()
    assert end.latent > 26_000
    early, late = rows[2:12], rows[-10:]
    memory = [statistics.median(r.memory_mb for r in part) for part in (early, late)]
    assert memory[1] < memory[0] + 8
    chunk = [statistics.median(r.cpu_ms_p50 for r in part) for part in (early, late)]
    assert chunk[1] < 1.3 * chunk[0]
