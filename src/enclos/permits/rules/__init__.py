"""The decisions about permits; pure."""
