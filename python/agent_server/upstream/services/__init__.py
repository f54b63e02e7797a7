"""Services of scripts, kept by the server while it executes a run."""
