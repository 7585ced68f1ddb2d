"""The handshake: start, callback, and what becomes of the tokens. For Tripod's own functions; other Lambdas use ``tripod``."""
