"""Which blocks of a model each process holds. Pure arithmetic."""

from collections.abc import Sequence


def shares(layers: int, ranks: int) -> list[tuple[int, int]]:
    """Contiguous blocks [first, last) a rank, as equal as whole blocks allow, larger ones first."""
    return spread([layers // ranks + (i < layers % ranks) for i in range(ranks)])


def spread(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Counts to contiguous [first, last)."""
    ends = [sum(counts[: i + 1]) for i in range(len(counts))]
    return list(zip([0, *ends[:-1]], ends, strict=True))


def rebalance(
    counts: Sequence[int], block_s: Sequence[float], total_s: Sequence[float]
) -> list[int]:
    """New counts after a warm-up, so that every rank takes as long as the others.

    block_s: seconds a rank spent in its blocks; total_s: in all it does (encoder and decoder
    too). A rank gains (mean total - its total) / seconds a block, keeps at least one block, and
    the sum stays. Formula: StreamDiffusionV2's block schedule.
    """
    per_block = sum(block_s) / sum(counts)
    mean = sum(total_s) / len(total_s)
    wish = [n + (mean - own) / per_block for n, own in zip(counts, total_s, strict=True)]
    new = [max(1, round(w)) for w in wish]
    while sum(new) != sum(counts):
        step = 1 if sum(new) < sum(counts) else -1
        able = [i for i, n in enumerate(new) if step > 0 or n > 1]
        new[max(able, key=lambda i: step * (wish[i] - new[i]))] += step
    return new
