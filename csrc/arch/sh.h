/* SuperH: arch/sh/kernel/syscalls/syscall.tbl */
#define PM_NR_MIGRATE_PAGES   294
#define PM_NR_MOVE_PAGES      317
#define PM_NR_GET_MEMPOLICY   275
#define PM_NR_PIDFD_OPEN      434
#define PM_NR_PROCESS_MADVISE 440
