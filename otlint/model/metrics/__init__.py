"""Instruments, and what is measured with them."""
