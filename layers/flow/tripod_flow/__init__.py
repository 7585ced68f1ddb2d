"""The handshake, from start to stored tokens. For Tripod's own functions; other Lambdas use ``tripod``."""

from tripod_flow import cold_start

cold_start.begin()  # before whatever else is imported
