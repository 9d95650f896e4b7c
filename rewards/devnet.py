"""The local devnet: Solana's JSON-RPC over plain HTTP on loopback, in front of a `Bank`.

Owns the port and the words of the protocol. Real clients talk to it unchanged; it knows nothing
of sessions or payouts. No websockets, no `jsonParsed`, no lookup tables.
"""

import base64
import json
import logging
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

import base58
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from rewards.bank import CONFIRMED_SLOTS, FINAL_SLOTS, Bank, Landed, Refusal, fee
from rewards.files import write_json
from rewards.parent import exit_with_parent
from rewards.settings import RewardsSettings

LOCAL_VERSION = "2.3.0-local"  # what getVersion says; nobody's cluster calls itself so
MAX_BODY = 1 << 20
MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
_AGE = {"processed": 0, "confirmed": CONFIRMED_SLOTS, "finalized": FINAL_SLOTS}
log = logging.getLogger(__name__)

Options = Mapping[str, Any]


class RpcFault(Exception):
    """A JSON-RPC error: code, message, data."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(code, message, data)
        self.code, self.message, self.data = code, message, data


class Devnet:
    """Answers JSON-RPC requests from a bank. `answer` may be called from any thread."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self._methods: dict[str, Callable[[list[Any], Options], Any]] = {
            "getAccountInfo": lambda p, o: self._with_slot(self._account(p[0])),
            "getBalance": lambda p, o: self._with_slot(self._lamports(p[0])),
            "getBlockHeight": lambda p, o: self._height(o),
            "getFeeForMessage": lambda p, o: self._with_slot(self._fee(p[0])),
            "getGenesisHash": lambda p, o: self.bank.genesis,
            "getHealth": lambda p, o: "ok",
            "getLatestBlockhash": lambda p, o: self._with_slot(self._latest()),
            "getMinimumBalanceForRentExemption": lambda p, o: self.bank.rent(int(p[0])),
            "getMultipleAccounts": lambda p, o: self._with_slot([self._account(k) for k in p[0]]),
            "getRecentPrioritizationFees": lambda p, o: [
                {"slot": self.bank.slot, "prioritizationFee": 0}
            ],
            "getSignatureStatuses": lambda p, o: self._with_slot([self._status(s) for s in p[0]]),
            "getSignaturesForAddress": lambda p, o: self._signatures(p[0], o),
            "getSlot": lambda p, o: self._height(o),
            "getTokenAccountBalance": lambda p, o: self._with_slot(self._tokens(p[0])),
            "getTransaction": lambda p, o: self._transaction(p[0], o),
            "getVersion": lambda p, o: {"solana-core": LOCAL_VERSION, "feature-set": 1},
            "isBlockhashValid": lambda p, o: self._with_slot(
                self.bank.last_valid_height(p[0]) is not None
            ),
            "requestAirdrop": lambda p, o: self.bank.airdrop(_address(p[0]), int(p[1])),
            "sendTransaction": lambda p, o: self.send(
                _bytes(p[0], o), bool(o.get("skipPreflight"))
            ),
            "simulateTransaction": lambda p, o: self._with_slot(self._simulate(_bytes(p[0], o))),
        }

    def answer(self, body: bytes) -> bytes:
        """One HTTP body, single or batch, to its reply."""
        try:
            asked = json.loads(body)
        except ValueError:
            return _encode(_failed(None, RpcFault(-32700, "Parse error")))
        if isinstance(asked, list):
            return _encode([self._one(request) for request in asked])
        return _encode(self._one(asked))

    def _one(self, request: Any) -> dict[str, Any]:
        number = request.get("id") if isinstance(request, dict) else None
        try:
            if not isinstance(request, dict) or "method" not in request:
                raise RpcFault(-32600, "Invalid request")
            method = self._methods.get(request["method"])
            if method is None:
                raise RpcFault(-32601, "Method not found")
            parameters = request.get("params") or []
            options = parameters[-1] if parameters and isinstance(parameters[-1], dict) else {}
            given = {key: value for key, value in options.items() if value is not None}
            with self.bank.lock:
                self.bank.advance()
                result = method(parameters, given)
            return {"jsonrpc": "2.0", "id": number, "result": result}
        except RpcFault as fault:
            return _failed(number, fault)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
            return _failed(number, RpcFault(-32602, f"Invalid params: {error}"))

    # --- methods ------------------------------------------------------------------------------

    def send(self, raw: bytes, skip_preflight: bool) -> str:
        try:
            return self.bank.submit(raw, skip_preflight)
        except Refusal as refusal:
            if refusal.error is None:
                raise RpcFault(-32602, refusal.logs[0]) from refusal
            data = {
                "err": refusal.error,
                "logs": refusal.logs,
                "accounts": None,
                "unitsConsumed": refusal.units,
            }
            why = f"Transaction simulation failed: {refusal.error}"
            raise RpcFault(-32002, why, data) from refusal

    def _simulate(self, raw: bytes) -> dict[str, Any]:
        error, logs, units = self.bank.simulate(raw)
        return {
            "err": error,
            "logs": logs,
            "accounts": None,
            "unitsConsumed": units,
            "returnData": None,
        }

    def _with_slot(self, value: Any) -> dict[str, Any]:
        return {"context": {"slot": self.bank.slot, "apiVersion": "2.3.0"}, "value": value}

    def _height(self, options: Options) -> int:
        return self.bank.slot - _AGE[options.get("commitment", "finalized")]

    def _latest(self) -> dict[str, Any]:
        name = self.bank.blockhash
        return {"blockhash": name, "lastValidBlockHeight": self.bank.last_valid_height(name)}

    def _account(self, address: str) -> dict[str, Any] | None:
        account = self.bank.account(address)
        if account is None:
            return None
        return {
            "lamports": account.lamports,
            "owner": str(account.owner),
            "data": [base64.b64encode(account.data).decode(), "base64"],
            "executable": account.executable,
            "rentEpoch": 0,
            "space": len(account.data),
        }

    def _lamports(self, address: str) -> int:
        account = self.bank.account(address)
        return 0 if account is None else int(account.lamports)

    def _tokens(self, address: str) -> dict[str, Any]:
        held = self.bank.token(self.bank.account(address))
        if held is None:
            raise RpcFault(-32602, "Invalid param: could not find account")
        amount: dict[str, Any] = held["uiTokenAmount"]
        return amount

    def _fee(self, encoded: str) -> int:
        raw = base64.b64decode(encoded)
        return fee(MessageV0.from_bytes(raw[1:]) if raw[0] & 0x80 else Message.from_bytes(raw))

    def _level(self, landed: Landed) -> tuple[str, int | None]:
        age = self.bank.slot - landed.slot
        if age >= FINAL_SLOTS:
            return "finalized", None
        return ("confirmed" if age >= CONFIRMED_SLOTS else "processed"), age

    def _status(self, signature: str) -> dict[str, Any] | None:
        landed = self.bank.landed(signature)
        if landed is None:
            return None
        level, confirmations = self._level(landed)
        return {
            "slot": landed.slot,
            "confirmations": confirmations,
            "err": landed.meta["err"],
            "status": landed.meta["status"],
            "confirmationStatus": level,
        }

    def _seen(self, landed: Landed, options: Options) -> bool:
        return self.bank.slot - landed.slot >= _AGE[options.get("commitment", "finalized")]

    def _signatures(self, address: str, options: Options) -> list[dict[str, Any]]:
        limit = min(int(options.get("limit", 1_000)), 1_000)
        newest = self._height(options)
        before, until = options.get("before", ""), options.get("until", "")
        return [
            {
                "signature": landed.signature,
                "slot": landed.slot,
                "blockTime": landed.wall_s,
                "err": landed.meta["err"],
                "memo": _memo(landed.raw),
                "confirmationStatus": self._level(landed)[0],
            }
            for landed in self.bank.mentions(address, before, until, limit, newest)
        ]

    def _transaction(self, signature: str, options: Options) -> dict[str, Any] | None:
        landed = self.bank.landed(signature)
        if landed is None or not landed.raw or not self._seen(landed, options):
            return None
        decoded = VersionedTransaction.from_bytes(landed.raw)
        shown: Any = [base64.b64encode(landed.raw).decode(), "base64"]
        if options.get("encoding") != "base64":
            signatures = [str(signature) for signature in decoded.signatures]
            shown = {"signatures": signatures, "message": _message_json(decoded.message)}
        return {
            "slot": landed.slot,
            "blockTime": landed.wall_s,
            "transaction": shown,
            "meta": landed.meta,
            "version": 0 if isinstance(decoded.message, MessageV0) else "legacy",
        }


