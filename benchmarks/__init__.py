"""What it costs: latency, size, memory and accuracy, on the device itself."""
