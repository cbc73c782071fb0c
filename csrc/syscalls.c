#define _DEFAULT_SOURCE /* syscall() */
#include "syscalls.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "arch/numbers.h"

typedef PM_REGISTER reg;

static const long numbers[] = {
	[PM_MIGRATE_PAGES] = __NR_migrate_pages,     /* since Linux 2.6.16 */
	[PM_MOVE_PAGES] = __NR_move_pages,           /* 2.6.18 */
	[PM_GET_MEMPOLICY] = __NR_get_mempolicy,     /* 2.6.7 */
	[PM_PROCESS_MADVISE] = __NR_process_madvise, /* 5.10 */
	[PM_PIDFD_OPEN] = __NR_pidfd_open,           /* 5.3 */
};

long pm_syscall_number(enum pm_call call)
{
	return (size_t)call < sizeof(numbers) / sizeof(numbers[0]) ? numbers[call] : -1;
}

/*
 * A negative number stays here: not every kernel answers ENOSYS to it, and a tracer or a seccomp
 * filter may take -1 for "skip this call".
 */
static long invoke(enum pm_call call, reg a, reg b, reg c, reg d, reg e, reg f)
{
	const int callers_errno = errno;
	long result;

	if (numbers[call] < 0)
		return -ENOSYS;

	result = syscall(numbers[call], a, b, c, d, e, f);
	if (result == -1) {
		result = -errno;
		errno = callers_errno;
	}
	return result;
}

static reg from_int(int value)
{
	return (reg)value; /* sign-extends: the kernel takes the low 32 bits */
}

static reg from_pointer(const void *pointer)
{
	return (reg)(uintptr_t)pointer;
}

long pm_migrate_pages(int pid, unsigned long maxnode, const unsigned long *old_nodes,
		      const unsigned long *new_nodes)
{
	return invoke(PM_MIGRATE_PAGES, from_int(pid), maxnode, from_pointer(old_nodes),
		      from_pointer(new_nodes), 0, 0);
}

long pm_move_pages(int pid, unsigned long count, void **pages, const int *nodes, int *ret_status,
		   int flags)
{
	return invoke(PM_MOVE_PAGES, from_int(pid), count, from_pointer(pages), from_pointer(nodes),
		      from_pointer(ret_status), from_int(flags));
}

long pm_get_mempolicy(int *ret_mode, unsigned long *ret_nodes, unsigned long maxnode, void *addr,
		      unsigned long flags)
{
	return invoke(PM_GET_MEMPOLICY, from_pointer(ret_mode), from_pointer(ret_nodes), maxnode,
		      from_pointer(addr), flags, 0);
}

long pm_process_madvise(int pidfd, const struct iovec *vec, size_t vlen, int advice,
			unsigned int flags)
{
	return invoke(PM_PROCESS_MADVISE, from_int(pidfd), from_pointer(vec), vlen,
		      from_int(advice), flags, 0);
}

int pm_pidfd_open(int pid, unsigned int flags)
{
	return (int)invoke(PM_PIDFD_OPEN, from_int(pid), flags, 0, 0, 0, 0);
}
