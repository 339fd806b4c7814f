"""One module per rule; the file name is the rule's code and name."""
