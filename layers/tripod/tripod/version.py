"""Tripod's version, stated here alone: of the package, the application and the newest entry of CHANGELOG.md."""

VERSION = "0.1.0"
