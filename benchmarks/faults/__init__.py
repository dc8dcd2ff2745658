"""What becomes of events when networks, servers, tabs and browsers fail."""
