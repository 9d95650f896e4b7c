"""A visitor's folder, code and screen: wiped, unguessable, calm."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from game.kiosk.code import LENGTH, LETTERS, address, grouped, hashed, new_code, picture
from game.kiosk.flash import BRIGHT, SWING, FlashGuard, luminance
from game.kiosk.visit import Visit, wipe_all
from rewards.kiosk import CODE, code_hash

SESSION = "01M82WCQG7DCEG22SXPDZ7E28Z"


def test_a_wipe_leaves_nothing_of_the_visit(tmp_path: Path) -> None:
    visit = Visit(tmp_path)
    deep = visit.folder / "sessions" / SESSION
    deep.mkdir(parents=True)
    (deep / "inputs.jsonl").write_text("secret")
    (visit.folder / "link").symlink_to(tmp_path)
    visit.wipe()
    assert list((tmp_path / "visits").iterdir()) == []
    assert tmp_path.is_dir()  # a link is unlinked, never followed


def test_what_a_crash_left_is_wiped_before_the_next_visitor(tmp_path: Path) -> None:
    for _ in range(3):
        (Visit(tmp_path).folder / "file").write_text("left")
    assert wipe_all(tmp_path) == 3
    assert wipe_all(tmp_path) == 0


def test_only_a_recording_of_the_visit_is_handed_in(tmp_path: Path) -> None:
    visit, other = Visit(tmp_path), Visit(tmp_path)
    theirs = other.folder / SESSION
    theirs.mkdir()
    for wrong in (theirs, visit.folder / "x", visit.folder / ".." / SESSION):
        with pytest.raises(ValueError, match="no recording of this visit"):
            visit.hand_in(wrong)
    mine = visit.folder / "sessions" / SESSION
    mine.mkdir(parents=True)
    handed = visit.hand_in(mine)
    visit.wipe()
    assert handed == tmp_path / "handin" / SESSION
    assert handed.is_dir()


def test_a_code_is_what_the_service_takes_and_has_more_than_80_bits() -> None:
    code = new_code()
    assert CODE.fullmatch(code)
    assert LENGTH * np.log2(len(LETTERS)) >= 80
    assert hashed(grouped(code).lower().replace("0", "o")) == code_hash(code)
    assert hashed(code) == hashlib.sha256(code.encode()).hexdigest()
    assert len({new_code() for _ in range(1000)}) == 1000


def test_a_phone_reads_the_qr_code() -> None:
    text = address("https://rewards.example.org/", new_code())
    drawn = picture(text)
    assert drawn[0, 0].tolist() == [255, 255, 255, 255]
    read, *_ = cv2.QRCodeDetector().detectAndDecode(np.ascontiguousarray(drawn[..., :3]))
    assert read == text


def _flat(value: int) -> np.ndarray:
    return np.full((64, 64, 4), value, np.uint8)


def _flashes(values: list[float]) -> int:
    """Pairs of opposing changes in one second of luminances, counted from scratch."""
    turn, way, changes = values[0], 0, 0
    for value in values[1:]:
        if abs(value - turn) >= SWING and min(value, turn) < BRIGHT and (value > turn) != (way > 0):
            changes, turn, way = changes + 1, value, 1 if value > turn else -1
        elif (way > 0 and value > turn) or (way < 0 and value < turn):
            turn = value
    return changes // 2


@pytest.mark.parametrize("hertz", [5, 10, 15])
def test_no_second_has_more_than_three_flashes(hertz: int) -> None:
    guard, shown = FlashGuard(), []
    for frame in range(150):  # five seconds at 30 a second, black and white in turns
        bright = (frame * hertz * 2 // 30) % 2
        shown.append(luminance(guard.tame(_flat(255 * bright), frame * 1000 // 30)))
    for start in range(120):
        assert _flashes(shown[start : start + 30]) <= 3
    assert guard.held > 0
    plain = [luminance(_flat(255 * ((f * hertz * 2 // 30) % 2))) for f in range(30)]
    assert _flashes(plain) > 3  # without it there would have been


def test_a_calm_film_passes_untouched() -> None:
    guard = FlashGuard()
    for frame in range(300):
        picture = _flat(100 + frame % 20)
        assert guard.tame(picture, frame * 33) is picture
    cut = _flat(250)
    assert guard.tame(cut, 300 * 33) is cut  # one cut is no flashing
    assert guard.held == 0
