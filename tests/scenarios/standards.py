"""The ASAM checkers, and reading an exported case back by nothing of ours."""

import collections
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

CHECKERS = {"xosc": "qc_openscenario", "xodr": "qc_opendrive"}


def asam_check(path: Path) -> tuple[dict[str, int], list[str], list[str]]:
    """(checks by status, why some were skipped, rules with an issue). Skips without the checker."""
    kind = path.suffix[1:]
    checker = shutil.which(CHECKERS[kind], path=os.environ.get("PATH"))
    if checker is None:
        pytest.skip(f"{CHECKERS[kind]} (package asam-qc-{kind}) is not on PATH")
    result, order = path.with_suffix(f".{kind}.xqar"), path.with_suffix(f".{kind}.qc.xml")
    order.write_text(
        f'<?xml version="1.0"?><Config><Param name="InputFile" value="{path.resolve()}"/>'
        f'<CheckerBundle application="{kind}Bundle">'
        f'<Param name="resultFile" value="{result.resolve()}"/></CheckerBundle></Config>'
    )
    subprocess.run([checker, "-c", str(order)], check=True, capture_output=True, cwd=path.parent)
    root = ET.parse(result).getroot()
    checks = list(root.iter("Checker"))
    skipped = [str(one.get("summary")) for one in checks if one.get("status") != "completed"]
    issues = [str(one.get("ruleUID")) for one in root.iter("Issue")]
    return dict(collections.Counter(str(one.get("status")) for one in checks)), skipped, issues


def polyline(root: ET.Element, name: str) -> NDArray[np.float64]:
    """Rows of time [s], x, y [m], heading [rad] of the trajectory of one entity."""
    line = root.find(f".//Trajectory[@name='way_{name}']")
    assert line is not None
    rows = []
    for vertex in line.iter("Vertex"):
        at = vertex.find(".//WorldPosition")
        assert at is not None
        rows.append([float(vertex.get("time", "nan")), *(float(at.get(k, "nan")) for k in "xyh")])
    return np.array(rows)


def at_times(rows: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """x, y at so many seconds, linear between the vertices and held at both ends."""
    return np.stack([np.interp(times, rows[:, 0], rows[:, k]) for k in (1, 2)], axis=1)
