/*
 * mapping.h - of which kind a mapping is, and whose pages it has.
 *
 * By its flags and its path in numa_maps, not page by page. Shared memory is what lies on a tmpfs,
 * whose pages are the kernel's shmem: POSIX and System V shared memory, memfd, anonymous memory that
 * is mapped shared.
 */
#ifndef PM_MAPPING_H
#define PM_MAPPING_H

#include "kind.h"
#include "numa_maps.h"

/*
 * The kind of a parsed line. @mounts (of @mounts_size bytes) tells where tmpfs is mounted: directories
 * with a final slash, escaped as in numa_maps, '+' before those of a tmpfs and '-' before others, a
 * NUL after each; the first that a path begins with decides, so the longest come first.
 */
enum pm_kind pm_mapping_kind(const struct pm_numa_line *line, const char *text, const char *mounts,
			     size_t mounts_size);

/*
 * Whether the pages of a mapping are the kernel's own, which it shows to every process (vdso, vvar):
 * they have no file and are not anonymous either. numa_maps leaves them out where they are part of
 * the kernel's image; in Linux 7 some are not. They belong to no process and move with none.
 */
bool pm_mapping_is_kernels(const struct pm_numa_line *line);

#endif
