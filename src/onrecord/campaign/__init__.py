"""Sentences to annotations to gold."""
