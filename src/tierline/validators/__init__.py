"""Validators: is this answer good enough? One kind of check a file."""
