"""Estimates of a corpus: labels of a probability sample correct the predictions for all sentences."""
