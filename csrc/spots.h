/*
 * spots.h - the base pages that have to leave memory, each as it is seen before and afterwards.
 *
 * Base pages, because a huge page may be split on its way out.
 */
#ifndef PM_SPOTS_H
#define PM_SPOTS_H

#include "batch.h"
#include "cache.h"

struct pm_spot {
	uint64_t address;
	uint64_t before; /* its entry of pagemap while it was there, */
	uint64_t after;  /* and afterwards */
	int32_t node;    /* afterwards, as move_pages(2) says, if it is there */
	uint8_t kind;    /* enum pm_kind */
	uint8_t sight;   /* enum pm_sight, if it is in no page table any more */
};

struct pm_spots {
	struct pm_spot *all; /* ascending */
	size_t count;
};

/* Adds the base pages of a page, for which there has to be room. */
void pm_spots_add(struct pm_spots *spots, const struct pm_page *page, uint64_t page_size);

void pm_spots_look_before(struct pm_spots *spots, const struct pm_subject *subject);

/* Returns 0 or -errno: the nodes of those that are still there cannot be told. */
int pm_spots_look_after(struct pm_spots *spots, const struct pm_subject *subject,
			const struct pm_caches *caches);

/* Whether a page is of no file, or a private copy of a file's page. */
static inline bool pm_spot_is_private(const struct pm_spot *spot)
{
	return !(spot->before & PM_ENTRY_FILE);
}

#endif
