"""Data sets, splits, pictures and words: from files on disk to arrays in a fixed order."""
