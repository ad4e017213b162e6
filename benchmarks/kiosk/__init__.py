"""How a kiosk bears a long load."""
