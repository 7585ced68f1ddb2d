"""A local OAuth 1.0a provider that behaves like X, and fails like X when told to.

Signatures, nonces and timestamps are verified by oauthlib; everything else is kept in memory, per app.
"""

from sandbox.provider.faults import Fault
from sandbox.provider.provider import Provider
from sandbox.provider.records import Call, Consumer, Leg, Post, User
from sandbox.provider.visitor import Visitor

__all__ = ["Call", "Consumer", "Fault", "Leg", "Post", "Provider", "User", "Visitor"]
