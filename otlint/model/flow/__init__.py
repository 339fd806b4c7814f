"""Which ways control takes through a function, and what may raise on them."""
