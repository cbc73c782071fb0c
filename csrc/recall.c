#define _GNU_SOURCE       /* pread with 64-bit offsets where off_t has 32 bits */
#define _FILE_OFFSET_BITS 64
#include "recall.h"

#include <unistd.h>

#include "nodemask.h"
#include "syscalls.h"

void pm_recall(int mem, const struct pm_step *step, uint64_t page_size)
{
	char byte;

	for (uint64_t slot = 0; slot < (step->end - step->start) / page_size; slot++) {
		if (!pm_is_held(step->tally.marks[slot]))
			continue;
		/* One that cannot be read is not there any more. */
		(void)!pread(mem, &byte, 1, (off_t)(step->start + slot * page_size));
	}
}

void pm_drain(void)
{
	unsigned long nodes[PM_NODES_MAX / (8 * sizeof(unsigned long))] = {0};

	/*
	 * migrate_pages(2) does so for all CPUs whatever it moves (do_migrate_pages() in
	 * mm/mempolicy.c), and from nodes to the same nodes it moves nothing. Where it may not be
	 * made, some pages may be told to be busy.
	 */
	if (pm_get_mempolicy(NULL, nodes, PM_NODES_MAX + 1, NULL, PM_MPOL_F_MEMS_ALLOWED) == 0)
		pm_migrate_pages(0, PM_NODES_MAX + 1, nodes, nodes);
}
