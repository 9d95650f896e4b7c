"""The version of the world's physics and the length of its tick. Nothing here is a setting.

A recording names the world version that made it. Any change that moves a golden digest raises it.
"""

WORLD_VERSION = 2
TICK_HZ = 60
"""Ticks in one second of the world."""
DT = 1.0 / TICK_HZ
"""Length of one tick [s]. Time is never accumulated: multiply a tick by this, only to show it."""
DIGEST_TICKS = 60
"""A checkpoint digest is chained every so many ticks."""
