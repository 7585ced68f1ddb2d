"""Events in, answers out: API Gateway's requests and direct invocations, read once; pages, JSON and redirects."""
