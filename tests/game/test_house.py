"""Rules of the house that no linter knows: sizes, free imports, words that stay out."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("game", "scenarios", "streaming", "rewards", "tests")
FILE_LINES, FUNCTION_LINES = 500, 60


def modules() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


def functions(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in found]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_room_holds_all_the_wiring(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= FILE_LINES
    assert [name for name, lines in functions(path) if lines > FUNCTION_LINES] == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is(path: Path) -> None:
    if path.name != "__init__.py" or path.read_text(encoding="utf-8").strip():
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_importing_anything_changes_nothing() -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in modules()
        if path.relative_to(ROOT).parts[0] != "tests" and path.stem not in ("__init__", "__main__")
    ]
    # OpenCV extends LD_LIBRARY_PATH when it is imported; it is a part of the server alone.
    # Gymnasium sets PYGAME_HIDE_SUPPORT_PROMPT; it is a part of game.gym alone
    probe = (
        "import builtins, importlib, os, signal, sys, threading\n"
        "os.environ['LD_LIBRARY_PATH'] = ''\n"
        "os.environ['PYGAME_HIDE_SUPPORT_PROMPT'] = 'hide'\n"
        "before = (dict(os.environ), os.getcwd(), len(threading.enumerate()),"
        " {n for n in dir(builtins) if 'pybind11' not in n},"
        " signal.getsignal(signal.SIGTERM), list(sys.path))\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "os.environ['LD_LIBRARY_PATH'] = ''\n"
        "after = (dict(os.environ), os.getcwd(), len(threading.enumerate()),"
        " {n for n in dir(builtins) if 'pybind11' not in n},"
        " signal.getsignal(signal.SIGTERM), list(sys.path))\n"
        "assert before == after, [b for a, b in zip(before, after) if a != b]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_players_command_loads_nothing_of_the_server() -> None:
    heavy = ("fastapi", "sqlalchemy", "langgraph", "cv2", "solana", "torch", "boto3", "shapely")
    probe = (
        "import sys, contextlib\nfrom game.cli import main\n"
        "with contextlib.suppress(SystemExit): main(['scenario', 'list', '--json'])\n"
        f"loaded = [name for name in {heavy!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
