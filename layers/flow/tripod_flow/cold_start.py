"""The means that shorten a cold start, in Lambda alone; each with what it saves (docs/performance.md)."""

import gc
import importlib
import os
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from importlib.util import LazyLoader, module_from_spec

# Packages whose ``__init__`` imports far more than we use, and the modules of the names that may still be asked for: those are imported
# at first use. The figures are shares of the reference's cold start.
SLIM = {
    "requests_oauthlib": {"OAuth1": "requests_oauthlib.oauth1_auth"},  # 0.13: oauthlib's whole OAuth 2.0 half
    "urllib3.http2": {},  # 0.05: importlib.metadata, to look for a package that isn't there
    "charset_normalizer": {  # 0.04: guesses the charset of texts, which we don't ask for
        "__version__": "charset_normalizer.version",
        "detect": "charset_normalizer.legacy",
    },
    "certifi": {"where": "tripod_flow.cold_start"},  # 0.01: importlib.resources, to find a file that lies beside it
    "tripod": {},  # 0.03: what the public layer offers other Lambdas; the modules that we share are imported by name
    "idna": {"encode": "idna.core", "IDNAError": "idna.core"},  # 0.02: for host names beyond ASCII
}

# Modules of the standard library that requests and botocore import, for what no request of ours does: CA bundles in archives,
# credentials from programs and from files (0.03 together).
LAZY = ("configparser", "subprocess", "zipfile")

ONE_PIECE = 65_000  # words: a stack of 1 MB, of which what is used is paid for


def in_lambda() -> bool:
    """Return True if this process is one of Lambda's."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


def begin() -> None:
    """Import the package: no garbage collection meanwhile, because what that makes lives as long as the process (0.05)."""
    if in_lambda():
        gc.disable()
        for package, places in SLIM.items():
            if package not in sys.modules:
                _slim(package, places)
        for name in LAZY:
            if name not in sys.modules:
                _lazy(name)
        _in_one_piece(lambda: importlib.import_module("tripod_flow.app"))


def end() -> None:
    """Collect garbage from here on, but not among what the imports have made."""
    if in_lambda():
        gc.freeze()
        gc.enable()


def where() -> str:
    """Return the path of certifi's CA bundle, in the place of its own function."""
    return os.path.join(sys.modules["certifi"].__path__[0], "cacert.pem")


def _in_one_piece(act: Callable[[], object]) -> None:
    """Call ``act`` with a stack in one piece (0.01 to 0.05, by chance).

    CPython takes the stack of its frames 16 KB at a time, and gives a piece back as soon as it is empty: calls to and fro across an
    edge, such as those of the patterns' compiler, are two system calls each. A frame that needs more gets a piece of its own size.
    """
    act()


_in_one_piece.__code__ = _in_one_piece.__code__.replace(co_stacksize=ONE_PIECE)


def _slim(package: str, places: dict[str, str]) -> None:
    """Put a package in its place without running its ``__init__``, nor that of the package that it is in."""
    path, described = None, None
    for depth in range(package.count(".") + 1):
        described = PathFinder.find_spec(".".join(package.split(".")[: depth + 1]), path)
        if described is None:
            raise ImportError(f"{package} is missing", name=package)
        path = described.submodule_search_locations
    module = module_from_spec(described)  # type: ignore[arg-type]  # found, or raised

    def attribute(name: str) -> object:
        if name not in places:
            raise AttributeError(f"{package}.{name} is not imported in Lambda: see {__name__}")
        return getattr(importlib.import_module(places[name]), name)

    module.__getattr__ = attribute  # type: ignore[method-assign]  # PEP 562: what a module is asked for and lacks
    sys.modules[package] = module


def _lazy(name: str) -> None:
    """Put a module in its place, to be loaded when something of it is used."""
    described = PathFinder.find_spec(name)
    if described is None or described.loader is None:
        raise ImportError(f"{name} is missing", name=name)
    described.loader = LazyLoader(described.loader)
    module = sys.modules[name] = module_from_spec(described)
    described.loader.exec_module(module)
