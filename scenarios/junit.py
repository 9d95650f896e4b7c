"""Results as JUnit XML, which every CI server shows: a suite a scenario, a test case a seed."""

from collections.abc import Sequence
from xml.etree import ElementTree

from game.world.version import TICK_HZ
from scenarios.batch import Done


def junit(done: Sequence[Done]) -> bytes:
    """The XML document. Times are seconds of the world, not of the machine."""
    root = ElementTree.Element("testsuites", name="scale-diffusion scenarios")
    groups: dict[str, list[Done]] = {}
    for one in done:
        groups.setdefault(one.result.scenario, []).append(one)
    for name, members in groups.items():
        failed = sum(not one.result.success for one in members)
        seconds = sum(one.result.ticks for one in members) / TICK_HZ
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(members)),
            failures=str(failed),
            time=f"{seconds:.3f}",
        )
        for one in members:
            _case(suite, one)
    ElementTree.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root) + b"\n"


def _case(suite: ElementTree.Element, one: Done) -> None:
    result = one.result
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=f"{result.scenario}.{result.driver}",
        name=f"seed {result.seed}",
        time=f"{result.ticks / TICK_HZ:.3f}",
    )
    if result.success:
        return
    message = f"{result.reason}: {result.cause}" if result.cause else result.reason
    failure = ElementTree.SubElement(case, "failure", message=message, type=result.reason)
    if one.bundle:
        failure.text = f"drive it again: scale-diffusion scenario run --driver replay {one.bundle}"
