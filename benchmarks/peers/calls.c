/* migrate_pages(2), and nothing around it. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

/* `old_nodes` and `new_nodes` are bits of nodes 0 to 63. Returns the last call's result. */
long peer_migrate(int pid, unsigned long old_nodes, unsigned long new_nodes, long times)
{
	long result = -1;

	for (long i = 0; i < times; i++)
		result = syscall(SYS_migrate_pages, pid, 65UL, &old_nodes, &new_nodes);
	return result;
}
