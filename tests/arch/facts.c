/*
 * What csrc takes for granted about a machine, asked of the machine's own headers. BITS and ORDER
 * are what abis.py says of it.
 */
#define _DEFAULT_SOURCE /* MADV_* */
#include <limits.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "syscalls.h"

_Static_assert(sizeof(unsigned long) * CHAR_BIT == BITS, "word size");
_Static_assert(__BYTE_ORDER__ == ORDER, "byte order");

/* Without these the assertions in csrc/arch/numbers.h would compare our number with itself. */
#if !defined(__NR_migrate_pages) || !defined(__NR_move_pages) || !defined(__NR_get_mempolicy) ||   \
	!defined(__NR_process_madvise) || !defined(__NR_pidfd_open)
#error "the toolchain has no number of its own for one of the calls"
#endif

_Static_assert((int)PM_MPOL_MF_MOVE == MPOL_MF_MOVE, "MPOL_MF_MOVE");
_Static_assert((int)PM_MPOL_MF_MOVE_ALL == MPOL_MF_MOVE_ALL, "MPOL_MF_MOVE_ALL");
_Static_assert((int)PM_MPOL_F_MEMS_ALLOWED == MPOL_F_MEMS_ALLOWED, "MPOL_F_MEMS_ALLOWED");
_Static_assert((int)PM_MADV_PAGEOUT == MADV_PAGEOUT, "MADV_PAGEOUT");
