"""Tripod's version, stated here alone: of the package, the application and the newest entry of CHANGELOG.md."""

VERSION = "0.1.0"
USER_AGENT = f"Tripod/{VERSION} (OAuth client)"  # to providers: Discogs and others refuse a library's default
