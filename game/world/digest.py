"""The exact bytes of a state, and the chain of digests over states and consumed inputs.

Owns the layout that recordings store and checkpoints hash: little-endian, doubles to the last bit.
A changed byte here is a new world version.
"""

import struct
from hashlib import sha256

from game.world.ambient import FIRST_DRIVER, FIRST_WALKER, pack_living, unpack_living
from game.world.city import City
from game.world.controls import CONTROLS_BYTES, Controls
from game.world.entity import BODY_INDEX, BODY_NAMES, EntityState
from game.world.state import REACTIONS, Checkpoint, Contact, Part, WorldState
from game.world.version import DIGEST_TICKS, TICK_HZ, WORLD_VERSION

_HEADER = struct.Struct(f"<32s32sIQI4H{CONTROLS_BYTES}s")
"""Digest, inputs, tick, seed, collisions; how many actors, contacts, ways, visits; controls."""
_ENTITY = struct.Struct("<iH5dii")
_CONTACT = struct.Struct("<qId")
_PROGRESS = struct.Struct("<id")
_VISITED = struct.Struct("<i")
_CHAINED = 64
"""Where the part begins that a digest covers: behind the two digests themselves."""

MAX_SEED = (1 << 64) - 1


def _pack_entity(entity: EntityState) -> bytes:
    return _ENTITY.pack(
        entity.id,
        BODY_INDEX[entity.body],
        entity.x,
        entity.y,
        entity.heading,
        entity.speed,
        entity.steer,
        entity.started,
        entity.struck,
    )


def pack_state(state: WorldState) -> bytes:
    """Everything in a state but its cast, which never changes. About 70 bytes an entity.

    Where the city lives its minds follow behind; without, not a byte is different.
    """
    parts = [
        _HEADER.pack(
            state.digest,
            state.inputs,
            state.tick,
            state.seed,
            state.collisions,
            len(state.actors),
            len(state.contacts),
            len(state.progress),
            len(state.visited),
            state.controls.pack(),
        ),
        _pack_entity(state.ego),
    ]
    parts += [_pack_entity(actor) for actor in state.actors]
    parts += [_CONTACT.pack(c.other, c.since, c.speed) for c in state.contacts]
    parts += [_PROGRESS.pack(*entry) for entry in state.progress]
    parts += [_VISITED.pack(key) for key in state.visited]
    if state.living is not None:
        parts.append(pack_living(state.living))
    return b"".join(parts)


def _unpack_entity(data: bytes, at: int) -> EntityState:
    key, body, x, y, heading, speed, steer, started, struck = _ENTITY.unpack_from(data, at)
    if body >= len(BODY_NAMES):
        raise ValueError(f"body {body} is unknown; this build knows {len(BODY_NAMES)}")
    return EntityState(key, BODY_NAMES[body], x, y, heading, speed, steer, started, struck)


def unpack_state(data: bytes, cast: tuple[Part, ...]) -> WorldState:
    """Inverse of `pack_state`. Raises ValueError where the bytes are no state."""
    if len(data) < _HEADER.size + _ENTITY.size:
        raise ValueError(f"a state takes {_HEADER.size + _ENTITY.size} bytes, got {len(data)}")
    digest, inputs, tick, seed, collisions, actors, contacts, progress, visited, controls = (
        _HEADER.unpack_from(data)
    )
    ends = [_HEADER.size]
    for size, count in (
        (_ENTITY.size, 1 + actors),
        (_CONTACT.size, contacts),
        (_PROGRESS.size, progress),
        (_VISITED.size, visited),
    ):
        ends.append(ends[-1] + size * count)
    if len(data) < ends[4]:
        raise ValueError(f"a state of {actors} actors takes {ends[4]} bytes, got {len(data)}")
    entities = [_unpack_entity(data, at) for at in range(ends[0], ends[1], _ENTITY.size)]
    living = None
    if len(data) > ends[4]:
        walkers = [entity.id >= FIRST_WALKER for entity in entities].count(True)
        everybody = [entity.id >= FIRST_DRIVER for entity in entities].count(True)
        living = unpack_living(data, ends[4], everybody - walkers, walkers)
    return WorldState(
        tick,
        seed,
        entities[0],
        tuple(entities[1:]),
        Controls.unpack(controls),
        tuple(
            [
                Contact(*_CONTACT.unpack_from(data, at))
                for at in range(ends[1], ends[2], _CONTACT.size)
            ]
        ),
        collisions,
        digest,
        inputs,
        tuple([_progress(data, at) for at in range(ends[2], ends[3], _PROGRESS.size)]),
        tuple([_VISITED.unpack_from(data, at)[0] for at in range(ends[3], ends[4], _VISITED.size)]),
        cast,
        living,
    )


def _progress(data: bytes, at: int) -> tuple[int, float]:
    key, s = _PROGRESS.unpack_from(data, at)
    return key, s


def chain_inputs(inputs: bytes, controls: Controls) -> bytes:
    """The chain over all controls consumed, one tick longer."""
    return sha256(inputs + controls.pack()).digest()


def seal(state: WorldState) -> bytes:
    """Digest of everything up to this state, from the one it carries."""
    return sha256(state.digest + state.inputs + pack_state(state)[_CHAINED:]).digest()


def checkpoint(state: WorldState) -> Checkpoint:
    """What vouches for this tick. Between two chained ticks the digest is made for this one."""
    chained = state.tick % DIGEST_TICKS == 0
    return Checkpoint(state.tick, state.digest if chained else seal(state), state.inputs)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def _numbers(values: tuple[float, ...]) -> bytes:
    return struct.pack(f"<I{len(values)}d", len(values), *values)


def pack_part(part: Part) -> bytes:
    """Every number and word of one part, for the digest that a session starts from."""
    trigger, track = part.trigger, part.track
    flags = 2 * part.waits + part.yields + 4 * REACTIONS.index(part.reacts)
    fields = [
        struct.pack("<iiii", part.id, int(part.kind), part.wave, flags),
        _text(part.name),
        _text(part.body),
        _text(part.ending),
        struct.pack("<qqq", trigger.at_tick, trigger.after, trigger.delay),
        _numbers(trigger.near or ()),
        _numbers(track.s),
        _numbers(track.x),
        _numbers(track.y),
        _numbers(track.heading),
        struct.pack("<I", len(part.profile)),
    ]
    fields += [struct.pack("<qd", at, speed) for at, speed in part.profile]
    if trigger.beside >= 0:  # a part that uses none of what came later keeps its bytes
        fields.append(struct.pack("<q", trigger.beside))
    return b"".join(fields)


def genesis(
    city: City, cast: tuple[Part, ...], seed: int, scenario_digest: str, level: str = "none"
) -> bytes:
    """Where the chain of a session starts: world, pack, scenario, seed, every part, and how much
    of the city lives, where any does."""
    chain = sha256(b"scale-diffusion world")
    chain.update(struct.pack("<IIQI", WORLD_VERSION, TICK_HZ, seed, len(cast)))
    chain.update(_text(city.digest))
    chain.update(_text(scenario_digest))
    for part in cast:
        chain.update(pack_part(part))
    if level != "none":
        chain.update(_text(level))
    return chain.digest()
