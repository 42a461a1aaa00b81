"""python -m services.cli: the same as the command framewatch."""

from services.cli import main

main()
