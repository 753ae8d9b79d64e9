"""Tasks and reminders in Python beside Dapr: one module for each service."""
