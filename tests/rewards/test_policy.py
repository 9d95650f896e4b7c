"""The amount: exact integers, one floor, nothing for those whom a policy does not pay."""

from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards import policy
from rewards.errors import PolicyInvalid, VerdictInvalid
from rewards.model import Measure, Verdict

DEMO, DEFAULT = policy.load("demo"), policy.load("default")
PLAIN: dict[str, Measure] = {
    "pairs_attested": 900,
    "pairs_witnessed": 0,
    "pairs_self": 0,
    "difficulty_milli": 1000,
    "quality_milli": 1000,
    "success": True,
    "collisions": 0,
    "driver": "human",
    "backend": "tiny",
}


def verdict(rules: policy.Policy = DEMO, **changed: Measure) -> Verdict:
    measures = PLAIN | changed
    return Verdict("s", "accepted", rules.name, rules.version, payee="w", measures=measures)


def test_attested_pairs_pay_their_rate() -> None:
    assert policy.amount(verdict(), DEMO) == 900 * 5_000
    assert policy.amount(verdict(DEFAULT), DEFAULT) == 900 * 1_000


def test_self_made_pairs_pay_nothing_and_witnessed_ones_less() -> None:
    assert policy.amount(verdict(pairs_attested=0, pairs_self=900), DEMO) == 0
    assert policy.amount(verdict(pairs_attested=0, pairs_witnessed=900), DEMO) == 900 * 1_000


def test_failure_halves_and_each_collision_takes_a_tenth_up_to_three() -> None:
    assert policy.amount(verdict(success=False), DEMO) == 900 * 5_000 // 2
    assert policy.amount(verdict(collisions=1), DEMO) == 900 * 5_000 * 9 // 10
    assert policy.amount(verdict(collisions=3), DEMO) == 900 * 5_000 * 729 // 1000
    assert policy.amount(verdict(collisions=99), DEMO) == 900 * 5_000 * 729 // 1000


def test_the_cap_holds() -> None:
    assert policy.amount(verdict(pairs_attested=10**9), DEMO) == DEMO.rates.cap_per_session


def test_the_default_policy_pays_no_bot_and_no_filter() -> None:
    assert policy.amount(verdict(DEFAULT, driver="bot"), DEFAULT) == 0
    assert policy.amount(verdict(DEFAULT, backend="filter"), DEFAULT) == 0
    assert policy.amount(verdict(DEMO, driver="bot", backend="filter"), DEMO) == 900 * 5_000


def test_a_rejected_session_is_worth_nothing() -> None:
    assert policy.amount(replace(verdict(), decision="rejected"), DEMO) == 0


def test_the_demo_policy_is_for_the_local_devnet_and_says_what_it_skips() -> None:
    assert DEMO.clusters == ("local",)
    assert any("humanity" in note for note in DEMO.says())
    assert any("near-duplicate" in note for note in DEMO.says())


@given(
    pairs=st.integers(0, 10**6),
    difficulty=st.integers(0, 3000),
    quality=st.integers(0, 1000),
    collisions=st.integers(0, 5),
    success=st.booleans(),
)
def test_one_floor_and_it_is_last(
    pairs: int, difficulty: int, quality: int, collisions: int, success: bool
) -> None:
    exact = Fraction(pairs * DEMO.rates.per_attested_pair)
    exact *= Fraction(difficulty, 1000) * Fraction(quality, 1000)
    exact *= 1 if success else Fraction(DEMO.rates.failed_milli, 1000)
    exact *= Fraction(DEMO.rates.collision_milli, 1000) ** min(collisions, 3)
    found = policy.amount(
        verdict(
            pairs_attested=pairs,
            difficulty_milli=difficulty,
            quality_milli=quality,
            collisions=collisions,
            success=success,
        ),
        DEMO,
    )
    assert found == min(DEMO.rates.cap_per_session, floor(exact))


def test_a_verdict_of_another_policy_version_has_no_amount() -> None:
    with pytest.raises(VerdictInvalid, match="judged under demo 1"):
        policy.amount(verdict(), replace(DEMO, version=2))


@pytest.mark.parametrize("value", [-1, True, "900"])
def test_a_measure_that_is_no_count_is_refused(value: Measure) -> None:
    with pytest.raises(VerdictInvalid, match="pairs_attested"):
        policy.amount(verdict(pairs_attested=value), DEMO)


def test_floats_never_enter_a_verdict() -> None:
    with pytest.raises(ValueError, match="only int, str and bool"):
        Verdict("s", "accepted", "demo", 1, measures={"pairs_attested": 1.5})  # type: ignore[dict-item]


def test_a_policy_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    text = (policy.BUNDLED / "demo.toml").read_text()
    file = tmp_path / "odd.toml"
    file.write_text(text.replace("per_self_pair", "per_selfie"))
    with pytest.raises(PolicyInvalid, match="per_selfie"):
        policy.load(str(file))
    with pytest.raises(PolicyInvalid, match="bundled are daily, default, demo"):
        policy.load("none")
