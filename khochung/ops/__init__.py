"""Looking after the system: housekeeping and status."""
