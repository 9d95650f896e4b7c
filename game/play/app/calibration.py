"""Calibration in the program: which axis is which and how far it goes, seen by moving each once.

Pure: readings of axes in, screens and a `Calibration` out. `wheel_pages` shows it and keeps it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from game.view.axes import Calibration, Gadget, Use, plain
from game.view.screen.model import Bar, Button, Choice, Note, Row, Screen
from game.world.controls import UNIT

STEPS: tuple[tuple[str, str], ...] = (
    ("rest", "Take your hands and feet off. Wheel or stick straight, no pedal pressed."),
    ("left", "Turn the wheel, or push the stick, fully to the LEFT. It may come back by itself."),
    ("right", "Now fully to the RIGHT."),
    ("throttle", "Press the THROTTLE, or its trigger, fully down once."),
    ("brake", "Press the BRAKE, or its trigger, fully down once."),
)
"""What is asked for, one after the other; throttle and brake can be left out."""
_MOVED = 0.15
"""An axis that is meant moves at least so far; the rest is trembling."""
_DEAD = {"pad": 0.12, "stick": 0.06}
DEADS = ("0 %", "1 %", "2 %", "5 %", "10 %", "12 %", "15 %", "20 %")
REACHES = ("100 %", "75 %", "50 %", "33 %", "25 %")
_NAMES = {"steer": "Steer", "throttle": "Throttle", "brake": "Brake",
          "look-x": "Look aside", "look-y": "Look up"}  # fmt: skip
_WAYS = {"steer": ("left", "right"), "look-x": ("left", "right"), "look-y": ("up", "down")}


@dataclass(slots=True)
class Calibrator:
    """One calibration. `watch` at every picture, `next` when a step is done, till it is `made`."""

    device: str
    kind: str
    step: int = 0
    said: str = ""
    made: Calibration | None = None
    _rest: dict[str, float] = field(default_factory=dict)
    _far: dict[str, float] = field(default_factory=dict)
    _steer: tuple[str, float] = ("", 0.0)
    _uses: list[Use] = field(default_factory=list)

    def watch(self, axes: Mapping[str, float]) -> None:
        """Keep how far each axis got from its rest in this step."""
        if STEPS[self.step][0] == "rest":
            self._rest = dict(axes)
            return
        for name, value in axes.items():
            rest = self._rest.setdefault(name, value)
            if abs(value - rest) > abs(self._far.get(name, rest) - rest):
                self._far[name] = value

    def next(self) -> None:
        """The player says that the step is done. What did not move is asked for again."""
        self.said = self._missing(STEPS[self.step][0])
        self._far = {}
        if not self.said:
            self._on()

    def _missing(self, step: str) -> str:
        """What is still wanted in this step, '' where it is done."""
        if step == "left":
            self._steer = self._farthest(())
            return "" if self._steer[0] else "Nothing moved far enough to the left. Again, please."
        if step == "right" and not self._turned():
            return "It did not go the other way. Again, please: fully to the right."
        if step in ("throttle", "brake") and not self._pressed(step):
            return f"No pedal moved far enough. Press the {step} again, or leave it out."
        return ""

    def skip(self) -> None:
        """Go on without a pedal."""
        self.said = ""
        if self.skippable:
            self._on()

    @property
    def skippable(self) -> bool:
        """Whether this step can be left out."""
        return STEPS[self.step][0] in ("throttle", "brake")

    def _on(self) -> None:
        self._far = {}
        if self.step + 1 < len(STEPS):
            self.step += 1
        else:
            self.made = Calibration(plain(self.device), tuple(self._uses))

    def _farthest(self, but: tuple[str, ...]) -> tuple[str, float]:
        moved = {n: abs(v - self._rest[n]) for n, v in self._far.items() if n not in but}
        best = max(moved, key=lambda name: moved[name], default="")
        return (best, self._far[best]) if best and moved[best] >= _MOVED else ("", 0.0)

    def _turned(self) -> bool:
        axis, left = self._steer
        rest, right = self._rest[axis], self._far.get(axis, self._rest[axis])
        if (right - rest) * (left - rest) >= 0.0 or abs(right - rest) < _MOVED:
            return False
        dead = _DEAD.get(self.kind, 0.01)
        self._uses.append(Use("steer", axis, left, rest, right, dead))
        return True

    def _pressed(self, role: str) -> bool:
        taken = [u.axis for u in self._uses if u.role == "steer" or not self._shares(u)]
        axis, down = self._farthest(tuple(taken))
        if not axis:
            return False
        self._uses.append(Use(role, axis, 0.0, self._rest[axis], down, 0.05))
        return True

    def _shares(self, other: Use) -> bool:
        """Whether the other pedal's axis went its other way now: old wheels have one for both."""
        now = self._far.get(other.axis, other.middle) - other.middle
        return now * (other.high - other.middle) < 0.0

    def screen(self) -> Screen:
        """What is asked for now."""
        rows: list[Row] = [
            Note(f"Step {self.step + 1} of {len(STEPS)}", "dim"),
            Note(STEPS[self.step][1], "accent", bold=True),
            Note(self.said or " ", "warn"),
            *(_moved(n, self._rest.get(n, v), v) for n, v in sorted(self._now().items())[:6]),
            Note(""),
            Button("next", "Done, go on"),
        ]
        if self.skippable:
            rows.append(Button("skip", "There is none, leave it out"))
        foot = "Enter: done   Esc: leave everything as it was"
        return Screen(f"Calibrate {self.device}", tuple(rows), foot=foot).at("next")

    def _now(self) -> dict[str, float]:
        return {**self._rest, **self._far}


