/* Itanium, from 1024: arch/ia64/kernel/syscalls/syscall.tbl of Linux 6.6, the last that has ia64. */
#define PM_NR_MIGRATE_PAGES   1280
#define PM_NR_MOVE_PAGES      1276
#define PM_NR_GET_MEMPOLICY   1260
#define PM_NR_PIDFD_OPEN      1458
#define PM_NR_PROCESS_MADVISE 1464
