"""Training: one loop for pretraining and fine-tuning; it knows an objective only by its contract."""
