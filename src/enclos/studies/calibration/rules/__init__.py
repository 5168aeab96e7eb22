"""Pure rules of calibration and of pooling."""
