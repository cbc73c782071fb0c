/* PA-RISC, 32 and 64 bits: arch/parisc/kernel/syscalls/syscall.tbl */
#define PM_NR_MIGRATE_PAGES   272
#define PM_NR_MOVE_PAGES      295
#define PM_NR_GET_MEMPOLICY   261
#define PM_NR_PIDFD_OPEN      434
#define PM_NR_PROCESS_MADVISE 440
