"""Whatever feeds the state is written so that IEEE 754 alone decides every bit: read, not believed.

Walks the syntax trees of `game.world`, the pack loader and the parts of `scenarios` that make
tracks and casts.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORLD = sorted((ROOT / "game" / "world").glob("*.py"))
FEEDING = (
    "game/atlas/load.py",
    "game/atlas/pack.py",
    "scenarios/trajectory.py",
    "scenarios/spawn.py",
    "scenarios/place.py",
    "scenarios/expect.py",
)
FEEDERS = [path for name in FEEDING if (path := ROOT / name).is_file()]

WORLD_IMPORTS = ("math", "dataclasses", "enum", "typing", "hashlib", "struct", "bisect", "heapq")
WORLD_IMPORTS += ("collections.abc",)
EXACT_MATH = ("sqrt", "inf", "nan", "isfinite", "isnan")
"""Of `math`, what needs no approximation: the root that IEEE 754 fixes, constants, questions."""
REFUSED_ANYWHERE = ("numpy", "random", "time", "datetime", "cmath", "decimal", "statistics")
REFUSED_CALLS = ("sum", "pow", "hash", "id")
ORDERING = ("list", "tuple", "enumerate", "iter")
SETS = ("set", "frozenset")


def offences(source: str, *, world: bool = True) -> list[str]:
    """One 'line: what' for everything in the source that could differ between machines."""
    tree = ast.parse(source)
    sets = _names_of_sets(tree)
    found = []
    for node in ast.walk(tree):
        for what in _offence(node, sets, world):
            found.append(f"{getattr(node, 'lineno', 0)}: {what}")
    return found


def _offence(node: ast.AST, sets: list[str], world: bool) -> Iterator[str]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Pow):
        exact = isinstance(node, ast.BinOp) and _is_int(node.left) and _is_int(node.right)
        if not exact:
            yield "** of what may be a float"
    if isinstance(node, ast.Name) and node.id in REFUSED_CALLS and _is_read(node):
        yield f"{node.id}()"
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "math":
        yield from (f"math.{name}" for name in (node.attr,) if name not in EXACT_MATH)
    if isinstance(node, ast.ImportFrom | ast.Import):
        yield from _imports(node, world)
    if isinstance(node, ast.For | ast.comprehension) and _is_set(node.iter, sets):
        yield "iteration over a set"
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ORDERING:
        yield from ("order taken from a set" for arg in node.args[:1] if _is_set(arg, sets))


def _imports(node: ast.ImportFrom | ast.Import, world: bool) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        modules = [node.module or ""]
        if node.module == "math":
            yield from (f"math.{a.name}" for a in node.names if a.name not in EXACT_MATH)
    else:
        modules = [alias.name for alias in node.names]
    for module in modules:
        if module.split(".")[0] in REFUSED_ANYWHERE:
            yield f"import of {module}"
        elif world and not (module in WORLD_IMPORTS or module.startswith("game.world")):
            yield f"import of {module}, which is not on the list"


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _is_int(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int)


def _is_set(node: ast.expr, sets: list[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Name):
        return node.id in sets
    if isinstance(node, ast.BinOp):
        return _is_set(node.left, sets) or _is_set(node.right, sets)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SETS


def _names_of_sets(tree: ast.AST) -> list[str]:
    """Names that somewhere in the module are given a set, or are annotated as one."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _is_set(node.value, []):
            names += [t.id for t in node.targets if isinstance(t, ast.Name)]
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            kind = ast.unparse(node.annotation).split("[")[0]
            name = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
            names += [name] if kind in SETS else []
    return names


@pytest.mark.parametrize("path", WORLD, ids=lambda path: path.name)
def test_the_world_computes_the_same_on_every_machine(path: Path) -> None:
    assert offences(path.read_text()) == []


@pytest.mark.parametrize("path", FEEDERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_feeds_the_world_computes_the_same_on_every_machine(path: Path) -> None:
    assert offences(path.read_text(), world=False) == []


@pytest.mark.parametrize(
    "snippet",
    [
        "y = x ** 2",
        "y = 2.0 ** 3",
        "y **= 2",
        "y = pow(x, 2)",
        "y = sum(speeds)",
        "y = max(map(sum, rows))",
        "import math\ny = math.sin(x)",
        "import math\ny = math.hypot(x, z)",
        "import math\ny = math.dist(p, q)",
        "import math\ny = math.fsum(v)",
        "from math import hypot",
        "from math import sqrt, exp as e",
        "import numpy",
        "import numpy as np",
        "from numpy import array",
        "import random",
        "from time import monotonic",
        "import os",
        "from game.atlas import load",
        "for x in {1.0, 2.0}:\n    y += x",
        "for x in set(v):\n    y += x",
        "z = [f(x) for x in frozenset(v)]",
        "z = tuple({a.id for a in actors})",
        "seen = set()\nfor x in seen:\n    y += x",
        "seen: set[int] = f()\nfor x in seen:\n    y += x",
        "def f(seen: set[int]):\n    return [x for x in seen | other]",
        "key = hash(name)",
        "key = id(city)",
    ],
)
def test_the_reader_of_syntax_trees_catches(snippet: str) -> None:
    assert offences(snippet) != []


@pytest.mark.parametrize(
    "snippet",
    [
        "from math import sqrt\ny = sqrt(x * x)",
        "import math\ny = math.sqrt(x)",
        "y = 2 ** 32",
        "for x in sorted({1, 2}):\n    pass",
        "ok = x in {1, 2}",
        "from game.world.trig import sin, atan2, exp",
        "from collections.abc import Iterator",
        "class A:\n    id: int\n    def f(self) -> int:\n        return self.id",
    ],
)
def test_the_reader_of_syntax_trees_lets_pass(snippet: str) -> None:
    assert offences(snippet) == []


def test_the_world_needs_none_of_the_heavy_packages() -> None:
    import subprocess
    import sys

    code = (
        "import sys, pkgutil, game.world as w\n"
        "from importlib import import_module\n"
        "for m in pkgutil.iter_modules(w.__path__, 'game.world.'): import_module(m.name)\n"
        "print([m for m in ('numpy', 'panda3d', 'pydantic', 'av', 'random') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
