"""Providers, exporters, resources and instrumentors: how telemetry is set up, and how it is shut down."""
