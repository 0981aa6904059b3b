"""Testigo's phone: a witness's reports and tally sheets, saved without a network and delivered once.

Everything here is generated from the Rust library; texts for people come in Spanish and in English.
"""

from .testigo import *  # noqa: F403
