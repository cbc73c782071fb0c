/* MIPS n64, from 5000: arch/mips/kernel/syscalls/syscall_n64.tbl */
#define PM_NR_MIGRATE_PAGES   5246
#define PM_NR_MOVE_PAGES      5267
#define PM_NR_GET_MEMPOLICY   5228
#define PM_NR_PIDFD_OPEN      5434
#define PM_NR_PROCESS_MADVISE 5440
