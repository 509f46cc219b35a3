"""Ways to reach upstream models: HTTP, scripted, recorded."""
