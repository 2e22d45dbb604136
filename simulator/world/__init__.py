"""The generated world: people, land, businesses, agencies, procedures and dossiers over time."""
