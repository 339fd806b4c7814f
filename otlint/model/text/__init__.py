"""Texts: their parts, and how many values they can take."""
