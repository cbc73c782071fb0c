/*
 * An ABI without a header of its own here: trust the toolchain, and where it has no number either say
 * so with a negative one, which is never dispatched (the call answers ENOSYS).
 */
#ifdef __NR_migrate_pages
#define PM_NR_MIGRATE_PAGES __NR_migrate_pages
#else
#define PM_NR_MIGRATE_PAGES (-1)
#endif

#ifdef __NR_move_pages
#define PM_NR_MOVE_PAGES __NR_move_pages
#else
#define PM_NR_MOVE_PAGES (-1)
#endif

#ifdef __NR_get_mempolicy
#define PM_NR_GET_MEMPOLICY __NR_get_mempolicy
#else
#define PM_NR_GET_MEMPOLICY (-1)
#endif

#ifdef __NR_pidfd_open
#define PM_NR_PIDFD_OPEN __NR_pidfd_open
#else
#define PM_NR_PIDFD_OPEN (-1)
#endif

#ifdef __NR_process_madvise
#define PM_NR_PROCESS_MADVISE __NR_process_madvise
#else
#define PM_NR_PROCESS_MADVISE (-1)
#endif
