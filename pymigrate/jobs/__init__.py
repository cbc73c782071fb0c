"""What is done to many processes: whole jobs, cgroups, and memory that follows its process."""
