/*
 * x32: arch/x86/entry/syscalls/syscall_64.tbl, rows "common" and "x32". Bit 30 tells the kernel that
 * the caller's pointers have 32 bits; without it the same numbers are x86-64 calls. move_pages reads
 * an array of such pointers and so has a number of its own.
 */
#define PM_X32_BIT            0x40000000
#define PM_NR_MIGRATE_PAGES   (PM_X32_BIT + 256)
#define PM_NR_MOVE_PAGES      (PM_X32_BIT + 533)
#define PM_NR_GET_MEMPOLICY   (PM_X32_BIT + 239)
#define PM_NR_PIDFD_OPEN      (PM_X32_BIT + 434)
#define PM_NR_PROCESS_MADVISE (PM_X32_BIT + 440)

/*
 * The kernel reads all 64 bits of a register, and the ABI leaves the upper half of a 32-bit argument
 * undefined: hand over 64 bits, so that the upper half is ours.
 */
#define PM_REGISTER unsigned long long
