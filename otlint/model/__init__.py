"""What a rule may ask about one file and its project."""
