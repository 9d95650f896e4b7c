"""What the label planes mean: Cityscapes train ids and how 24-bit instance numbers are given out.

Instances are stable for a whole session: entities by their id, buildings by their footprint id,
furniture by its place in the order in which the pack's streets lay it out.
"""

from enum import IntEnum

FIRST_BUILDING = 0x10000
"""Below this number an instance is 1 + entity id; from it on, this plus a footprint id."""

FIRST_FURNITURE = 0x800000
"""From here on an instance is a piece of furniture: a tree, a lamp, a parked car, a sign."""

LARGEST = 0xFFFFFF


class Train(IntEnum):
    """Cityscapes train ids, of those that we draw."""

    ROAD = 0
    SIDEWALK = 1
    BUILDING = 2
    POLE = 5
    TRAFFIC_LIGHT = 6
    TRAFFIC_SIGN = 7
    VEGETATION = 8
    TERRAIN = 9
    SKY = 10
    PERSON = 11
    RIDER = 12
    CAR = 13
    TRUCK = 14
    BUS = 15
    BICYCLE = 18
    IGNORE = 255  # water and street furniture, for which the table has no name


def entity_instance(entity: int) -> int:
    """Instance number of an entity; scenery drawn as one carries its number as its id.

    Raises ValueError beyond what fits below the buildings.
    """
    if FIRST_FURNITURE <= entity <= LARGEST:
        return entity
    if not 0 <= entity < FIRST_BUILDING - 1:
        raise ValueError(f"entity id {entity} does not fit the instance plane")
    return 1 + entity


def building_instance(footprint: int) -> int:
    """Instance number of a building. Raises ValueError beyond where furniture begins."""
    if not 0 <= footprint < FIRST_FURNITURE - FIRST_BUILDING:
        raise ValueError(f"footprint id {footprint} does not fit the instance plane")
    return FIRST_BUILDING + footprint


def furniture_instance(serial: int) -> int:
    """Instance number of a piece of furniture. Raises ValueError beyond 24 bits."""
    if not 0 <= serial <= LARGEST - FIRST_FURNITURE:
        raise ValueError(f"furniture {serial} does not fit the instance plane")
    return FIRST_FURNITURE + serial


def instance_bytes(instance: int) -> tuple[int, int, int]:
    """Low byte first, as they stand in the plane's red, green and blue."""
    return instance & 255, instance >> 8 & 255, instance >> 16 & 255
