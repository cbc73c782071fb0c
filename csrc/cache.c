#define _DEFAULT_SOURCE   /* mincore() */
#define _FILE_OFFSET_BITS 64
#include "cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* include/uapi/linux/kernel-page-flags.h */
#define FLAG_WRITEBACK (UINT64_C(1) << 8)
#define FLAG_SWAPCACHE (UINT64_C(1) << 13)

enum {
	SOME = 512 /* pages that are looked at together */
};

/* -- frames */

/* How many frames follow the first one by one, upwards or downwards, and the lowest of them. */
static size_t find_run(const uint64_t *entries, size_t count, uint64_t *ret_lowest)
{
	uint64_t first = entries[0] & PM_ENTRY_FRAME;
	bool down = count > 1 && (entries[1] & PM_ENTRY_FRAME) == first - 1;
	size_t run = 1;

	while (run < count && run < SOME &&
	       (entries[run] & PM_ENTRY_FRAME) == (down ? first - run : first + run))
		run++;
	*ret_lowest = down ? first - (run - 1) : first;
	return run;
}

static uint8_t judge_frame(uint64_t flags)
{
	if (!(flags & FLAG_SWAPCACHE))
		return PM_SEEN_OUT;
	/* One that is dirty and not being written is so because something holds it. */
	return flags & FLAG_WRITEBACK ? PM_SEEN_WRITTEN : PM_SEEN_HELD;
}

void pm_look_at_frames(const struct pm_caches *caches, const uint64_t *entries, size_t count,
		       uint8_t *ret_sights)
{
	uint64_t flags[SOME], lowest;

	for (size_t run; count > 0; entries += run, ret_sights += run, count -= run) {
		run = find_run(entries, count, &lowest);

		size_t size = run * sizeof(*flags);
		off_t offset = (off_t)(lowest * sizeof(*flags));
		/* Frame 0 stands for one that is not told. */
		bool seen = caches->kpageflags >= 0 && lowest > 0 &&
			    pread(caches->kpageflags, flags, size, offset) == (ssize_t)size;

		for (size_t i = 0; i < run; i++) {
			uint64_t at = (entries[i] & PM_ENTRY_FRAME) - lowest;

			ret_sights[i] = seen ? judge_frame(flags[at]) : PM_SEEN_NOTHING;
		}
	}
}

/* -- files */

static const struct pm_area *find_area(const struct pm_caches *caches, uint64_t address)
{
	size_t low = 0, high = caches->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (caches->areas[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < caches->count && caches->areas[low].start <= address ? &caches->areas[low]
									  : NULL;
}

/* Maps a part of the file that an area maps, without access to it. */
static void *map_file(const struct pm_caches *caches, const struct pm_area *area, uint64_t address,
		      size_t size)
{
	char name[2 * 16 + 2];

	snprintf(name, sizeof(name), "%" PRIx64 "-%" PRIx64, area->start, area->end);

	int fd = openat(caches->map_files, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return MAP_FAILED;

	off_t offset = (off_t)(area->offset + (address - area->start));
	void *map = mmap(NULL, size, PROT_NONE, MAP_SHARED, fd, offset);

	close(fd);
	return map;
}

static bool look_through_file(const struct pm_caches *caches, const struct pm_area *area,
			      uint64_t address, size_t size, unsigned char *ret_there)
{
	void *map = map_file(caches, area, address, size);
	bool seen = map != MAP_FAILED && mincore(map, size, ret_there) == 0;

	if (map != MAP_FAILED)
		munmap(map, size);
	return seen;
}

void pm_look_at_cache(const struct pm_caches *caches, const struct pm_memory *memory,
		      uint64_t address, size_t count, uint8_t *ret_sights)
{
	unsigned char there[SOME];

	for (size_t some; count > 0; ret_sights += some, count -= some) {
		const struct pm_area *area = caches->own ? NULL : find_area(caches, address);
		uint64_t size = (count < SOME ? count : SOME) * memory->page_size;
		bool seen = false;

		if (area && size > area->end - address)
			size = area->end - address;
		some = (size_t)(size / memory->page_size);
		if (caches->own)
			seen = mincore((void *)(uintptr_t)address, (size_t)size, there) == 0;
		else if (area && caches->map_files >= 0)
			seen = look_through_file(caches, area, address, (size_t)size, there);
		for (size_t i = 0; i < some; i++) {
			ret_sights[i] = PM_SEEN_NOTHING;
			if (seen)
				ret_sights[i] = there[i] & 1 ? PM_SEEN_HELD : PM_SEEN_OUT;
		}
		address += size;
	}
}
