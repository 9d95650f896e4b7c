"""The visitor's code: 130 random bits in letters that cannot be mistaken, and its QR picture.

The kiosk shows it and forgets it; what is kept and sent is its hash.
"""

import hashlib
import re
import secrets

import numpy as np
import segno
from numpy.typing import NDArray

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U."""
LENGTH = 26
QUIET = 4
"""Modules of white around a QR code, as its standard asks for."""


def new_code() -> str:
    """A fresh code of 130 bits."""
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


def hashed(code: str) -> str:
    """What the service stores of a code; its page reads codes with dashes, blanks and O for 0."""
    plain = re.sub(r"[\s-]", "", code).upper().translate(str.maketrans("OIL", "011"))
    return hashlib.sha256(plain.encode()).hexdigest()


def grouped(code: str) -> str:
    """The code as people read it: groups of five, the last one longer."""
    return "-".join([code[i : i + 5] for i in range(0, 20, 5)] + [code[20:]])


def address(host: str, code: str) -> str:
    """The page of a code. Browsers keep what follows # to themselves, so no log has it."""
    return f"{host.rstrip('/')}/c#{code}"


def picture(text: str, module: int = 8) -> NDArray[np.uint8]:
    """A QR code as BGRA (n, n, 4), dark on white, `module` pixels a module, quiet zone included.

    Error correction level M: 15 % may be lost to glare and fingers.
    """
    made = segno.make(text, error="m", micro=False)
    rows = np.array([list(row) for row in made.matrix_iter(border=QUIET)], np.uint8)
    grey = np.where(rows > 0, 0, 255).astype(np.uint8).repeat(module, 0).repeat(module, 1)
    out = np.full((*grey.shape, 4), 255, np.uint8)
    out[..., :3] = grey[..., None]
    return out
