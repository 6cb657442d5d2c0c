"""Gold to dataset to release."""
