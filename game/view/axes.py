"""Axes of wheels, pedals and pads as integers that drive: calibration, dead zone, range, ownership.

Pure. What is recorded and driven with are the integers alone; how a device reports its axes stays
here. Knows no window and no driver of any device.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from game.view.keys import RawInput
from game.world.controls import UNIT

ROLES = ("steer", "throttle", "brake", "look-x", "look-y")
"""What an axis can drive. steer: left is positive, as everywhere in the world."""
PER_MILLE = "1/1000"
NOISE = 3
"""A change of so little [1/1000] is no movement, unless it reaches an end or the middle."""
_LEAST = 0.02  # of an axis, between the two ends of a use


@dataclass(frozen=True, slots=True)
class Gadget:
    """One connected device. kind: pad, wheel, stick or other. pressed: names of its buttons.

    axes: name -> where it is, as the system reports it; named alike as long as it is plugged in.
    """

    name: str
    kind: str
    pressed: frozenset[str] = frozenset()
    axes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use:
    """What one axis does. Readings: low, middle, high, of full left, straight, full right for
    steer, and look; of a pedal middle is at rest, high fully down, low unused.

    dead: share of the way around the middle that counts as none. reach: share of the way that is
    already all of it.
    """

    role: str
    axis: str
    low: float
    middle: float
    high: float
    dead: float = 0.02
    reach: float = 1.0

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"'{self.role}' is not one of {', '.join(ROLES)}")
        if not self.axis or set(self.axis) & set(" ;:,=|"):
            raise ValueError(f"'{self.axis}' is no name of an axis")
        if not (0.0 <= self.dead <= 0.5 and 0.1 <= self.reach <= 1.0):
            raise ValueError("dead must lie in 0 .. 0.5 and reach in 0.1 .. 1")
        ends = (self.high, self.low) if self.two_sided else (self.high,)
        if not all(abs(v) <= 1e6 for v in (self.low, self.middle, self.high)) or any(
            abs(end - self.middle) < _LEAST for end in ends
        ):
            raise ValueError(f"the ends of {self.axis} are too near to its middle")

    @property
    def two_sided(self) -> bool:
        """Whether it goes both ways from its middle."""
        return self.role not in ("throttle", "brake")

    def value(self, reading: float) -> int:
        """A reading as an integer: -1000 .. 1000 with left and up positive, 0 .. 1000 of pedals."""
        off = reading - self.middle
        share = off / (self.high - self.middle)
        if not self.two_sided:
            return self._shaped(share)
        if share > 0.0:
            return -self._shaped(share)
        return self._shaped(off / (self.low - self.middle))

    def _shaped(self, share: float) -> int:
        if share <= self.dead:
            return 0
        return round(UNIT * min(1.0, (share - self.dead) / (1.0 - self.dead) / self.reach))

    def turned_round(self) -> "Use":
        """The same the other way round."""
        if self.two_sided:
            return replace(self, low=self.high, high=self.low)
        return replace(self, middle=self.high, high=self.middle)

    def written(self) -> str:
        """As it stands in the settings: 'steer wheel -1 0 1 dead 0.02 reach 1'."""
        numbers = " ".join(f"{v:.4g}" for v in (self.low, self.middle, self.high))
        return f"{self.role} {self.axis} {numbers} dead {self.dead:.4g} reach {self.reach:.4g}"


@dataclass(frozen=True, slots=True)
class Calibration:
    """How one device, by its name, drives."""

    device: str
    uses: tuple[Use, ...]

    def of(self, role: str) -> Use | None:
        """The use of that role."""
        return next((use for use in self.uses if use.role == role), None)

    def having(self, use: Use) -> "Calibration":
        """With this use in place of the one of its role."""
        others = tuple(each for each in self.uses if each.role != use.role)
        return replace(self, uses=(*others, use))

    def written(self) -> str:
        """As it stands in the settings: 'NAME: USE; USE'."""
        return f"{plain(self.device)}: {'; '.join(use.written() for use in self.uses)}"


def plain(name: str) -> str:
    """A device's name without what separates in the settings."""
    kept = "".join(c if c.isprintable() and c not in ":;,|\"\\'" else " " for c in name)
    return " ".join(kept.split())[:64] or "unnamed"


