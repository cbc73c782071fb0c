/* MIPS o32, from 4000: arch/mips/kernel/syscalls/syscall_o32.tbl */
#define PM_NR_MIGRATE_PAGES   4287
#define PM_NR_MOVE_PAGES      4308
#define PM_NR_GET_MEMPOLICY   4269
#define PM_NR_PIDFD_OPEN      4434
#define PM_NR_PROCESS_MADVISE 4440
