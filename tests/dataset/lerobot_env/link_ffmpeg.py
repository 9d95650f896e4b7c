"""Puts PyAV's FFmpeg libraries under their plain names into a folder, where torchcodec finds them.

python link_ffmpeg.py FOLDER
"""

import pathlib
import re
import sys

import av

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for file in (pathlib.Path(av.__file__).parent.parent / "av.libs").iterdir():
    match = re.match(r"(lib(?:av\w+|sw\w+))-[0-9a-f]+(\.so\.\d+)", file.name)
    if match and not (folder / (match[1] + match[2])).exists():
        (folder / (match[1] + match[2])).symlink_to(file)
