"""A local OAuth 1.0a provider that behaves like X, and fails like X when told to; or like another that plays.toml describes.

Signatures, nonces and timestamps are verified by oauthlib; everything else is kept in memory, per app.
"""

from sandbox.provider.failures import ProviderFailure
from sandbox.provider.faults import Fault, ProviderFault, Rewritten
from sandbox.provider.records import Leg, Post, ProviderCall, RegisteredApp, User
from sandbox.provider.server import ProviderServer
from sandbox.provider.visitor import Visitor

__all__ = [
    "Fault",
    "Leg",
    "Post",
    "ProviderCall",
    "ProviderFailure",
    "ProviderFault",
    "ProviderServer",
    "RegisteredApp",
    "Rewritten",
    "User",
    "Visitor",
]
