"""What runs the functions: worker processes that fork, or the runtime of Lambda itself, and the logs of both."""
