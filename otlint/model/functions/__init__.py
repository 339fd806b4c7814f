"""What functions do for their callers: start spans, end them, tell them something."""
