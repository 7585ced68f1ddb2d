"""The flow layer's build script, as a module."""

import importlib.util
from types import ModuleType

from sandbox.repository import ROOT


def trim() -> ModuleType:
    """Import ``layers/flow/trim.py``."""
    described = importlib.util.spec_from_file_location("trim", ROOT / "layers/flow/trim.py")
    assert described
    assert described.loader
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module
