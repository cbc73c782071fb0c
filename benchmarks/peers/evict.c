/* process_madvise(2) with MADV_PAGEOUT, and nothing around it. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

enum {
	PAGEOUT = 21 /* MADV_PAGEOUT: include/uapi/asm-generic/mman-common.h */
};

/* Returns the bytes advised, or -1. */
long peer_evict(int pid, unsigned long address, unsigned long size)
{
	struct iovec range = {.iov_base = (void *)address, .iov_len = size};
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	long result = syscall(SYS_process_madvise, pidfd, &range, 1UL, PAGEOUT, 0);

	close(pidfd);
	return result;
}
