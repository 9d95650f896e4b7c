"""A vehicle that was taken out, and one that was put in, are found; another style is neither."""

import numpy as np
import pytest

from rewards.checks import thresholds
from rewards.checks.things import things

SIDE = 240
Pixels = np.ndarray


def street(car: bool) -> Pixels:
    """Grey road under a wall with windows; a car with panes and lamps stands on it."""
    rgb = np.full((SIDE, SIDE, 3), 90, np.uint8)
    rgb[:100] = (150, 90, 70)
    for y in range(10, 90, 20):
        for x in range(10, 230, 24):
            rgb[y : y + 10, x : x + 12] = (60, 70, 80)
    if car:
        rgb[120:180, 60:130] = (40, 90, 170)
        rgb[126:142, 70:120] = (30, 40, 50)
        rgb[150:160, 64:78] = rgb[150:160, 112:126] = (220, 40, 40)
    return rgb


def labels(car: bool) -> tuple[Pixels, Pixels]:
    classes = np.zeros((SIDE, SIDE), np.uint8)
    classes[:100] = 2
    instances = np.zeros((SIDE, SIDE), np.uint32)
    if car:
        classes[120:180, 60:130], instances[120:180, 60:130] = 13, 7
    return classes, instances


def restyled(rgb: Pixels) -> Pixels:
    """Another light: half as bright, bluer, hazy, and noisy as a codec makes it."""
    noise = np.random.default_rng(1).normal(0, 2, rgb.shape)
    changed = rgb * np.array([0.4, 0.5, 0.8]) + np.array([25, 25, 40]) + noise
    return np.asarray(changed.clip(0, 255), np.uint8)


def test_another_style_of_the_same_street_loses_and_invents_nothing() -> None:
    seen = things(street(True), restyled(street(True)), *labels(True))
    assert seen.vehicle > max(thresholds.VEHICLE.values())
    assert seen.stranger < 0.7 * thresholds.STRANGER["filter"]
    assert seen.small < 0.7 * thresholds.STRANGER_SMALL["filter"]


def test_a_car_that_was_taken_out_is_missed() -> None:
    seen = things(street(True), restyled(street(False)), *labels(True))
    assert seen.vehicle < min(thresholds.VEHICLE.values())


def test_a_car_that_was_put_in_is_noticed() -> None:
    seen = things(street(False), restyled(street(True)), *labels(False))
    assert seen.stranger > thresholds.STRANGER[None]
    assert seen.vehicle == 1.0


def test_a_small_car_that_was_put_in_is_seen_by_the_small_tile() -> None:
    put = street(False)
    put[150:162, 110:134] = (190, 40, 30)
    put[152:156, 114:130] = (40, 60, 80)
    seen = things(street(False), restyled(put), *labels(False))
    assert seen.small > thresholds.STRANGER_SMALL["tiny"]
    assert seen.small > 1.4 * seen.stranger


def test_windows_that_light_up_are_no_strangers() -> None:
    lit = street(True)
    for y in range(10, 90, 20):
        lit[y : y + 10, 10:230:36] = (255, 220, 120)
    assert things(street(True), lit, *labels(True)).stranger < thresholds.STRANGER["filter"]


def test_a_small_vehicle_is_not_looked_for() -> None:
    classes, instances = labels(False)
    classes[120:140, 60:80], instances[120:140, 60:80] = 13, 9
    assert things(street(False), street(False), classes, instances).vehicle == 1.0


def test_a_flat_picture_holds_no_vehicle() -> None:
    flat = np.full((SIDE, SIDE, 3), 128, np.uint8)
    assert things(street(True), flat, *labels(True)).vehicle == pytest.approx(0.0, abs=0.05)
