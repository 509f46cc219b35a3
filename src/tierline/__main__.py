"""`python -m tierline`."""

from tierline.cli.app import main

main()
