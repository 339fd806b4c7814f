"""What one file contributes to its project, and what the project makes of it."""
