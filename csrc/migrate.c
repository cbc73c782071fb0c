#include "migrate.h"

#include <errno.h>
#include <string.h>

#include "syscalls.h"

/* One maxnode serves both masks, so the shorter one is filled up with zero words. */
static void words_of_length(const uint8_t *bitmap, size_t size, size_t length,
			    unsigned long *ret_words)
{
	size_t used = pm_words_size(size);

	pm_words_from_bitmap(bitmap, size, ret_words);
	memset((char *)ret_words + used, 0, length - used);
}

long pm_migrate(int pid, const uint8_t *old_bitmap, size_t old_size, const uint8_t *new_bitmap,
		size_t new_size)
{
	unsigned long old_words[PM_WORDS_MAX], new_words[PM_WORDS_MAX];
	size_t length = pm_words_size(old_size > new_size ? old_size : new_size);

	if (length > PM_BITMAP_MAX)
		return -EINVAL;
	words_of_length(old_bitmap, old_size, length, old_words);
	words_of_length(new_bitmap, new_size, length, new_words);
	return pm_migrate_pages(pid, pm_maxnode(length), old_words, new_words);
}
