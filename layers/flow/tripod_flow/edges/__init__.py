"""All I/O: DynamoDB, Secrets Manager, EventBridge, the provider, logs and metrics."""