def read(text: str) -> Calibration:
    """The inverse of `written`. Raises ValueError that says what is wrong."""
    name, colon, rest = text.partition(":")
    if not colon or not name.strip():
        raise ValueError(f"'{text}': write NAME: ROLE AXIS LOW MIDDLE HIGH dead D reach R; ...")
    uses = tuple(_use(part.split()) for part in rest.split(";") if part.strip())
    if len({use.role for use in uses}) != len(uses):
        raise ValueError(f"'{name.strip()}' names a role twice")
    return Calibration(plain(name), uses)


def _use(words: Sequence[str]) -> Use:
    if len(words) != 9 or words[5] != "dead" or words[7] != "reach":
        raise ValueError(f"'{' '.join(words)}': write ROLE AXIS LOW MIDDLE HIGH dead D reach R")
    try:
        low, middle, high, dead, reach = (float(words[n]) for n in (2, 3, 4, 6, 8))
    except ValueError as error:
        raise ValueError(f"'{' '.join(words)}': {error}") from error
    return Use(words[0], words[1], low, middle, high, dead, reach)


def usual(gadget: Gadget) -> Calibration:
    """How a device drives that nobody has calibrated: pads and wheels do, others do nothing.

    A pedal is taken to be at rest where it is first seen, as drivers of wheels differ in that.
    """
    uses: list[Use] = []
    if gadget.kind == "pad":
        uses = [Use("steer", "left_x", -1.0, 0.0, 1.0, 0.12),
                Use("throttle", "right_trigger", 0.0, 0.0, 1.0, 0.05),
                Use("brake", "left_trigger", 0.0, 0.0, 1.0, 0.05),
                Use("look-x", "right_x", -1.0, 0.0, 1.0, 0.2),
                Use("look-y", "right_y", 1.0, 0.0, -1.0, 0.2)]  # fmt: skip
    elif gadget.kind == "wheel":
        uses = [Use("steer", "wheel", -1.0, 0.0, 1.0, 0.01)]
        for role, axis in (("throttle", "accelerator"), ("brake", "brake")):
            rest = gadget.axes.get(axis, 0.0)
            ends = (1.0, 0.0) if rest > 0.5 else (-1.0, 1.0) if rest < -0.5 else (0.0, 1.0)
            uses.append(Use(role, axis, 0.0, *ends, 0.05))
    return Calibration(plain(gadget.name), tuple(u for u in uses if u.axis in gadget.axes))


class Axes:
    """Turns states of devices into events of kind 'axis', one for each value that has changed.

    Of several devices the one that was moved last has a role. known: calibrations by the settings.
    """

    def __init__(self, known: Iterable[Calibration] = ()) -> None:
        self._known = {each.device: each for each in known}
        self._usual: dict[str, Calibration] = {}
        self._at: dict[tuple[str, str], int] = {}
        self._owner: dict[str, tuple[str, str]] = {}  # by role: which device, and its kind
        self._told: dict[str, int] = {}

    def calibration(self, gadget: Gadget) -> Calibration:
        """The one of the settings, or the usual one as the device was first seen."""
        name = plain(gadget.name)
        if name in self._known:
            return self._known[name]
        if name not in self._usual:
            self._usual[name] = usual(gadget)
        return self._usual[name]

    def rest(self) -> None:
        """Tell everything anew: somebody else listens."""
        self._told.clear()

    def feed(self, gadgets: Sequence[Gadget], t_ns: int) -> list[RawInput]:
        """What has changed since the last call. A device that is gone lets go of what it held."""
        here = set()
        for number, gadget in enumerate(gadgets):
            key = f"{plain(gadget.name)}#{number}"
            here.add(key)
            self._note(key, gadget)
        found = []
        for role, (owner, kind) in sorted(self._owner.items()):
            gone = owner not in here
            value = 0 if gone else self._at[owner, role]
            if gone:
                self._forget(owner, role)
            if value != self._told.get(role, 0):
                self._told[role] = value
                found.append(RawInput(t_ns, "axis", role, value, PER_MILLE, gone, kind))
        return found

    def _forget(self, owner: str, role: str) -> None:
        del self._owner[role]
        self._at.pop((owner, role), None)

    def _note(self, key: str, gadget: Gadget) -> None:
        for use in self.calibration(gadget).uses:
            if use.axis not in gadget.axes:
                continue
            value, at = use.value(gadget.axes[use.axis]), (key, use.role)
            before = self._at.setdefault(at, 0)
            moved = abs(value - before)
            if moved > NOISE or (moved and value in (-UNIT, 0, UNIT)):
                self._at[at] = value
                self._owner[use.role] = (key, gadget.kind)
