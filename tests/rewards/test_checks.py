"""A clean session passes every check; each way of cheating is found for its own reason."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from game.session.format import JOURNAL, TrackId
from game.session.protocols import Finding
from game.session.reader import Session
from rewards.checks import case, temporal
from rewards.checks.blur import blur
from rewards.checks.case import CannotJudge, Seen
from rewards.checks.geometry import geometry
from rewards.checks.structure import structure
from rewards.checks.table import CHECKS
from rewards.graph import Step, run_graph, run_plain
from tests.rewards import tampering
from tests.rewards.recording import Made

pytestmark = pytest.mark.render

Pictures = dict[tuple[int, int], np.ndarray]


def judge(
    made: Made, scratch: Path, renderer: object, steps: tuple[Step, ...] = CHECKS
) -> tuple[Finding, ...]:
    with Session.open(made.folder) as session:
        return run_plain(steps, session, made.evidence(scratch, renderer))


def test_a_clean_session_passes_everything(clean: Made, tmp_path: Path, renderer: object) -> None:
    findings = judge(clean, tmp_path, renderer)
    assert [finding.check for finding in findings] == [step.name for step in CHECKS]
    assert [finding.reason for finding in findings if not finding.passed] == []
    journal = next(finding for finding in findings if finding.check == "journal")
    assert journal.evidence["attested"] == 121
    assert journal.evidence["self"] == 0


def test_the_graph_and_the_plain_loop_find_the_same(
    clean: Made, tmp_path: Path, renderer: object
) -> None:
    steps = tuple(step for step in CHECKS if step.name in ("integrity", "pairs", "replay"))
    forged = clean.copy(tmp_path)
    tampering.another_wallet(forged.folder)
    for made in (clean, forged):
        evidence = made.evidence(tmp_path, renderer)
        with Session.open(made.folder) as session:
            plain, graph = (run(steps, session, evidence) for run in (run_plain, run_graph))
        assert graph == plain
        assert len(plain) == (3 if made is clean else 1), "a lie stops the rest"


def test_the_graph_raises_what_a_check_raises(clean: Made, tmp_path: Path) -> None:
    with Session.open(clean.folder) as session, pytest.raises(CannotJudge):
        run_graph(CHECKS, session, clean.evidence(tmp_path, None))


FORGERIES: list[tuple[Callable[[Path], None], str]] = [
    (tampering.another_wallet, "integrity.payee"),
    (tampering.another_wallet_in_the_ticket_too, "integrity.ticket"),
    (tampering.frame_without_its_hash, "integrity.frames"),
    (tampering.one_input, "replay.controls"),
    (tampering.collision_flag, "replay.collisions"),
    (tampering.claimed_collisions, "replay.collisions"),
    (tampering.claimed_success, "replay.outcome"),
    (tampering.forged_journal_entry, "journal.signature"),
    (tampering.missing_journal_block, "journal.chain"),
    (tampering.of_another_session, "journal.ticket"),
    (tampering.slow_motion, "journal.pace"),
    (tampering.swapped_styled_frame, "journal.styled"),
    (tampering.swapped_source_frame, "journal.source"),
]


@pytest.mark.parametrize(("forge", "reason"), FORGERIES, ids=[f.__name__ for f, _ in FORGERIES])
def test_each_forgery_is_rejected_with_its_own_reason(
    clean: Made, tmp_path: Path, renderer: object, forge: Callable[[Path], None], reason: str
) -> None:
    made = clean.copy(tmp_path)
    forge(made.folder)
    findings = judge(made, tmp_path, renderer)
    assert [finding.reason for finding in findings if not finding.passed] == [reason]
    assert findings[-1].detail


def test_a_drive_simulated_again_with_one_other_input_was_not_committed_live(
    clean: Made, tmp_path: Path, renderer: object
) -> None:
    made = clean.copy(tmp_path)
    tampering.one_input_and_every_state(made.folder, made.city)
    findings = judge(made, tmp_path, renderer)
    assert findings[2].passed, "it replays"
    assert findings[-1].reason == "journal.inputs"


def test_a_journal_signed_by_a_stranger_is_none(
    clean: Made, tmp_path: Path, renderer: object
) -> None:
    made = clean.copy(tmp_path)
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    tampering.rewritten_journal(made.folder, lambda block: None, stranger)
    assert judge(made, tmp_path, renderer)[-1].reason == "journal.signature"


def test_without_a_journal_no_pair_is_attested(
    clean: Made, tmp_path: Path, renderer: object
) -> None:
    made = clean.copy(tmp_path)
    (made.folder / JOURNAL).unlink()
    found = {finding.check: finding for finding in judge(made, tmp_path, renderer)}
    assert found["journal"].passed
    assert found["journal"].evidence == {"attested": 0, "witnessed": 0, "self": 121}


def test_files_that_were_not_announced_or_are_not_as_announced(clean: Made, tmp_path: Path) -> None:
    steps = CHECKS[:1]
    for files, reason in (
        ({**clean.evidence(tmp_path, None).files, "x": "0"}, "integrity.files"),
        (dict.fromkeys(clean.evidence(tmp_path, None).files, "0" * 64), "integrity.hash"),
    ):
        evidence = clean.evidence(tmp_path, None, files=files)
        with Session.open(clean.folder) as session:
            assert run_plain(steps, session, evidence)[0].reason == reason
    evidence = clean.evidence(tmp_path, None, session="0" * 26)
    with Session.open(clean.folder) as session:
        assert run_plain(steps, session, evidence)[0].reason == "integrity.session"


# --- what the pictures show ---------------------------------------------------------------------


def with_pictures(
    made: Made, scratch: Path, renderer: object, change: Callable[[Seen, Pictures], None]
) -> Callable[[Callable[..., Finding]], Finding]:
    """The finding of a check on the clean session with changed pictures."""
    evidence = made.evidence(scratch, renderer)
    with Session.open(made.folder) as session:
        views = case.seen(session, evidence)
    pictures = dict(views.decoded.pictures)
    change(views, pictures)
    changed = replace(views, decoded=replace(views.decoded, pictures=pictures))

    def run(check: Callable[..., Finding]) -> Finding:
        with Session.open(made.folder) as session:
            return check(session, replace(evidence, memo={**evidence.memo, "seen": changed}))

    return run


def test_styled_frames_that_stand_still_are_found(
    clean: Made, tmp_path: Path, renderer: object
) -> None:
    def change(views: Seen, pictures: Pictures) -> None:
        styled = sorted(key for key in pictures if key[0] == TrackId.STYLED)
        pictures.update(dict.fromkeys(styled, pictures[styled[0]]))

    finding = with_pictures(clean, tmp_path, renderer, change)(temporal.temporal)
    assert finding.reason == "temporal.frozen"


def restyle(make: Callable[[np.ndarray, int], np.ndarray]) -> Callable[[Seen, Pictures], None]:
    def change(views: Seen, pictures: Pictures) -> None:
        for n, (track, tick) in enumerate(sorted(pictures)):
            if track == TrackId.STYLED:
                pictures[track, tick] = make(pictures[track, tick], n)

    return change


@pytest.mark.parametrize(
    ("check", "make", "reason"),
    [
        (blur, lambda p, n: cv2.GaussianBlur(p, (0, 0), 3), "blur.soft"),
        (structure, lambda p, n: np.ascontiguousarray(p[:, ::-1]), "structure.invented"),
        (structure, lambda p, n: np.full_like(p, 90), "structure.missing"),
        (
            structure,
            lambda p, n: np.where(np.indices(p.shape).sum(0) // 24 % 2 == 0, p, p // 2),
            "structure.invented",
        ),
        (temporal.temporal, lambda p, n: np.clip(p * (0.7 if n % 2 else 1.0), 0, 255).astype(
            np.uint8), "temporal.flicker"),
    ],
    ids=["blurred", "flipped", "blank", "invented", "flicker"],
)  # fmt: skip
def test_bad_styled_frames_are_found(
    clean: Made,
    tmp_path: Path,
    renderer: object,
    check: Callable[..., Finding],
    make: Callable[[np.ndarray, int], np.ndarray],
    reason: str,
) -> None:
    finding = with_pictures(clean, tmp_path, renderer, restyle(make))(check)
    assert finding.reason == reason


def test_a_source_frame_without_the_oncoming_car_is_found(
    clean: Made, tmp_path: Path, renderer: Callable[..., object]
) -> None:
    def change(views: Seen, pictures: Pictures) -> None:
        with Session.open(clean.folder) as session:
            resim = case.resim(session, clean.evidence(tmp_path, renderer))
            profile = session.manifest.capture
        drawn = renderer(clean.city, profile)
        for tick, state in resim.states.items():
            empty = replace(state, actors=())
            got = drawn.render(empty, ("colour",), profile.width, profile.height)  # type: ignore[attr-defined]
            pictures[TrackId.SOURCE, tick] = got["colour"]

    finding = with_pictures(clean, tmp_path, renderer, change)(geometry)
    assert finding.reason == "geometry.differs"


def test_exact_motion_carries_the_source_onto_itself(
    clean: Made, tmp_path: Path, renderer: object
) -> None:
    """And the pose turned round does not: the direction of the pose matters."""
    evidence = clean.evidence(tmp_path, renderer)
    with Session.open(clean.folder) as session:
        views, profile = case.seen(session, evidence), session.manifest.capture
    lens = temporal.Lens.of(profile)
    right, wrong, still = [], [], []
    for tick, now in sorted(views.rendered.items()):
        before = views.rendered.get(tick - profile.every_ticks)
        if before is None:
            continue
        moved = temporal.motion(before, now, lens)
        back = temporal.motion(replace(before, pose=now.pose), replace(now, pose=before.pose), lens)
        right.append(moved.error(before.colour, now.colour))
        wrong.append(replace(back, counts=moved.counts).error(before.colour, now.colour))
        apart = np.abs(before.colour.astype(int) - now.colour).mean(axis=2)
        still.append(float(apart[moved.counts].mean()))
    fast = slice(0, 3)  # later the car waits at a light
    assert sum(right[fast]) < 0.7 * sum(still[fast])
    assert sum(right[fast]) < 0.6 * sum(wrong[fast])
