"""What visitors agreed to arrives, through failures and restarts; the code itself never leaves."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.kiosk.code import hashed, new_code
from game.kiosk.courier import Courier, CourierConfig, device_key, public_of
from game.kiosk.spool import Slip, Spool
from game.outbox.job import Job, JobStore, State
from game.session.ids import new_id
from tests.rewards.test_kiosk import Place, place, served

pytestmark = pytest.mark.network
FILM = b"\0\0\0\x18ftypmp42" + bytes(900)
__all__ = ["place", "served"]


@pytest.fixture
def courier(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Courier:
    """An enrolled kiosk whose clips are made of nothing."""
    place.kiosks.enrolled.enrol(public_of(device_key(tmp_path)), "hall", 10)

    def film(_session: object, _at_s: float, _seconds: float, out: Path) -> int:
        out.write_bytes(FILM)
        return 1

    monkeypatch.setattr("game.kiosk.courier.clips.write", film)
    monkeypatch.setattr("game.kiosk.courier.Session.open", lambda _: _Opened())
    config = CourierConfig(tmp_path, place.url, 8.0)
    return Courier(config, now=lambda: place.clock[0])


class _Opened:
    """A session long enough for a clip."""

    class manifest:
        tick_hz = 60

    def __enter__(self) -> "_Opened":
        return self

    def __exit__(self, *_: object) -> None: ...

    def ticks(self) -> range:
        return range(1200)


def _slip(place: Place, root: Path, code: str) -> Slip:
    """A drive that was handed in and has arrived at the service."""
    session = new_id()
    folder = root / "handin" / session
    folder.mkdir(parents=True)
    (folder / "end.json").write_text("{}")
    JobStore(root / "outbox").put(Job(session, str(folder), State.DONE))
    now = int(place.clock[0])
    claim = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    slip = Slip(session, hashed(code), claim, now, now + 86400)
    Spool(root).add(slip)
    return slip


def test_code_and_clip_arrive_and_the_kiosk_keeps_nothing(
    place: Place, courier: Courier, tmp_path: Path
) -> None:
    code = new_code()
    _slip(place, tmp_path, code)
    for _ in range(6):
        courier.step()
    assert place.kiosks.look(code, "visitor")["clip"] is True
    assert place.kiosks.clip(code, "visitor") == FILM
    left = [p for name in ("slips", "handin", "outbox") for p in (tmp_path / name).iterdir()]
    assert left == []


def test_a_service_that_is_away_is_asked_again_later(
    place: Place, courier: Courier, tmp_path: Path
) -> None:
    slip = _slip(place, tmp_path, code := new_code())
    away = Courier(CourierConfig(tmp_path, "http://127.0.0.1:9", 8.0), lambda: place.clock[0])
    away.step()
    (waiting,) = Spool(tmp_path).slips()
    assert (waiting.registered, waiting.tries) == (False, 1)
    assert waiting.due_s > place.clock[0]
    assert (tmp_path / "handin" / slip.session).is_dir()
    place.clock[0] += 600
    courier.step()
    assert place.kiosks.look(code, "visitor")["state"] == "waiting"


def test_a_kiosk_that_is_not_enrolled_keeps_its_slips(place: Place, tmp_path: Path) -> None:
    stranger = Courier(CourierConfig(tmp_path, place.url, 8.0), lambda: place.clock[0])
    _slip(place, tmp_path, new_code())
    stranger.step()
    (waiting,) = Spool(tmp_path).slips()
    assert "not enrolled" in waiting.reason


def test_a_refused_code_is_not_asked_for_ever(
    place: Place, courier: Courier, tmp_path: Path
) -> None:
    slip = _slip(place, tmp_path, new_code())
    Spool(tmp_path).add(replace(slip, ends_s=slip.made_s - 1))
    for _ in range(4):
        courier.step()
    assert list(Spool(tmp_path).slips()) == []


def test_a_recording_that_a_crash_left_without_a_job_is_taken_up(
    place: Place, courier: Courier, tmp_path: Path
) -> None:
    session = new_id()
    (tmp_path / "handin" / session).mkdir(parents=True)
    (tmp_path / "handin" / session / "end.json").write_text("{}")
    courier.step()
    job = JobStore(tmp_path / "outbox").get(session)
    assert job is not None
    assert job.state is State.QUEUED


def test_a_recording_stays_until_the_server_has_it(
    place: Place, courier: Courier, tmp_path: Path
) -> None:
    slip = _slip(place, tmp_path, new_code())
    jobs = JobStore(tmp_path / "outbox")
    jobs.put(Job(slip.session, str(tmp_path / "handin" / slip.session), State.UPLOADING))
    for _ in range(5):
        courier.step()
        place.clock[0] += 3
    assert (tmp_path / "handin" / slip.session).is_dir()
    jobs.put(Job(slip.session, str(tmp_path / "handin" / slip.session), State.DONE))
    for _ in range(3):
        courier.step()
        place.clock[0] += 3
    assert not (tmp_path / "handin" / slip.session).exists()


def test_the_device_key_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    key = device_key(tmp_path)
    assert public_of(device_key(tmp_path)) == public_of(key)
    assert (tmp_path / "device.key").stat().st_mode & 0o077 == 0
    shutil.rmtree(tmp_path)
    assert public_of(device_key(tmp_path)) != public_of(key)
