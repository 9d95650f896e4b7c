"""Rings that an earlier run left behind are swept once before the stream tests."""

import pytest

from streaming.ring import sweep


@pytest.fixture(scope="session", autouse=True)
def _swept() -> None:
    sweep()
