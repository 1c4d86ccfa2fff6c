"""``python -m watchline``."""

from watchline.cli import main

main()
