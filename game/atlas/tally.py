"""What a compilation kept, mended and dropped, each with its reason and number. Pure data."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts by (verb, what, reason); verb is 'kept', 'mended' or 'dropped'."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def kept(self, what: str, number: int, reason: str = "") -> None:
        """`number` of `what` are in the pack."""
        self.counts["kept", what, reason] += number

    def mended(self, what: str, reason: str, number: int = 1) -> None:
        """`number` of `what` are in the pack, but not as the source had them."""
        self.counts["mended", what, reason] += number

    def dropped(self, what: str, reason: str, number: int = 1) -> None:
        """`number` of `what` are not in the pack."""
        self.counts["dropped", what, reason] += number

    def rows(self) -> list[tuple[str, str, str, int]]:
        """(verb, what, reason, number), sorted; zeros left out."""
        return [(*key, number) for key, number in sorted(self.counts.items()) if number]
