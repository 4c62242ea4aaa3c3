"""Playback: events become sessions, sessions are scored and judged."""
