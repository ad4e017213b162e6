"""The model families: functions from a tensor to features, registered by name."""
