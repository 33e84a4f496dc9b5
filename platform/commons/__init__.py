"""The ground floor: people, places, devices and their readings, runs, the web kit, and the sockets rooms plug into."""
