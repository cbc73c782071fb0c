/* x86-64: arch/x86/entry/syscalls/syscall_64.tbl, rows "common" and "64" */
#define PM_NR_MIGRATE_PAGES   256
#define PM_NR_MOVE_PAGES      279
#define PM_NR_GET_MEMPOLICY   239
#define PM_NR_PIDFD_OPEN      434
#define PM_NR_PROCESS_MADVISE 440
