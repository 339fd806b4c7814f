"""Contexts: attached, extracted, injected, and lost on the way to another thread, process or service."""
