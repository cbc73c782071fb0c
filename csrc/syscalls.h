/*
 * The raw system calls of page migration.
 *
 * Each function makes one call and returns its result or -errno; the caller's errno is never
 * touched. Where the ABI has no such call the answer is -ENOSYS, as from a kernel built without it.
 * Arguments are the kernel's: maxnode is one more than the number of bits, pid 0 is the caller.
 */
#ifndef PM_SYSCALLS_H
#define PM_SYSCALLS_H

#include <stddef.h>
#include <sys/uio.h>

/* How the pages of a move_pages call are moved: include/uapi/linux/mempolicy.h */
enum pm_move_flag {
	PM_MPOL_MF_MOVE = 1 << 1,     /* pages that only the target maps */
	PM_MPOL_MF_MOVE_ALL = 1 << 2, /* shared pages too; needs CAP_SYS_NICE */
};

/* What get_mempolicy is asked for: include/uapi/linux/mempolicy.h */
enum pm_policy_flag {
	PM_MPOL_F_MEMS_ALLOWED = 1 << 2, /* the nodes that the caller's cpuset grants */
};

/* Advice that process_madvise gives: include/uapi/asm-generic/mman-common.h; alike on every ABI */
enum pm_advice {
	PM_MADV_PAGEOUT = 21, /* out now */
};

long pm_migrate_pages(int pid, unsigned long maxnode, const unsigned long *old_nodes,
		      const unsigned long *new_nodes);

/* With nodes NULL nothing moves: status[i] becomes the node of pages[i], or a negative errno. */
long pm_move_pages(int pid, unsigned long count, void **pages, const int *nodes, int *ret_status,
		   int flags);

long pm_get_mempolicy(int *ret_mode, unsigned long *ret_nodes, unsigned long maxnode, void *addr,
		      unsigned long flags);

/* Returns the bytes advised, which may be fewer than asked for. */
long pm_process_madvise(int pidfd, const struct iovec *vec, size_t vlen, int advice,
			unsigned int flags);

/* Returns a file descriptor that the caller closes; the kernel sets close-on-exec. */
int pm_pidfd_open(int pid, unsigned int flags);

enum pm_call {
	PM_MIGRATE_PAGES,
	PM_MOVE_PAGES,
	PM_GET_MEMPOLICY,
	PM_PROCESS_MADVISE,
	PM_PIDFD_OPEN,
};

/* The number that this build dispatches for a call, or -1 where the ABI has none. */
long pm_syscall_number(enum pm_call call);

#endif