class DevnetServer(ThreadingHTTPServer):
    """The devnet's port on loopback. `url` once it is made; port 0 = any free one."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, devnet: Devnet, port: int = 0) -> None:
        self.devnet = devnet
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> threading.Thread:
        """Serve on a thread of its own until `shutdown`."""
        thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="devnet")
        thread.start()
        return thread


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet a reply
    timeout = 60.0
    server: DevnetServer

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if not 0 < size <= MAX_BODY:
            self.send_error(413)
            return
        reply = self.server.devnet.answer(self.rfile.read(size))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug("devnet.request " + format, *args)


def open_devnet(settings: RewardsSettings) -> DevnetServer:
    """The devnet of `settings.folder`, on its port of last time when that is free."""
    bank = Bank(settings.folder / "devnet.sqlite", settings.slot_ms)
    try:
        try:
            server = DevnetServer(Devnet(bank), settings.devnet_port or int(bank.fact("port") or 0))
        except OSError:
            if settings.devnet_port:
                raise
            server = DevnetServer(Devnet(bank), 0)
        bank.remember("port", str(server.server_address[1]))
    except BaseException:
        bank.close()
        raise
    write_json(settings.endpoint_path, {"url": server.url, "genesis": bank.genesis})
    return server


def run_devnet(settings: RewardsSettings, ready: Connection) -> None:
    """Entry of the devnet's process: sends {"url", "genesis"} once up, ends with its parent."""
    server = open_devnet(settings)
    exit_with_parent(server.devnet.bank.close)
    ready.send({"url": server.url, "genesis": server.devnet.bank.genesis})
    try:
        server.serve_forever(0.05)
    finally:
        server.server_close()
        server.devnet.bank.close()


