"""What is durable about a job: its records, and the turns of its life that they make."""
