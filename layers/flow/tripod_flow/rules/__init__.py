"""The rules of the handshake: values in, values and decisions out; no I/O."""
