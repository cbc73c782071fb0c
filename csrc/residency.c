#include "residency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 16384

/*
 * The kernel collects lines in a page. One that no longer fits is thrown away and made anew for the
 * next read (seq_read_iter() in fs/seq_file.c), and its mapping walked a second time, however large
 * it is. Asked for less than a page it stops before that, if the last line fits in the rest.
 */
#define LINE_ROOM 1024

/* A file as lines: what was read and not taken yet lies between `next` and `end`. */
struct lines {
	int fd;
	size_t block; /* bytes to ask for at once, at most */
	char *buffer;
	size_t size;
	size_t next;
	size_t end;
};

/* Reads more, behind what is there. Returns the bytes, 0 at the end of the file, or -errno. */
static ssize_t fill(struct lines *from)
{
	size_t room;
	ssize_t count;

	memmove(from->buffer, from->buffer + from->next, from->end - from->next);
	from->end -= from->next;
	from->next = 0;
	if (from->end == from->size) {
		char *larger = realloc(from->buffer, from->size * 2);

		if (!larger)
			return -ENOMEM;
		from->buffer = larger;
		from->size *= 2;
	}
	room = from->size - from->end;
	do {
		count = read(from->fd, from->buffer + from->end,
			     room < from->block ? room : from->block);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	from->end += (size_t)count;
	return count;
}

/* The next line without its newline. Returns 1, 0 at the end of the file, or -errno. */
static int take_line(struct lines *from, const char **ret_text, size_t *ret_length)
{
	size_t searched = 0;

	for (;;) {
		const char *text = from->buffer + from->next;
		size_t left = from->end - from->next;
		const char *newline = memchr(text + searched, '\n', left - searched);
		ssize_t count;

		if (newline) {
			*ret_text = text;
			*ret_length = (size_t)(newline - text);
			from->next += *ret_length + 1;
			return 1;
		}
		searched = left;
		count = fill(from);
		if (count < 0)
			return (int)count;
		if (count == 0)
			return left ? -EBADMSG : 0;
	}
}

uint64_t pm_base_pages(const struct pm_numa_line *line, uint64_t pages, uint64_t base_page)
{
	/* Other mappings with large pages (device DAX) are counted in base pages. */
	return line->huge ? pages * (line->page_size / base_page) : pages;
}

static int add_lines(struct lines *from, uint64_t base_page, const char *mounts, size_t mounts_size,
		     struct pm_residency *sums)
{
	struct pm_numa_line line;
	const char *text;
	size_t length;
	int found;

	while ((found = take_line(from, &text, &length)) > 0) {
		uint64_t *pages;

		if (pm_numa_line_parse(text, length, &line) < 0)
			return -EBADMSG;
		sums->vmas++;
		if (pm_mapping_is_kernels(&line))
			continue;
		pages = sums->pages[pm_mapping_kind(&line, text, mounts, mounts_size)];
		for (unsigned int i = 0; i < line.nodes; i++) {
			unsigned int node = line.node[i];

			pages[node] += pm_base_pages(&line, line.pages[i], base_page);
			if (node >= sums->nodes)
				sums->nodes = node + 1;
		}
	}
	return found;
}

int pm_residency_read(int fd, uint64_t base_page, const char *mounts, size_t mounts_size,
		      struct pm_residency *ret_sums)
{
	struct lines from = {
		.fd = fd,
		.block = (size_t)base_page - LINE_ROOM,
		.buffer = malloc(BUFFER_SIZE),
		.size = BUFFER_SIZE,
	};
	const int callers_errno = errno;
	int error;

	memset(ret_sums, 0, sizeof(*ret_sums));
	if (!from.buffer)
		return -ENOMEM;
	error = add_lines(&from, base_page, mounts, mounts_size, ret_sums);
	free(from.buffer);
	errno = callers_errno;
	return error;
}
