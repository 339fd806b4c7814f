"""What a span stands for, where that decides its kind."""
