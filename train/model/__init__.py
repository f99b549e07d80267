"""Networks in training: losses, objective and learner."""
