"""Somebody else's driver, given as 'package.module:Class'. Owns how it is found and called.

The class is called with (stage, city) and needs `controls(state) -> Controls`; `name` is optional.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

from game.world.city import City
from game.world.controls import Controls
from game.world.state import WorldState
from scenarios.driver import Driver, DriverFactory
from scenarios.errors import DriverUnknown
from scenarios.spawn import Stage


class _Named:
    """A driver of somebody else's, with a name where it has none."""

    def __init__(self, driver: Any, name: str) -> None:
        self._driver = driver
        self.name = str(getattr(driver, "name", name))

    def controls(self, state: WorldState) -> Controls:
        """What it does in the tick that follows `state`."""
        given = self._driver.controls(state)
        if not isinstance(given, Controls) or not given.is_valid():
            raise DriverUnknown(self.name, (), f"its controls() gave {given!r}, no valid Controls")
        return given


def plugged(spec: str) -> DriverFactory:
    """The factory of 'package.module:Class'. Raises DriverUnknown where there is none such."""
    module_name, _, class_name = spec.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # the installed command does not look into the current folder
    try:
        made = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as wrong:
        raise DriverUnknown(spec, (), str(wrong)) from wrong
    if not callable(made):
        raise DriverUnknown(spec, (), f"{class_name} cannot be called with (stage, city)")

    def factory(stage: Stage, city: City) -> Driver:
        return _Named(made(stage, city), spec)

    return factory
