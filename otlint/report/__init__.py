"""Report formats: each a function that writes a `Report` to a stream."""
