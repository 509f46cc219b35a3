"""What `routing/pursue` is made of: the tally of a course, what follows from each failure, and the rounds of several attempts."""
