"""What is known of the jobs that a viewer may see, kept up to date; pure but for the ear on Redis."""
