"""The order of the steps: from start to a stored token, and from a disconnect to a deleted one."""
