"""Personal data and secrets: found, hidden from models that may not see them, and put back."""
