"""Events: enrolled devices give out one-use codes; nobody else can, and no code works twice."""

import hashlib
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from solders.keypair import Keypair

from game.session.ids import new_id
from rewards import tickets
from rewards.intake import Intake
from rewards.kiosk import WRONG, Kiosks, code_hash, network_of
from rewards.refusal import Refused
from rewards.service import ApiConfig, open_intake
from rewards.settings import RewardsSettings
from tests.rewards.loopback import listening
from tests.rewards.outline import Outline, sound

pytestmark = pytest.mark.network
WALLET = str(Keypair.from_seed(bytes(range(32))).pubkey())
OTHER = str(Keypair.from_seed(bytes(range(1, 33))).pubkey())
FILM = b"\0\0\0\x18ftypmp42" + bytes(500)
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def fresh_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(26))


@dataclass
class Device:
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def name(self) -> str:
        return tickets.public_hex(self.key)

    def asked(self, code: str, now_s: float, **changes: Any) -> dict[str, Any]:
        body: dict[str, Any] = {
            "v": 1, "device": self.name, "code": code_hash(code),
            "claim": tickets.public_hex(Ed25519PrivateKey.generate()), "session": new_id(),
            "made_s": int(now_s), "ends_s": int(now_s) + 86400,
        }  # fmt: skip
        body |= changes
        body["sig"] = self.key.sign(tickets.canonical(body)).hex()
        return body

    def signature(self, code: str, data: bytes) -> str:
        body = {"v": 1, "code": code_hash(code), "clip": hashlib.sha256(data).hexdigest()}
        return self.key.sign(tickets.canonical(body)).hex()


@dataclass
class Place:
    url: str
    intake: Intake
    clock: list[float]

    @property
    def kiosks(self) -> Kiosks:
        assert self.intake.desk is not None
        return Kiosks(self.intake.desk)

    def post(self, path: str, **body: Any) -> requests.Response:
        return requests.post(f"{self.url}{path}", json=body, timeout=120)

    def enrolled(self, daily: int = 100) -> Device:
        device = Device()
        self.kiosks.enrolled.enrol(device.name, "lobby", daily)
        return device

    def coded(self, device: Device, **changes: Any) -> tuple[str, dict[str, Any]]:
        code = fresh_code()
        body = device.asked(code, self.clock[0], **changes)
        reply = self.post("/v1/kiosk/codes", **body)
        assert reply.status_code == 201, reply.text
        return code, body

    def put(self, device: Device, code: str, data: bytes, signature: str = "") -> requests.Response:
        headers = {"signature": signature or device.signature(code, data)}
        url = f"{self.url}/v1/kiosk/clips/{code_hash(code)}"
        return requests.put(url, data=data, headers=headers, timeout=120)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    clock = [2_000_000_000.0]
    settings = RewardsSettings(folder=tmp_path_factory.mktemp("place"), policy="demo", keep_free=0)
    opened = open_intake(ApiConfig(settings))
    assert opened.desk is not None
    desk = replace(opened.desk, now=lambda: clock[0])
    intake = replace(opened, desk=desk, now=desk.now)
    with listening(intake) as address:
        yield Place(address, intake, clock)


@pytest.fixture
def place(served: Place) -> Place:
    served.clock[0] += 3600.0  # every test comes with its rates filled up
    return served


def reason(reply: requests.Response) -> str:
    assert reply.status_code >= 400, reply.text
    return str(reply.json()["reason"])


def test_a_visitor_names_the_wallet_once(place: Place) -> None:
    code, body = place.coded(place.enrolled())
    assert place.post("/v1/codes/look", code=code).json()["state"] == "waiting"
    typed = f"{code[:5]}-{code[5:]}".lower()  # as people type it
    assert place.post("/v1/codes/claim", code=typed, wallet=WALLET).json()["wallet"] == WALLET
    assert place.intake.ledger.binding(body["claim"])[0] == WALLET  # type: ignore[index]
    assert reason(place.post("/v1/codes/claim", code=code, wallet=OTHER)) == "code.used"
    assert place.intake.ledger.binding(body["claim"])[0] == WALLET  # type: ignore[index]


def test_a_crash_between_code_and_ledger_is_mended_by_asking_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, body = place.coded(place.enrolled())
    desk = place.intake.desk
    assert desk is not None

    def broken(*_: object) -> None:
        raise OSError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(type(desk), "bind_claim", broken)
        with pytest.raises(OSError, match="gone"):
            place.kiosks.claim(code, WALLET, "")
    assert place.intake.ledger.binding(body["claim"]) is None
    assert reason(place.post("/v1/codes/claim", code=code, wallet=OTHER)) == "code.used"
    place.post("/v1/codes/claim", code=code, wallet=WALLET)
    assert place.intake.ledger.binding(body["claim"])[0] == WALLET  # type: ignore[index]


