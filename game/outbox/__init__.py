"""Sends finished sessions to the rewards service: checked, resumable, never twice."""
