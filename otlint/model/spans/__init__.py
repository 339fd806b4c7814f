"""Spans: where they start, which one is current, who has to end them, and what is done with them after that."""
