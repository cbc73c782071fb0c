/*
 * Alpha: arch/alpha/kernel/syscalls/syscall.tbl. Its table had passed 434 before Linux began to give
 * every architecture the same number for a new call, so here the two youngest calls are 110 higher.
 */
#define PM_NR_MIGRATE_PAGES   449
#define PM_NR_MOVE_PAGES      472
#define PM_NR_GET_MEMPOLICY   430
#define PM_NR_PIDFD_OPEN      544
#define PM_NR_PROCESS_MADVISE 550
