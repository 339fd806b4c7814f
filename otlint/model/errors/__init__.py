"""Exceptions and failures, and what spans get to know of them."""
