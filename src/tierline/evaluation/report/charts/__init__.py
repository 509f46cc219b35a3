"""Charts as SVG, drawn from figures alone. Each is a function of the width it is given, so that a narrow page gets its own drawing."""
