"""The administrator's pages about statements; each module adds its views to one blueprint."""
