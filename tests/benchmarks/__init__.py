"""Speed against peers; see README.md."""
