"""Makes docs/platforms.md anew: `python -m platforms` in the folder of the tests."""

from platforms import page

page.write()
