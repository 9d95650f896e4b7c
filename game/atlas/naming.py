"""What places are called: names of junctions from the streets that meet, and how to match a query.

Pure text, no geometry. Knows how New Yorkers write addresses ("W 42 St & 7 Av").
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_WORDS = {
    "w": "west", "e": "east", "n": "north", "s": "south",
    "st": "street", "str": "street", "av": "avenue", "ave": "avenue", "aves": "avenue",
    "sts": "street", "pl": "place", "blvd": "boulevard", "dr": "drive", "sq": "square",
    "hwy": "highway", "lex": "lexington", "mad": "madison", "bway": "broadway",
    "b'way": "broadway", "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5",
    "sixth": "6", "seventh": "7", "eighth": "8", "ninth": "9", "tenth": "10", "eleventh": "11",
    "twelfth": "12", "forty-second": "42",
}  # fmt: skip
_ALIASES = {
    "avenue of the americas": "6 avenue",
    "fashion avenue": "7 avenue",
    "franklin d roosevelt east river drive": "fdr drive",
    "fdr": "fdr drive",
    "broadway": "broadway",
    "lexington": "lexington avenue",
    "madison": "madison avenue",
    "park": "park avenue",
    "joe dimaggio highway": "west side highway",
}
_KINDS = {
    "ST": "Street", "AVE": "Avenue", "AV": "Avenue", "PL": "Place", "BLVD": "Boulevard",
    "DR": "Drive", "SQ": "Square", "RD": "Road", "LN": "Lane", "TER": "Terrace", "CT": "Court",
    "PKWY": "Parkway", "PKY": "Parkway", "HWY": "Highway", "EXPY": "Expressway", "PLZ": "Plaza",
    "ALY": "Alley", "BRG": "Bridge", "TPKE": "Turnpike", "CIR": "Circle", "TUNL": "Tunnel",
}  # fmt: skip
_POINTS = {"E": "East", "W": "West", "N": "North", "S": "South"}
_SPELLED = {"F D R DR": "FDR Drive", "FDR DR": "FDR Drive"}
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_SIDES = ("east", "west")


@lru_cache(maxsize=4096)  # a search asks for the same few hundred names again and again
def key_of(name: str) -> str:
    """A street's name as it is compared: 'W. 42nd St' and 'West 42nd Street' have one key."""
    words: list[str] = []
    for word in name.lower().replace(".", " ").replace(",", " ").split():
        match = _ORDINAL.fullmatch(word)
        if match:
            words.append(match[1])
        elif word == "st" and not words:
            words.append("saint")
        else:
            words.append(_WORDS.get(word, word))
    text = " ".join(words)
    if re.fullmatch(r"\d+ avenue|\d+ street", text) or text not in _ALIASES:
        return text
    return _ALIASES[text]


def spelled(label: str) -> str:
    """A street's name in full from the City's label: 'E  43 ST' is East 43rd Street."""
    words = label.upper().split()
    if " ".join(words) in _SPELLED:
        return _SPELLED[" ".join(words)]
    found: list[str] = []
    for at, word in enumerate(words):
        last = at == len(words) - 1
        if at == 0 and not last and word in _POINTS:
            found.append(_POINTS[word])
        elif at == 0 and word == "ST" and not last:
            found.append("Saint")
        elif word in _KINDS and (last or at == 0 or words[at + 1] in _POINTS):
            found.append(_KINDS[word])
        elif word.isdigit() and not last:
            found.append(_ordinal(int(word)))
        elif last and word in _POINTS and len(words) > 2:
            found.append(_POINTS[word])
        else:
            found.append(word if len(word) == 1 else word.capitalize())
    return " ".join(found)


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def parts_of(query: str) -> list[str]:
    """The keys of the streets that a query names: 'W 42 St & 7 Av', '5th Ave at E 42nd'."""
    pieces = re.split(r"\s*(?:&|\+|/|@|\band\b|\bat\b)\s*", query, flags=re.IGNORECASE)
    return [key_of(piece) for piece in pieces if piece.strip()]


def same_street(asked: str, key: str) -> bool:
    """Whether a key from a query means the street `key`; side and kind may be left out."""
    if asked == key:
        return True
    words = key.split()
    if words[0] in _SIDES and len(words) > 2:
        return asked in (" ".join(words[1:]), " ".join(words[:-1]))
    return False


def junction_name(names: Iterable[str]) -> str:
    """'West 42nd Street & 7th Avenue' from the streets that meet; '' where none has a name.

    Streets come before avenues; the two sides of one street share one name ('42nd Street').
    """
    known = {name for name in names if name}
    merged = set()
    for name in known:
        side, _, rest = name.partition(" ")
        other = {"East": "West", "West": "East"}.get(side)
        merged.add(rest if other and f"{other} {rest}" in known else name)
    return " & ".join(sorted(merged, key=_order))


def _order(name: str) -> tuple[int, int, str]:
    digits = re.search(r"\d+", name)
    return (0 if name.endswith("Street") else 1, int(digits[0]) if digits else 1000, name)
