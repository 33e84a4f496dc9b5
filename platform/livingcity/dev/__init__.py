"""What starts and stops the city on one machine: embedded services, the supervisor, the test cluster."""
