"""The operator's command ``tripod``."""
