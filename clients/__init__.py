"""Every client against every upstream: `python -m clients [name...]` writes docs/compatibility.md."""