def _address(text: str) -> Pubkey:
    return Pubkey.from_string(text)


def _bytes(text: str, options: Options) -> bytes:
    if options.get("encoding") == "base64":
        return base64.b64decode(text)
    return bytes(base58.b58decode(text))


def _memo(raw: bytes) -> str | None:
    if not raw:
        return None
    message = VersionedTransaction.from_bytes(raw).message
    texts = [
        bytes(instruction.data)
        for instruction in message.instructions
        if str(message.account_keys[instruction.program_id_index]) == MEMO
    ]
    return "; ".join(f"[{len(t)}] {t.decode('utf-8', 'replace')}" for t in texts) or None


def _message_json(message: Any) -> dict[str, Any]:
    head = message.header
    return {
        "header": {
            "numRequiredSignatures": head.num_required_signatures,
            "numReadonlySignedAccounts": head.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": head.num_readonly_unsigned_accounts,
        },
        "accountKeys": [str(key) for key in message.account_keys],
        "recentBlockhash": str(message.recent_blockhash),
        "addressTableLookups": [],
        "instructions": [
            {
                "programIdIndex": instruction.program_id_index,
                "accounts": list(instruction.accounts),
                "data": base58.b58encode(bytes(instruction.data)).decode(),
                "stackHeight": None,
            }
            for instruction in message.instructions
        ],
    }


def _failed(number: Any, fault: RpcFault) -> dict[str, Any]:
    error: dict[str, Any] = {"code": fault.code, "message": fault.message}
    if fault.data is not None:
        error["data"] = fault.data
    return {"jsonrpc": "2.0", "id": number, "error": error}


def _encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
