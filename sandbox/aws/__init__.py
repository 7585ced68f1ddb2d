"""AWS over HTTP: moto behind a server that refuses what AWS refuses, checks IAM policies, arms faults and records every call."""
