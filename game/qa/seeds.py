"""Reads a range of seeds as people write it."""

MOST = 1_000_000


def seeds_of(text: str) -> range:
    """`FIRST:END`, END excluded, or one seed. Raises ValueError with what to write instead."""
    first, colon, end = text.partition(":")
    try:
        start = int(first)
        seeds = range(start, int(end) if colon else start + 1)
    except ValueError:
        raise ValueError(f"{text!r} is no range of seeds; write 0:10 or 7") from None
    if not seeds or start < 0 or len(seeds) > MOST:
        raise ValueError(f"{text!r} is no range of seeds; write FIRST:END, END excluded")
    return seeds
