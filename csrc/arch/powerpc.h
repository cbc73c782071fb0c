/*
 * PowerPC, 32 and 64 bits, both byte orders: arch/powerpc/kernel/syscalls/syscall.tbl.
 *
 * The patch that proposed sys_migrate_pages in 2005 put it at 278 on ppc64. It was merged as 258,
 * and 278 became spu_run: a program that still calls 278 asks for something else altogether.
 */
#define PM_NR_MIGRATE_PAGES   258
#define PM_NR_MOVE_PAGES      301
#define PM_NR_GET_MEMPOLICY   260
#define PM_NR_PIDFD_OPEN      434
#define PM_NR_PROCESS_MADVISE 440