def test_only_enrolled_devices_register_codes(place: Place) -> None:
    stranger, device = Device(), place.enrolled()
    now_s = place.clock[0]
    body = stranger.asked(fresh_code(), now_s)
    assert reason(place.post("/v1/kiosk/codes", **body)) == "device.unknown"
    forged = stranger.asked(fresh_code(), now_s, device=device.name)
    assert reason(place.post("/v1/kiosk/codes", **forged)) == "device.signature"
    changed = device.asked(fresh_code(), now_s) | {"claim": "0" * 64}
    assert reason(place.post("/v1/kiosk/codes", **changed)) == "device.signature"
    place.kiosks.enrolled.revoke(device.name)
    late = device.asked(fresh_code(), now_s)
    assert reason(place.post("/v1/kiosk/codes", **late)) == "device.unknown"


def test_a_code_and_a_claim_belong_to_one_registration(place: Place) -> None:
    device, other = place.enrolled(), place.enrolled()
    code, body = place.coded(device)
    assert place.post("/v1/kiosk/codes", **body).status_code == 201  # sent again: nothing new
    taken = other.asked(code, place.clock[0])
    assert reason(place.post("/v1/kiosk/codes", **taken)) == "code.taken"
    twice = device.asked(fresh_code(), place.clock[0], claim=body["claim"])
    assert reason(place.post("/v1/kiosk/codes", **twice)) == "claim.taken"


def test_a_device_has_a_quota_by_the_day(place: Place) -> None:
    device = place.enrolled(daily=2)
    place.coded(device)
    place.coded(device)
    third = device.asked(fresh_code(), place.clock[0])
    assert reason(place.post("/v1/kiosk/codes", **third)) == "quota.device"
    place.clock[0] += 86401
    place.coded(device)


def test_a_code_ends(place: Place) -> None:
    device = place.enrolled()
    code, _ = place.coded(device)
    assert place.put(device, code, FILM).status_code == 201
    place.clock[0] += 86400
    for path, more in (("look", {}), ("claim", {"wallet": WALLET}), ("clip", {})):
        assert reason(place.post(f"/v1/codes/{path}", code=code, **more)) == "code.unknown"
    assert len(place.intake.desk.clean.keys("souvenirs/")) == 1  # type: ignore[union-attr]
    place.coded(device)  # and with the next one it is swept
    assert place.intake.desk.clean.keys("souvenirs/") == []  # type: ignore[union-attr]


def test_guessing_is_slowed_down_for_the_address_that_guesses(place: Place) -> None:
    code, _ = place.coded(place.enrolled())
    said = [place.post("/v1/codes/look", code=fresh_code()) for _ in range(WRONG.most + 1)]
    assert reason(said[-2]) == "code.unknown"
    assert reason(said[-1]) == "quota.wrong"
    assert reason(place.post("/v1/codes/look", code=code)) == "quota.wrong", "a right one too"
    assert place.kiosks.look(code, "another address")["state"] == "waiting"
    place.clock[0] += 3600 / WRONG.per_hour
    assert place.post("/v1/codes/look", code=code).json()["state"] == "waiting"


def test_right_codes_do_not_shut_out_those_who_share_an_address(place: Place) -> None:
    code, _ = place.coded(place.enrolled())
    for _ in range(WRONG.most + 5):
        assert place.post("/v1/codes/look", code=code).status_code == 200


def test_a_line_of_ipv6_counts_as_one() -> None:
    assert network_of("2001:db8:1:2:3::1") == network_of("2001:db8:1:2:ffff::9")
    assert network_of("2001:db8:1:2::1") != network_of("2001:db8:1:3::1")
    assert network_of("::ffff:192.0.2.7") == network_of("192.0.2.7") == "192.0.2.7"


def send(place: Place, path: str = "/c", **fields: str) -> requests.Response:
    """A form as a browser sends it."""
    return requests.post(f"{place.url}{path}", data=fields, timeout=120)


def hidden(page: Outline) -> dict[str, str]:
    """What the first form of a page holds for its next step."""
    found = [field for field in page.all("input") if field.get("type") == "hidden"]
    return {field["name"]: field["value"] for field in found[: len({f["name"] for f in found})]}


