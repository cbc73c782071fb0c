/* MIPS n32, from 6000: arch/mips/kernel/syscalls/syscall_n32.tbl */
#define PM_NR_MIGRATE_PAGES   6250
#define PM_NR_MOVE_PAGES      6271
#define PM_NR_GET_MEMPOLICY   6232
#define PM_NR_PIDFD_OPEN      6434
#define PM_NR_PROCESS_MADVISE 6440
