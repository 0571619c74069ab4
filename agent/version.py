"""The agent's version, as it appears in facts and in the User-Agent."""

VERSION = "0.1.0"
