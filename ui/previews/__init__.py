"""What a pipeline does to a picture, shown while it is built."""
