/* sparc, 32 and 64 bits: arch/sparc/kernel/syscalls/syscall.tbl */
#define PM_NR_MIGRATE_PAGES   302
#define PM_NR_MOVE_PAGES      307
#define PM_NR_GET_MEMPOLICY   304
#define PM_NR_PIDFD_OPEN      434
#define PM_NR_PROCESS_MADVISE 440
