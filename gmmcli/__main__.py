"""`python -m gmmcli` is `gmmcli`."""

from gmmcli.cli import main

main()
