/*
 * Makes each call once, with arguments that a trace can be searched for, and prints a line for each:
 * its name, its number, and its result ("ENOSYS" in place of the number that this ABI has for it).
 * Harmless where the kernel has the calls: no process has the pid and no file the descriptor.
 */
#include <errno.h>
#include <stdio.h>

#include "syscalls.h"

#define NO_PID       124076833 /* above PID_MAX_LIMIT, 2^22 */
#define NO_FILE      987654
#define BITS_IN_MASK 64
#define MAXNODE      (BITS_IN_MASK + 1)
#define OUR_ERRNO    1234

static int failures;

static void report(const char *name, enum pm_call call, long result)
{
	if (result == -ENOSYS)
		printf("%s %ld ENOSYS\n", name, pm_syscall_number(call));
	else
		printf("%s %ld %ld\n", name, pm_syscall_number(call), result);

	if (errno != OUR_ERRNO) {
		fprintf(stderr, "%s changed errno to %d\n", name, errno);
		failures++;
	}
	errno = OUR_ERRNO;
}

int main(void)
{
	unsigned long old_nodes[BITS_IN_MASK / 8 / sizeof(unsigned long)] = {1};
	unsigned long new_nodes[BITS_IN_MASK / 8 / sizeof(unsigned long)] = {1};
	void *pages[3] = {&failures, &failures, &failures};
	int nodes[3] = {0}, status[3];
	struct iovec memory = {.iov_base = &failures, .iov_len = sizeof(failures)};

	errno = OUR_ERRNO;
	report("migrate_pages", PM_MIGRATE_PAGES,
	       pm_migrate_pages(NO_PID, MAXNODE, old_nodes, new_nodes));
	report("move_pages", PM_MOVE_PAGES,
	       pm_move_pages(NO_PID, 3, pages, nodes, status, PM_MPOL_MF_MOVE));
	report("get_mempolicy", PM_GET_MEMPOLICY,
	       pm_get_mempolicy(NULL, old_nodes, MAXNODE, NULL, PM_MPOL_F_MEMS_ALLOWED));
	report("process_madvise", PM_PROCESS_MADVISE,
	       pm_process_madvise(NO_FILE, &memory, 1, PM_MADV_PAGEOUT, 0));
	report("pidfd_open", PM_PIDFD_OPEN, pm_pidfd_open(NO_PID, 0));
	return failures != 0;
}
