"""Dataset to model to report."""
