"""One clean session for all tests of this folder, and one renderer."""

from collections.abc import Iterator

import pytest

from rewards.renderers import KeptRenderer
from tests.rewards.recording import Made, make


@pytest.fixture(scope="session")
def renderer() -> Iterator[KeptRenderer]:
    from game.view.renderer import make_renderer

    kept = KeptRenderer(make_renderer)
    yield kept
    kept.close()


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory, renderer: KeptRenderer) -> Made:
    """Eight seconds of an honest drive. Copy it before changing anything."""
    return make(tmp_path_factory.mktemp("clean"), renderer, side=240, every=4)
