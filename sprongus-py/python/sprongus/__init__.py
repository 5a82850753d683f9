"""Durable runs, validated documents, presets and events inside your own SQLite file or PostgreSQL database.

>>> import sprongus
>>> store = sprongus.open("app.db")
>>> run = store.runs.enqueue("thumbnail", {"file": "cat.png"})
>>> run.state
'queued'
"""

from ._pages import Page as Page
from ._sprongus import *  # noqa: F403
from ._sprongus import __version__ as __version__
from .errors import *  # noqa: F403