def test_without_a_script_forms_lead_to_the_wallet(place: Place) -> None:
    device = place.enrolled()
    code, body = place.coded(device)
    place.put(device, code, FILM)
    first = send(place, code=f"{code[:5]}-{code[5:]}".lower())
    drive = sound(first.text)
    assert "waits for its check" in first.text
    assert send(place, "/c/clip", **hidden(drive)).content == FILM
    asked = send(place, **hidden(drive), wallet=f" {WALLET} ")
    sure = sound(asked.text)
    assert WALLET[:5] in asked.text
    assert WALLET[-5:] in asked.text
    assert place.intake.ledger.binding(body["claim"]) is None, "nothing before the visitor is sure"
    done = send(place, **hidden(sure))
    sound(done.text)
    assert f"Noted: this drive is paid to {WALLET}" in done.text
    assert place.intake.ledger.binding(body["claim"])[0] == WALLET  # type: ignore[index]
    assert "wallet-form" not in send(place, code=code).text, "it can be done once"
    other = send(place, code=code, wallet=OTHER, sure="yes")
    assert (other.status_code, "This code has been used" in other.text) == (409, True)


def test_what_a_form_sends_is_told_what_is_wrong_with_it(place: Place) -> None:
    code, body = place.coded(place.enrolled())
    for fields, status, words in (
        ({"code": fresh_code()}, 404, "No such code"),
        ({"code": "<script>alert(1)</script>"}, 404, "No such code"),
        ({}, 404, "No such code"),
        ({"code": code, "wallet": WALLET[:-1], "sure": "yes"}, 422, "Solana"),
        ({"code": code, "wallet": "11111111111111111111111111111111"}, 422, "nobody"),
        ({"code": code, "wallet": "<b>"}, 422, "is not used in Solana"),
    ):
        reply = send(place, **fields)
        sound(reply.text)
        assert (reply.status_code, reply.headers["Cache-Control"]) == (status, "no-store")
        assert 'role="alert"' in reply.text
        assert "<script>" not in reply.text
        if words not in ("Solana", "nobody"):
            assert words in reply.text
    assert send(place, "/c/clip", code=code).status_code == 404
    assert place.intake.ledger.binding(body["claim"]) is None
    for garbage in (b"\xff\xfe", b"code=" + b"A" * 200_000, b"&".join([b"a=b"] * 500)):
        assert requests.post(f"{place.url}/c", data=garbage, timeout=120).status_code == 404


def test_the_clip_comes_from_the_device_and_goes_to_who_has_the_code(place: Place) -> None:
    device, other = place.enrolled(), place.enrolled()
    code, _ = place.coded(device)
    assert reason(place.post("/v1/codes/clip", code=code)) == "clip.none"
    forged = place.put(device, code, FILM, other.signature(code, FILM))
    assert reason(forged) == "clip.signature"
    assert reason(place.put(device, fresh_code(), FILM)) == "code.unknown"
    assert reason(place.put(device, code, b"<html>" + bytes(99))) == "clip.shape"
    assert place.put(device, code, FILM).status_code == 201
    assert place.put(device, code, FILM).status_code == 201  # sent again
    assert reason(place.put(device, code, FILM + b"x")) == "clip.taken"
    reply = place.post("/v1/codes/clip", code=code)
    assert reply.content == FILM
    assert reply.headers["Content-Type"] == "video/mp4"
    assert place.post("/v1/codes/look", code=code).json()["clip"] is True


def test_the_code_itself_is_stored_nowhere(place: Place) -> None:
    device = place.enrolled()
    code, _ = place.coded(device)
    place.put(device, code, FILM)
    place.post("/v1/codes/claim", code=code, wallet=WALLET)
    folder = place.intake.desk.settings.folder  # type: ignore[union-attr]
    for file in (path for path in Path(folder).rglob("*") if path.is_file()):
        assert code.encode() not in file.read_bytes(), file


def test_the_page_lets_no_address_bar_or_referrer_tell_the_code(place: Place) -> None:
    reply = requests.get(f"{place.url}/c", timeout=120)
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
    assert "code.js" in reply.text
    assert "location.hash" in requests.get(f"{place.url}/code.js", timeout=120).text


def test_bad_enrolments_are_refused(place: Place) -> None:
    for key, name, daily in (("short", "x", 5), ("0" * 64, " ", 5), ("0" * 64, "x", 0)):
        with pytest.raises(Refused):
            place.kiosks.enrolled.enrol(key, name, daily)


@pytest.mark.heavy
@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
def test_a_phone_sees_the_drive_and_the_code_leaves_the_address_bar(
    place: Place, tmp_path: Path
) -> None:
    device = place.enrolled()
    code, _ = place.coded(device)
    place.put(device, code, FILM)
    assert BROWSER is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000"]
    flags += [f"--user-data-dir={tmp_path}", "--window-size=390,844", "--dump-dom"]
    done = subprocess.run(
        [BROWSER, *flags, f"{place.url}/c#{code}"], capture_output=True, text=True, timeout=600
    )
    assert "waits for its check" in done.stdout, done.stdout[-1500:]
    assert code not in re.sub(r'<input type="hidden" name="code" value="[^"]*">', "", done.stdout)
    assert '<button id="fetch"' in done.stdout
