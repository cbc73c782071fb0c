/* Arm EABI: arch/arm/tools/syscall.tbl (the old ABI adds 0x900000; no kernel with NUMA runs it) */
#define PM_NR_MIGRATE_PAGES   400
#define PM_NR_MOVE_PAGES      344
#define PM_NR_GET_MEMPOLICY   320
#define PM_NR_PIDFD_OPEN      434
#define PM_NR_PROCESS_MADVISE 440
