#include "spots.h"

enum {
	SOME = 512 /* that are looked at together */
};

void pm_spots_add(struct pm_spots *spots, const struct pm_page *page, uint64_t page_size)
{
	for (uint32_t i = 0; i < page->span; i++)
		spots->all[spots->count++] = (struct pm_spot){
			.address = page->address + i * page_size,
			.kind = (uint8_t)page->kind,
		};
}

/* Whether two neighbours can be looked at together. */
typedef bool (*likeness)(const struct pm_spot *one, const struct pm_spot *next);

/* How many from @first on are neighbours in memory, and alike. */
static size_t find_run(const struct pm_spots *spots, size_t first, uint64_t page_size,
		       likeness alike)
{
	size_t next = first + 1;

	while (next < spots->count && next - first < SOME &&
	       spots->all[next].address == spots->all[next - 1].address + page_size &&
	       (!alike || alike(&spots->all[first], &spots->all[next])))
		next++;
	return next - first;
}

/* -- entries of pagemap */

static void read_entries(struct pm_spots *spots, const struct pm_memory *memory, bool before)
{
	uint64_t entries[SOME];

	for (size_t first = 0, run; first < spots->count; first += run) {
		struct pm_spot *spot = &spots->all[first];

		run = find_run(spots, first, memory->page_size, NULL);

		ssize_t got = pm_read_entries(memory, spot->address, run, entries);

		/* Where pagemap ends there is nothing. */
		for (size_t i = 0; i < run; i++)
			*(before ? &spot[i].before : &spot[i].after) = (ssize_t)i < got ? entries[i]
											: 0;
	}
}

void pm_spots_look_before(struct pm_spots *spots, const struct pm_subject *subject)
{
	read_entries(spots, &subject->memory, true);
}

/* -- those that are there afterwards */

static int find_nodes(struct pm_spots *spots, const struct pm_subject *subject)
{
	void *addresses[SOME];
	struct pm_spot *asked[SOME];
	int status[SOME];

	for (size_t next = 0; next < spots->count;) {
		size_t some = 0;

		for (; next < spots->count && some < SOME; next++) {
			if (!(spots->all[next].after & PM_ENTRY_PRESENT))
				continue;
			asked[some] = &spots->all[next];
			addresses[some++] = pm_at(spots->all[next].address);
		}

		int error = pm_query(subject->pid, addresses, some, status);

		if (error < 0)
			return error;
		for (size_t i = 0; i < some; i++)
			asked[i]->node = status[i];
	}
	return 0;
}

/* -- those that are not */

static bool is_present(const struct pm_spot *spot)
{
	return spot->after & PM_ENTRY_PRESENT;
}

static bool are_gone_alike(const struct pm_spot *one, const struct pm_spot *next)
{
	return is_present(one) == is_present(next) && one->kind == next->kind &&
	       pm_spot_is_private(one) == pm_spot_is_private(next);
}

/*
 * mincore(2) looks at a private copy as well, but of a file that the caller may not write to it says
 * that all is in memory (can_do_mincore() in mm/mincore.c).
 */
static void look_at_own_copies(const struct pm_caches *caches, const struct pm_memory *memory,
			       const struct pm_spot *spot, size_t run, uint8_t *ret_sights)
{
	pm_look_at_cache(caches, memory, spot->address, run, ret_sights);
	for (size_t i = 0; i < run; i++) {
		if (spot->kind == PM_FILE && ret_sights[i] != PM_SEEN_OUT)
			ret_sights[i] = PM_SEEN_NOTHING;
	}
}

static void look_at_private(const struct pm_caches *caches, const struct pm_memory *memory,
			    const struct pm_spot *spot, size_t run, uint8_t *ret_sights)
{
	uint64_t entries[SOME];

	/* Of one that was in swap by then the entry tells where there, and no frame. */
	for (size_t i = 0; i < run; i++)
		entries[i] = spot[i].before & PM_ENTRY_PRESENT ? spot[i].before : 0;
	pm_look_at_frames(caches, entries, run, ret_sights);
	if (caches->own && ret_sights[0] == PM_SEEN_NOTHING)
		look_at_own_copies(caches, memory, spot, run, ret_sights);
}

static void look_at_gone(struct pm_spots *spots, const struct pm_memory *memory,
			 const struct pm_caches *caches)
{
	uint8_t sights[SOME];

	for (size_t first = 0, run; first < spots->count; first += run) {
		struct pm_spot *spot = &spots->all[first];

		run = find_run(spots, first, memory->page_size, are_gone_alike);
		if (is_present(spot))
			continue;
		if (pm_spot_is_private(spot))
			look_at_private(caches, memory, spot, run, sights);
		else
			pm_look_at_cache(caches, memory, spot->address, run, sights);
		for (size_t i = 0; i < run; i++)
			spot[i].sight = sights[i];
	}
}

int pm_spots_look_after(struct pm_spots *spots, const struct pm_subject *subject,
			const struct pm_caches *caches)
{
	read_entries(spots, &subject->memory, false);
	look_at_gone(spots, &subject->memory, caches);
	return find_nodes(spots, subject);
}
