"""Runs before everything else in every process of the package, spawned children included: tells
the graphics library where its plugins were put.
"""

import os
import sys

os.environ["PANDA_PRC_DIR"] = os.path.join(sys._MEIPASS, "prc")  # type: ignore[attr-defined]
