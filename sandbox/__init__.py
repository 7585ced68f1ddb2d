"""The whole world on one machine, on loopback: AWS, a provider that behaves like X, and an HTTP API before the functions."""
