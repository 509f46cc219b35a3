"""The live world, as the view shows it."""
