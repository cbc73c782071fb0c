/*
 * The number of each call, as __NR_*: the toolchain's where its headers know the call, else ours.
 * Where both exist they must agree, so a wrong number here fails the build of every machine it is
 * wrong for. Libc headers older than a call (pidfd_open 5.3, process_madvise 5.10) lack only that one.
 */
#ifndef PM_ARCH_NUMBERS_H
#define PM_ARCH_NUMBERS_H

#include <sys/syscall.h>

#include "abi.h"

#ifndef __NR_migrate_pages
#define __NR_migrate_pages PM_NR_MIGRATE_PAGES
#endif
_Static_assert(__NR_migrate_pages == PM_NR_MIGRATE_PAGES, "migrate_pages: see csrc/arch");

#ifndef __NR_move_pages
#define __NR_move_pages PM_NR_MOVE_PAGES
#endif
_Static_assert(__NR_move_pages == PM_NR_MOVE_PAGES, "move_pages: see csrc/arch");

#ifndef __NR_get_mempolicy
#define __NR_get_mempolicy PM_NR_GET_MEMPOLICY
#endif
_Static_assert(__NR_get_mempolicy == PM_NR_GET_MEMPOLICY, "get_mempolicy: see csrc/arch");

#ifndef __NR_pidfd_open
#define __NR_pidfd_open PM_NR_PIDFD_OPEN
#endif
_Static_assert(__NR_pidfd_open == PM_NR_PIDFD_OPEN, "pidfd_open: see csrc/arch");

#ifndef __NR_process_madvise
#define __NR_process_madvise PM_NR_PROCESS_MADVISE
#endif
_Static_assert(__NR_process_madvise == PM_NR_PROCESS_MADVISE, "process_madvise: see csrc/arch");

#endif
