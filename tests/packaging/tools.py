"""The tools of `packaging/desktop`, which are scripts and no package, as modules for a test."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parents[2] / "packaging" / "desktop"


def load_tool(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """One of them, loaded anew; what it imports beside it is found, until the test is over."""
    monkeypatch.syspath_prepend(str(HERE))
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module
