"""Scoring alone: files of the field's official layouts in, scores out. No model, no torch, no pandas."""
