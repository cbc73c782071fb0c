/*
 * The table that architectures since 2011 share: include/uapi/asm-generic/unistd.h (from Linux 6.11
 * scripts/syscall.tbl). aarch64, riscv, loongarch, arc, csky, hexagon, openrisc and nios2; 32 and
 * 64 bits number these calls alike.
 */
#define PM_NR_MIGRATE_PAGES   238
#define PM_NR_MOVE_PAGES      239
#define PM_NR_GET_MEMPOLICY   236
#define PM_NR_PIDFD_OPEN      434
#define PM_NR_PROCESS_MADVISE 440
