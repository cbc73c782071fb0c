/* s390 and s390x: arch/s390/kernel/syscalls/syscall.tbl */
#define PM_NR_MIGRATE_PAGES   287
#define PM_NR_MOVE_PAGES      310
#define PM_NR_GET_MEMPOLICY   269
#define PM_NR_PIDFD_OPEN      434
#define PM_NR_PROCESS_MADVISE 440
