"""The kernel's account of processes and their memory, of nodes, devices, cgroups and swap."""
