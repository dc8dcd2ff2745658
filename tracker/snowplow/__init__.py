"""What only the Snowplow destination needs: its state, its events and how they are sent."""
