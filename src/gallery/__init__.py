"""The gateway: routes requests, keeps the records and has the renditions made."""
