"""A linter for OpenTelemetry instrumentation in Python."""

__version__ = "0.1.0"
