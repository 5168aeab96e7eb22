"""The log-likelihoods as functions of the linear predictor: value, slope and curvature, pure."""
