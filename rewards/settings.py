"""Settings of the server side: one frozen section, shared by intake, worker, payer and devnet."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RewardsSettings:
    """The server side of the rewards service: section `server` of the settings file.

    Amounts are integers in the token's base units.

    folder: everything the embedded server keeps (ledger, store, queue, devnet, keys).
    database_url: SQLAlchemy URL of the ledger; '' = SQLite in `folder`.
    rpc_url: the Solana endpoint; '' = the local devnet of `folder`.
    witness_url: a second endpoint of the same chain; both must agree before anything is final or
    signed again. Needed on every cluster but the local one.
    mint: token mint, base58; '' = the mint that set-up made on the local devnet.
    policy: name of a bundled policy, or a path to a TOML file.
    host, port: where intake listens; port 0 = any free one.
    devnet_port, slot_ms: the local devnet's port (0 = free) and length of a slot [ms].
    decimals: of the token. supply: tokens minted by set-up on the local devnet [base units].
    daily_budget: most that may be signed away in one UTC day [base units].
    key_file, secret_file: the treasury's key and the receipt secret; relative to `folder`.
    stop_file: while this file exists the payer signs nothing new; relative to `folder`.
    verdict_keys: public keys (hex) of the judges whose verdicts are paid; () = the one that made
    its key in `folder`. Needed on every cluster but the local one.
    journal_keys: public keys (hex) of the enrolled stream servers.
    intake_keys: public keys (hex) of the intakes that may bind a claim to a wallet; () = as above.
    account_from: what a wallet must be owed before its token account is opened, once [base
    units]; the local devnet opens at once.
    max_attempts: signatures tried for one payout before it is parked for a person.
    priority_micro_lamports: price of a compute unit. reserve_lamports: signing stops below it.
    domain: what players read that they sign for when they prove a wallet.
    raw_bucket, clean_bucket: S3 buckets for uploads and for what was accepted; '' = in `folder`.
    queue_url, dead_queue_url: of SQS; '' = a file in `folder`. events: the raw bucket tells the
    queue of new cards by itself, so that the intake does not.
    s3_endpoint, sqs_endpoint: '' = AWS itself. aws_region: of all of them.
    tickets_at_once, tickets_per_hour: run tickets of one payee or device; address_per_hour: of one
    network address.
    keep_free: intake stops when a volume of `folder` has fewer free bytes.
    poll_s: pause between two turns of the payer [s].
    tracing_key_file: a file with a LangSmith key, relative to `folder`; '' = judgements are not
    traced. tracing_url: its endpoint; while that does not answer nothing is sent.
    """

    folder: Path = Path("runs/rewards")
    database_url: str = ""
    rpc_url: str = ""
    witness_url: str = ""
    mint: str = ""
    policy: str = "default"
    host: str = "127.0.0.1"
    port: int = 0
    devnet_port: int = 0
    slot_ms: int = 400
    decimals: int = 6
    supply: int = 1_000_000_000_000_000
    daily_budget: int = 1_000_000_000
    key_file: str = "keys/treasury.json"
    secret_file: str = "keys/receipt.secret"
    stop_file: str = "STOP"
    verdict_keys: tuple[str, ...] = ()
    intake_keys: tuple[str, ...] = ()
    journal_keys: tuple[str, ...] = ()
    account_from: int = 1_000_000
    max_attempts: int = 5
    priority_micro_lamports: int = 1_000
    reserve_lamports: int = 50_000_000
    domain: str = "Scale Diffusion rewards"
    raw_bucket: str = ""
    clean_bucket: str = ""
    queue_url: str = ""
    dead_queue_url: str = ""
    events: bool = False
    s3_endpoint: str = ""
    sqs_endpoint: str = ""
    aws_region: str = "us-east-1"
    tickets_at_once: int = 240
    tickets_per_hour: int = 240
    address_per_hour: int = 1_200
    keep_free: int = 2 << 30
    poll_s: float = 0.4
    tracing_key_file: str = ""
    tracing_url: str = "https://api.smith.langchain.com"

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535 or not 0 <= self.devnet_port <= 65535:
            raise ValueError("rewards.port and rewards.devnet_port are 0 (any free port) to 65535")
        if not 1 <= self.slot_ms <= 60_000:
            raise ValueError("rewards.slot_ms is the length of a slot in milliseconds, 1 to 60000")
        if not 0 <= self.decimals <= 9:
            raise ValueError("rewards.decimals is 0 to 9")
        if min(self.daily_budget, self.supply, self.reserve_lamports, self.account_from) < 0:
            raise ValueError("rewards: amounts are never negative")
        if self.max_attempts < 1:
            raise ValueError("rewards.max_attempts is at least 1")
        if self.poll_s <= 0:
            raise ValueError("rewards.poll_s is a pause in seconds, greater than 0")

    @property
    def ledger_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.folder / 'ledger.sqlite').absolute()}"

    @property
    def key_path(self) -> Path:
        return self.folder / self.key_file

    @property
    def secret_path(self) -> Path:
        return self.folder / self.secret_file

    @property
    def stop_path(self) -> Path:
        return self.folder / self.stop_file

    @property
    def endpoint_path(self) -> Path:
        """Where the local devnet of `folder` listens: {"url", "genesis"}, written by it."""
        return self.folder / "devnet.json"

    @property
    def payer_path(self) -> Path:
        """What the payer last saw (treasury, what holds it), for /metrics."""
        return self.folder / "payer.json"

    @property
    def formers_path(self) -> Path:
        """Treasuries that paid before the key was changed; their receipts still count."""
        return self.folder / "formers.json"

    @property
    def facts_path(self) -> Path:
        """Public facts of the chain in use (genesis, mint, treasury ...), written by set-up."""
        return self.folder / "chain.json"
