/* Xtensa: arch/xtensa/kernel/syscalls/syscall.tbl */
#define PM_NR_MIGRATE_PAGES   262
#define PM_NR_MOVE_PAGES      267
#define PM_NR_GET_MEMPOLICY   264
#define PM_NR_PIDFD_OPEN      434
#define PM_NR_PROCESS_MADVISE 440
