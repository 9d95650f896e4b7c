"""Shader programs by name, from the package's own files; all share one text of light and haze."""

from functools import cache
from pathlib import Path
from typing import Any

from panda3d.core import ColorBlendAttrib, LVecBase4f, RenderState, Shader, ShaderAttrib

_FOLDER = Path(__file__).parent / "shaders"
_VERSION = "#version 330\n"

# program -> vertex file, fragment file, whether it writes the planes through emit()
_PROGRAMS = {
    "facade": ("facade.vert", "facade.frag", True),
    "shop": ("facade.vert", "shop.frag", True),
    "drowned": ("facade.vert", "drowned.frag", True),
    "drowned_shop": ("facade.vert", "drowned.frag", True),
    "roof": ("static.vert", "roof.frag", True),
    "road": ("static.vert", "road.frag", True),
    "road_bikes": ("static.vert", "road.frag", True),
    "ground": ("static.vert", "ground.frag", True),
    "actor": ("actor.vert", "actor.frag", True),
    "lamp": ("lamp.vert", "lamp.frag", True),
    "sky": ("sky.vert", "sky.frag", True),
    "shade": ("shade.vert", "shade.frag", False),
    "mirror": ("actor.vert", "mirror.frag", False),
    "beneath": ("actor.vert", "beneath.frag", True),
    "prop": ("static.vert", "prop.frag", True),
    "prop_many": ("prop.vert", "prop.frag", True),
    "sign": ("static.vert", "sign.frag", True),
}

_UNDER = ("drowned", "drowned_shop")  # what is laid over the programs of others


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def program(name: str, features: tuple[str, ...] = ()) -> Any:
    """The compiled-on-use shader program `name`, built with `features` (of `daylight.Look`)."""
    vertex, fragment, emits = _PROGRAMS[name]
    defined = (*features, f"IS_{name.upper()}")
    head = _VERSION + "".join(f"#define {feature}\n" for feature in defined)
    common = head + _read("common.glsl")
    return Shader.make(
        Shader.SL_GLSL,
        vertex=common + _read(vertex),
        fragment=common + (_read("outputs.glsl") if emits else "") + _read(fragment),
    )


TAG = "program"
"""The tag by which a camera that reads labels finds the programs that it has to replace."""
_OVER = 20  # above the priority of any program that a node names itself


def dress(path: Any, name: str, features: tuple[str, ...], priority: int = 0) -> None:
    """Give a node a program. It writes colour alone; see `labelled`."""
    path.setShader(program(name, features), priority)
    path.setTag(TAG, name)


def blend(path: Any, own: int, beneath: int) -> None:
    """Blend the colours of a node by these operands; the faces in the picture's alpha stay."""
    add, none = ColorBlendAttrib.MAdd, LVecBase4f(0.0)
    zero, one = ColorBlendAttrib.OZero, ColorBlendAttrib.OOne
    path.setAttrib(ColorBlendAttrib.make(add, own, beneath, add, zero, one, none))


def labelled(features: tuple[str, ...]) -> dict[str, Any]:
    """By the tags of `dress`, the same programs writing the label planes too.

    Without labels a program has less to carry from corner to corner, for every triangle.
    """
    found = {}
    for name in _PROGRAMS:
        own = ("MIRROR",) if name == "mirror" else ()
        made = program(name, (*features, *own, "LABELS"))
        priority = _OVER if name in _UNDER else 1
        found[name] = RenderState.make(ShaderAttrib.make(made, priority))
    return found
