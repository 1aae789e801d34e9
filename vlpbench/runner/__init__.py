"""One cell's life, then many cells' lives."""
