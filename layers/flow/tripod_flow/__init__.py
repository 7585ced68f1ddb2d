"""The handshake: start, callback, and what becomes of the tokens. For Tripod's own functions; other Lambdas use ``tripod``."""

from tripod_flow import cold

cold.begin()  # before whatever else is imported
