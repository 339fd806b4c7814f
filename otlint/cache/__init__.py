"""What earlier runs found out, and when it counts again."""
