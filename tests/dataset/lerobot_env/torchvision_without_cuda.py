"""Declares torchvision's C++ operators, which its CUDA build cannot load on a CPU: import first."""

import importlib.util
import pathlib
import re

import torch

_library = torch.library.Library("torchvision", "DEF")
_home = importlib.util.find_spec("torchvision").submodule_search_locations[0]
_source = pathlib.Path(_home, "_meta_registrations.py").read_text(encoding="utf-8")
for _name in sorted(
    set(re.findall(r'register_meta\("(\w+)"\)', _source))
    | set(re.findall(r"torchvision::(\w+)", _source))
):
    _library.define(f"{_name}(Tensor x) -> Tensor")
