"""Sine, cosine, tangent, arc tangent and exponential from + - * / alone, equal on every machine.

Range reduction is Cody and Waite's (constants split so that the products are exact), the series
are Taylor's with coefficients 1/n!, the arc tangents of k/8 are their correctly rounded values.
Within 2e-16 of the true value near 0, within a few units in the last place elsewhere.
"""

from math import sqrt

PI = 3.141592653589793
TAU = 6.283185307179586
HALF_PI = 1.5707963267948966
QUARTER_PI = 0.7853981633974483

LIMIT = 1.0e6
"""Largest angle that keeps its precision here; beyond it the functions refuse [rad]."""

_TWO_OVER_PI = 0.6366197723675814
_P1 = 1.5707963267341256  # pi/2, its first 33 bits
_P2 = 6.077100506303966e-11  # the next 33
_P3 = 2.0222662487959506e-21  # and the rest

_S3, _S5, _S7 = -1.0 / 6.0, 1.0 / 120.0, -1.0 / 5040.0
_S9, _S11, _S13 = 1.0 / 362880.0, -1.0 / 39916800.0, 1.0 / 6227020800.0
_S15, _S17 = -1.0 / 1307674368000.0, 1.0 / 355687428096000.0

_C4, _C6, _C8 = 1.0 / 24.0, -1.0 / 720.0, 1.0 / 40320.0
_C10, _C12, _C14 = -1.0 / 3628800.0, 1.0 / 479001600.0, -1.0 / 87178291200.0
_C16 = 1.0 / 20922789888000.0

_ATAN = (
    0.0,
    0.12435499454676144,
    0.24497866312686414,
    0.35877067027057225,
    0.4636476090008061,
    0.5585993153435624,
    0.6435011087932844,
    0.7188299996216245,
    0.7853981633974483,
)

_LN2_HIGH = 0.6931471803691238  # its first 32 bits
_LN2_LOW = 1.9082149292705877e-10
_ONE_OVER_LN2 = 1.4426950408889634


def sincos(x: float) -> tuple[float, float]:
    """(sine, cosine) of an angle [rad]. Raises ValueError beyond `LIMIT` and for nan."""
    quadrant = 0
    if not -QUARTER_PI <= x <= QUARTER_PI:
        if not -LIMIT <= x <= LIMIT:
            raise ValueError(f"angle {x} rad is out of range; wrap it first")
        turns = int(x * _TWO_OVER_PI + (0.5 if x > 0.0 else -0.5))
        x = ((x - turns * _P1) - turns * _P2) - turns * _P3
        quadrant = turns & 3
    z = x * x
    s = _S9 + z * (_S11 + z * (_S13 + z * (_S15 + z * _S17)))
    s = x + x * (z * (_S3 + z * (_S5 + z * (_S7 + z * s))))
    c = _C8 + z * (_C10 + z * (_C12 + z * (_C14 + z * _C16)))
    c = 1.0 - (0.5 * z - z * z * (_C4 + z * (_C6 + z * c)))
    if quadrant == 0:
        return s, c
    if quadrant == 1:
        return c, -s
    if quadrant == 2:
        return -s, -c
    return -c, s


def sin(x: float) -> float:
    """Sine of an angle [rad]."""
    return sincos(x)[0]


def cos(x: float) -> float:
    """Cosine of an angle [rad]."""
    return sincos(x)[1]


def tan(x: float) -> float:
    """Tangent of an angle [rad]. At an odd multiple of pi/2 it is large, never infinite."""
    s, c = sincos(x)
    return s / c


def _atan_ratio(y: float, x: float) -> float:
    """Arc tangent of y/x for 0 <= y <= x, x > 0."""
    k = int(8.0 * (y / x) + 0.5)
    slope = k * 0.125
    t = (y - slope * x) / (x + slope * y)  # at most 1/16
    z = t * t
    series = 1.0 / 3.0 - z * (0.2 - z * (1.0 / 7.0 - z * (1.0 / 9.0 - z * (1.0 / 11.0 - z / 13.0))))
    return _ATAN[k] + (t - t * z * series)


def atan2(y: float, x: float) -> float:
    """Direction of the vector (x, y) in [-pi, pi], counter-clockwise from east; 0 for no vector."""
    ax = x if x >= 0.0 else -x
    ay = y if y >= 0.0 else -y
    if ax == 0.0 and ay == 0.0:
        return 0.0
    angle = _atan_ratio(ay, ax) if ay <= ax else HALF_PI - _atan_ratio(ax, ay)
    if x < 0.0:
        angle = PI - angle
    return angle if y >= 0.0 else -angle


def atan(x: float) -> float:
    """Arc tangent in [-pi/2, pi/2]."""
    return atan2(x, 1.0)


def wrap(angle: float) -> float:
    """The same direction in (-pi, pi]. Raises ValueError beyond `LIMIT` and for nan."""
    if -PI < angle <= PI:
        return angle
    if not -LIMIT <= angle <= LIMIT:
        raise ValueError(f"angle {angle} rad is out of range; it has grown without being wrapped")
    turns = int(angle / TAU + (0.5 if angle > 0.0 else -0.5)) * 4
    # Cody and Waite again: the products with the short constants are exact
    angle = ((angle - turns * _P1) - turns * _P2) - turns * _P3
    # at the seam rounding may leave it a digit outside, on either side
    return angle if -PI < angle <= PI else PI


def exp(x: float) -> float:
    """e to the power of x, 0 below -708. Raises OverflowError above 709."""
    if x < -708.0:
        return 0.0
    if not x <= 709.0:
        raise OverflowError(f"exp({x}) is beyond the largest float")
    k = int(x * _ONE_OVER_LN2 + (0.5 if x > 0.0 else -0.5))
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    total = 1.0
    for n in range(14, 0, -1):
        total = 1.0 + r * total / n
    # powers of two as integers are exact; two factors, so that neither leaves the range
    half = k // 2
    return total * _power_of_two(half) * _power_of_two(k - half)


def _power_of_two(k: int) -> float:
    return float(1 << k) if k >= 0 else 1.0 / float(1 << -k)


def hypotenuse(x: float, y: float) -> float:
    """Length of the vector (x, y). Plain: neither tiny nor huge vectors occur in a city."""
    return sqrt(x * x + y * y)
