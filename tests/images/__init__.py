"""What enters an image, and images built for real."""
