"""What users decide: configuration files, options, the rules that they select."""
