"""What deploy/test-compose is made of."""
