"""The order of the steps: start, finish, exchange, store, revoke, relay."""
