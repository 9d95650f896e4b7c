"""The light of each style as the offline painter knows it: one row a style, data and nothing else.

Colours are linear RGB light; angles in degrees. The names are those of the stream's styles.
"""

from dataclasses import dataclass

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """One style.

    azimuth, height: of the sun, from east [degree]; sun, sky: light from it and from overhead.
    low, high: the sky at the horizon and overhead; cloud: what clouds add. fog: its colour; reach:
    where it has taken 63 % [m]. wet: share of water on the ground. lamp: light near the street;
    windows, signs: what lit rooms and shop fronts give off; beam: of the ego's head lamps.
    neon: share of magenta and cyan in signs. exposure, saturation, contrast, shadows, lights: the
    print. bloom: light that spills. edge: what is left in the corners.
    """

    azimuth: float
    height: float
    sun: Rgb
    sky: Rgb
    low: Rgb
    high: Rgb
    cloud: Rgb
    fog: Rgb
    reach: float
    wet: float
    lamp: float
    windows: float
    signs: float
    beam: float
    neon: float
    exposure: float
    saturation: float
    contrast: float
    shadows: Rgb
    lights: Rgb
    bloom: float
    edge: float


LOOKS: dict[str, Look] = {
    "day": Look(
        -47, 47, (2.10, 1.80, 1.35), (0.78, 0.88, 1.05), (0.74, 0.83, 0.92), (0.12, 0.30, 0.66),
        (0.85, 0.85, 0.85), (0.60, 0.71, 0.84), 900, 0.0, 0.0, 0.0, 0.10, 0.0, 0.0,
        1.12, 1.20, 1.08, (0.97, 1.0, 1.05), (1.04, 1.0, 0.95), 0.10, 0.80,
    ),
    "dusk": Look(
        -158, 14, (2.30, 1.05, 0.36), (0.40, 0.36, 0.48), (1.05, 0.55, 0.24), (0.24, 0.22, 0.42),
        (0.95, 0.42, 0.22), (0.95, 0.52, 0.28), 420, 0.0, 0.20, 0.35, 0.55, 0.25, 0.0,
        0.86, 1.20, 1.12, (0.94, 0.92, 1.12), (1.10, 0.98, 0.82), 0.25, 0.68,
    ),
    "night": Look(
        -60, 55, (0.05, 0.06, 0.09),
        (0.065, 0.085, 0.15), (0.10, 0.08, 0.085), (0.012, 0.018, 0.05),
        (0.03, 0.03, 0.04), (0.075, 0.070, 0.085), 420, 0.15, 0.62, 1.25, 1.45, 1.20, 0.0,
        1.10, 1.12, 1.08, (0.90, 0.98, 1.18), (1.08, 1.0, 0.88), 0.55, 0.60,
    ),
    "rain": Look(
        -47, 60, (0.05, 0.05, 0.05), (0.52, 0.57, 0.64), (0.62, 0.66, 0.70), (0.40, 0.45, 0.51),
        (0.05, 0.05, 0.05), (0.56, 0.60, 0.65), 170, 0.85, 0.06, 0.22, 0.40, 0.30, 0.0,
        0.82, 0.78, 1.10, (0.95, 1.0, 1.07), (0.98, 1.0, 1.02), 0.20, 0.66,
    ),
    "noir": Look(
        -20, 32, (1.60, 1.60, 1.60), (0.22, 0.22, 0.22), (0.52, 0.52, 0.52), (0.13, 0.13, 0.13),
        (0.40, 0.40, 0.40), (0.42, 0.42, 0.42), 240, 0.35, 0.16, 0.55, 0.70, 0.35, 0.0,
        1.0, 0.0, 1.38, (1.0, 1.0, 1.0), (1.03, 1.0, 0.95), 0.32, 0.42,
    ),
    "neon": Look(
        -60, 50, (0.05, 0.03, 0.09), (0.12, 0.07, 0.22), (0.30, 0.07, 0.34), (0.025, 0.012, 0.09),
        (0.10, 0.02, 0.12), (0.24, 0.06, 0.30), 230, 0.75, 0.30, 0.75, 1.60, 0.70, 1.0,
        1.12, 1.38, 1.10, (0.96, 0.88, 1.25), (1.06, 0.96, 1.10), 0.60, 0.58,
    ),
}  # fmt: skip
