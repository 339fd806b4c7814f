"""The attributes that are written: their keys, types and values."""
