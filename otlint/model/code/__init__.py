"""Python code as it is written: scopes, types, places."""
