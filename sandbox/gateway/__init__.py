"""What calls the functions on request: the HTTP API of API Gateway, and the Invoke API of Lambda."""
