/* migrate.h - migrate_pages(2) for node sets of any size. */
#ifndef PM_MIGRATE_H
#define PM_MIGRATE_H

#include "nodemask.h"

/*
 * Moves the pages of @pid (0: the caller) from the nodes of @old_bitmap to those of @new_bitmap.
 * Returns the pages that could not be moved, or -errno. -EINVAL if a bitmap has more than
 * PM_BITMAP_MAX bytes.
 */
long pm_migrate(int pid, const uint8_t *old_bitmap, size_t old_size, const uint8_t *new_bitmap,
		size_t new_size);

#endif
