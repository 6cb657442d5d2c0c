"""Articles to sentences with speakers."""
