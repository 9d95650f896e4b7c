"""What light and air a capture profile stands for: sun, sky, haze, lamps, wetness.

A table of hours and one of weathers; a function of the profile alone, never of a clock.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians, sin

from game.session.format import CaptureProfile

Rgb = tuple[float, float, float]
_LAMPS_FROM = 0.25  # share of the night from which lamps and windows are lit


@dataclass(frozen=True, slots=True)
class Hour:
    """A row of the day: the sun's azimuth (from east) and height [degree], light by kind, night.

    sun, fill: colour and strength of direct and of scattered light; low, high: the sky at the
    horizon and overhead; night: 0 by day, 1 in the dark.
    """

    hour: float
    azimuth: float
    height: float
    sun: Rgb
    fill: Rgb
    low: Rgb
    high: Rgb
    night: float


_NIGHT = (0.0, 0.0, 0.0), (0.105, 0.115, 0.165), (0.115, 0.115, 0.155), (0.018, 0.026, 0.062)
_DAY = [
    Hour(0.0, -100, 40, *_NIGHT, 1.0),
    Hour(5.2, 10, 4, *_NIGHT, 1.0),
    Hour(6.2, 2, 5, (0.30, 0.16, 0.08), (0.30, 0.29, 0.34), (0.86, 0.60, 0.47),
         (0.22, 0.30, 0.52), 0.35),
    Hour(8.0, -8, 24, (0.76, 0.60, 0.42), (0.46, 0.48, 0.52), (0.88, 0.85, 0.80),
         (0.30, 0.50, 0.80), 0.0),
    Hour(13.0, -47, 47, (0.76, 0.69, 0.58), (0.48, 0.51, 0.55), (0.81, 0.86, 0.90),
         (0.23, 0.45, 0.79), 0.0),
    Hour(17.0, -140, 22, (0.80, 0.58, 0.36), (0.45, 0.46, 0.51), (0.90, 0.83, 0.74),
         (0.29, 0.47, 0.76), 0.0),
    Hour(18.6, -158, 7, (0.46, 0.24, 0.10), (0.33, 0.31, 0.36), (0.95, 0.64, 0.42),
         (0.24, 0.32, 0.56), 0.30),
    Hour(19.4, -168, 3, (0.12, 0.05, 0.03), (0.215, 0.20, 0.27), (0.66, 0.37, 0.33),
         (0.10, 0.13, 0.31), 0.65),
    Hour(20.6, -175, 3, *_NIGHT, 1.0),
    Hour(24.0, -175, 3, *_NIGHT, 1.0),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Air:
    """A row of weathers: shares of the clear day's sun and fill, how grey, haze, cloud, wetness.

    haze: how much sooner things fade than on a clear day; dense: fog [1 / 100 m, in powers of 2].
    """

    sun: float
    fill: float
    grey: float
    haze: float
    dense: float
    cloud: float
    wet: float


_WEATHER = {
    "clear": Air(1.0, 1.0, 0.0, 1.0, 0.0, 0.45, 0.0),
    "overcast": Air(0.10, 1.08, 0.85, 1.5, 0.06, 0.0, 0.0),
    "rain": Air(0.04, 0.88, 0.90, 2.2, 0.30, 0.0, 1.0),
    "fog": Air(0.06, 1.05, 0.92, 1.0, 1.9, 0.0, 0.25),
}


@dataclass(frozen=True, slots=True)
class Look:
    """The light of one profile. toward: unit vector to the sun; glow: of street lamps."""

    toward: Rgb
    sun: Rgb
    fill: Rgb
    low: Rgb
    high: Rgb
    glow: Rgb
    haze: tuple[float, float, float]  # of distance to the power of 2, 6 and 1 [1/m^n]
    night: float
    wet: float
    cloud: float
    context: int = 0  # number of the graphics context that it is drawn in

    @property
    def features(self) -> tuple[str, ...]:
        """What the shaders are to define: NIGHT, WET, which context they are for, and LIGHT."""
        named = (("NIGHT", self.night >= _LAMPS_FROM), ("WET", self.wet > 0.5),
                 (f"CONTEXT_{self.context}", self.context > 0))  # fmt: skip
        return *(name for name, on in named if on), f"LIGHT {self._light()}"

    @property
    def mirror(self) -> Rgb:
        """The sky as wet ground gives it back: what is drawn beneath the ground before it."""
        return tuple(  # type: ignore[return-value]
            (low * 0.6 + high * 0.4) * 0.86 + lamp * 0.12
            for low, high, lamp in zip(self.low, self.high, self.glow, strict=True)
        )

    def _light(self) -> str:
        """The rows of LOOK in common.glsl, as GLSL."""
        rows = (
            (*self.toward, self.night), (*self.sun, self.wet), (*self.fill, self.cloud),
            (*self.low, 0.0), (*self.high, 0.0), (*self.glow, 0.0), (*self.haze, 0.0),
        )  # fmt: skip
        text = ",".join(f"vec4({','.join(f'{value:.9g}' for value in row)})" for row in rows)
        return f"vec4[{len(rows)}]({text})"


def _blend(a: Rgb, b: Rgb, k: float) -> Rgb:
    return (a[0] + (b[0] - a[0]) * k, a[1] + (b[1] - a[1]) * k, a[2] + (b[2] - a[2]) * k)


def _times(a: Rgb, k: float) -> Rgb:
    return a[0] * k, a[1] * k, a[2] * k


def _grey(a: Rgb, share: float) -> Rgb:
    level = (a[0] + a[1] + a[2]) / 3.0
    return _blend(a, (level * 0.98, level, level * 1.02), share)


def _at(hour: float) -> Hour:
    a, b = next((a, b) for a, b in pairwise(_DAY) if hour <= b.hour)
    k = (hour - a.hour) / (b.hour - a.hour)
    return Hour(
        hour, a.azimuth + (b.azimuth - a.azimuth) * k, a.height + (b.height - a.height) * k,
        _blend(a.sun, b.sun, k), _blend(a.fill, b.fill, k), _blend(a.low, b.low, k),
        _blend(a.high, b.high, k), a.night + (b.night - a.night) * k,
    )  # fmt: skip


def look(profile: CaptureProfile, context: int = 0) -> Look:
    """The light of a profile, drawn in one graphics context (`Device.number`).

    Raises ValueError for a weather or an hour that is not known.
    """
    if profile.weather not in _WEATHER:
        raise ValueError(f"no weather '{profile.weather}'; there are {', '.join(_WEATHER)}")
    if not 0.0 <= profile.hour <= 24.0:
        raise ValueError(f"hour {profile.hour} is none of a day; it lies from 0 to 24")
    at, air = _at(profile.hour), _WEATHER[profile.weather]
    turn, rise = radians(at.azimuth), radians(at.height)
    low = _blend(at.low, at.high, 0.12 * air.grey)
    high = _blend(at.high, at.low, 0.72 * air.grey)
    lit = max(at.night, 0.30 * air.wet if air.grey else 0.0)  # lamps come on early in the rain
    far = profile.far
    return Look(
        toward=(cos(turn) * cos(rise), sin(turn) * cos(rise), sin(rise)),
        sun=_times(at.sun, air.sun),
        fill=_times(_grey(at.fill, air.grey * 0.8), air.fill),
        low=_times(_grey(low, air.grey), 1.0 - 0.20 * air.grey),
        high=_times(_grey(high, air.grey), 1.0 - 0.26 * air.grey),
        glow=_times((0.64, 0.53, 0.39), lit * (1.0 + 0.35 * air.wet)),
        haze=(0.9 * air.haze / far**2, 7.0 / far**6, air.dense / 100.0),
        night=lit,
        wet=air.wet,
        cloud=air.cloud,
        context=context,
    )
