#include "mapping.h"

#include <string.h>

struct text {
	const char *start;
	size_t length;
};

static bool starts_with(struct text text, const char *prefix, size_t length)
{
	return text.length >= length && memcmp(text.start, prefix, length) == 0;
}

#define STARTS_WITH(text, literal) starts_with(text, literal, sizeof(literal) - 1)

/*
 * Files on the tmpfs that the kernel mounts for itself, which no path leads to: their names are
 * made up (simple_dname() in fs/dcache.c), by memfd_create(2), shmget(2), and mmap(2) of anonymous
 * memory with MAP_SHARED.
 */
static bool is_internal_shmem(struct text path)
{
	return STARTS_WITH(path, "/memfd:") || STARTS_WITH(path, "/SYSV") ||
	       STARTS_WITH(path, "/dev/zero\\040(deleted)");
}

/* A private mapping of /dev/zero keeps its file, but its pages are anonymous. */
static bool is_private_zero(struct text path)
{
	return path.length == sizeof("/dev/zero") - 1 && STARTS_WITH(path, "/dev/zero");
}

static bool is_on_tmpfs(struct text path, const char *mounts, size_t mounts_size)
{
	const char *end = mounts + mounts_size;

	for (const char *mount = mounts; mount < end; mount += strlen(mount) + 1) {
		if (starts_with(path, mount + 1, strlen(mount + 1)))
			return *mount == '+';
	}
	return false;
}

enum pm_kind pm_mapping_kind(const struct pm_numa_line *line, const char *text, const char *mounts,
			     size_t mounts_size)
{
	struct text path = {.start = text + line->path, .length = line->path_length};

	if (line->huge)
		return PM_HUGETLB;
	if (line->path_length == 0 || is_private_zero(path))
		return PM_ANONYMOUS;
	if (is_internal_shmem(path) || is_on_tmpfs(path, mounts, mounts_size))
		return PM_SHARED;
	return PM_FILE;
}

bool pm_mapping_is_kernels(const struct pm_numa_line *line)
{
	return line->path_length == 0 && !line->huge && line->anon == 0;
}