def _moved(name: str, rest: float, value: float) -> Bar:
    return Bar(name, min(1.0, abs(value - rest)), f"{rest:+.2f} to {value:+.2f}")


def devices(gadgets: tuple[Gadget, ...], known: tuple[Calibration, ...]) -> Screen:
    """What is plugged in."""
    done = {each.device for each in known}
    rows: list[Row] = []
    for number, gadget in enumerate(gadgets):
        state = "calibrated" if plain(gadget.name) in done else _untouched(gadget.kind)
        rows.append(Button(f"device:{number}", plain(gadget.name), f"{gadget.kind}, {state}"))
    if not rows:
        found = "Neither wheel nor pad is plugged in. Plug one in: it is found at once."
        rows.append(Note(f"{found} On Linux you need to be allowed to read /dev/input.", "warn"))
    rows += [Note(""), Button("buttons", "Buttons of a pad", "which key each stands for")]
    return Screen("Wheel and pad", tuple(rows), foot="↑↓ choose   Enter open   Esc back")


def _untouched(kind: str) -> str:
    return "drives as it comes" if kind in ("pad", "wheel") else "drives once it is calibrated"


def device(gadget: Gadget, use: Calibration, calibrated: bool, told: str, tone: str) -> Screen:
    """One device: what it says now, and what can be changed. told: what came of a change."""
    rows: list[Row] = [
        Note(f"{gadget.kind}: {'calibrated' if calibrated else _untouched(gadget.kind)}", "dim"),
        *(_live(each, gadget) for each in use.uses),
        Button("calibrate", "Calibrate", "move everything once"),
    ]
    for each in use.uses:
        name = _NAMES[each.role]
        rows.append(Choice(f"dead:{each.role}", f"{name}: dead zone", *_at(DEADS, each.dead)))
        if each.role == "steer":
            rows.append(Choice("reach:steer", "Full lock at this much of the way",
                               *_at(REACHES, each.reach)))  # fmt: skip
        rows.append(Button(f"turn:{each.role}", f"{name}: turn it round"))
    if calibrated:
        rows.append(Button("forget", "Forget the calibration"))
    if told:
        rows.append(Note(told, tone))
    return Screen(plain(gadget.name), tuple(rows), foot="↑↓ choose   ◀▶ change   Esc back")


def _live(use: Use, gadget: Gadget) -> Bar:
    value = use.value(gadget.axes[use.axis]) if use.axis in gadget.axes else 0
    share = (UNIT - value) / (2 * UNIT) if use.two_sided else value / UNIT
    way = _WAYS[use.role][value < 0] if value and use.two_sided else ""
    return Bar(_NAMES[use.role], share, f"{abs(value) / 10:.0f} % {way}   {use.axis}")


def _at(options: tuple[str, ...], share: float) -> tuple[tuple[str, ...], int]:
    """Options with the share among them, and where it is."""
    now = f"{share * 100:.0f} %"
    options = options if now in options else (now, *options)
    return options, options.index(now)


def changed(use: Calibration, row: str, value: str) -> Calibration | None:
    """The calibration after a row was changed; None where the row is none of its."""
    what, _, role = row.partition(":")
    one = use.of(role)
    if one is None or what not in ("dead", "reach", "turn"):
        return None
    if what == "turn":
        return use.having(one.turned_round())
    share = float(value.partition(" ")[0]) / 100.0
    return use.having(replace(one, dead=share) if what == "dead" else replace(one, reach=share))
