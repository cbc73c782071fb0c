/*
 * Moves its own pages from node 0 to node 1 by the project's C, for machines without a Python of
 * their own, and tells where it ran. It may be the only program there: as process 1 it switches the
 * machine off when it is done.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "migrate.h"
#include "residency.h"
#include "syscalls.h"

enum {
	PAGES = 500,
	/* A 32-bit process that asks a 64-bit kernel for more at once may be told nonsense. */
	BATCH = 16
};

static size_t page_size;
static unsigned char *memory;

static void expect(const char *what, long found, long expected)
{
	if (found == expected)
		return;
	printf("%s: %ld, not %ld\n", what, found, expected);
	exit(EXIT_FAILURE);
}

static unsigned char content(int page, size_t offset)
{
	return (unsigned char)((size_t)page * 31 + offset * 7 + 1);
}

static void make_memory(void)
{
	memory = mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	expect("mmap", memory == MAP_FAILED, 0);
	madvise(memory, PAGES * page_size, MADV_NOHUGEPAGE);
	for (int page = 0; page < PAGES; page++)
		for (size_t offset = 0; offset < page_size; offset++)
			memory[(size_t)page * page_size + offset] = content(page, offset);
}

static void check_content(void)
{
	for (int page = 0; page < PAGES; page++)
		for (size_t offset = 0; offset < page_size; offset++)
			if (memory[(size_t)page * page_size + offset] != content(page, offset))
				expect("page that is not as it was", page, -1);
}

/* Moves all pages to a node by move_pages(2), or asks where they are. */
static void each_page(const int *node, int expected)
{
	for (int first = 0; first < PAGES; first += BATCH) {
		int count = PAGES - first < BATCH ? PAGES - first : BATCH;
		void *pages[BATCH];
		int nodes[BATCH], status[BATCH];

		for (int i = 0; i < count; i++) {
			pages[i] = memory + (size_t)(first + i) * page_size;
			nodes[i] = node ? *node : 0;
			status[i] = -EINVAL;
		}
		expect("move_pages",
		       pm_move_pages(0, (unsigned long)count, pages, node ? nodes : NULL, status,
				     node ? PM_MPOL_MF_MOVE : 0),
		       0);
		for (int i = 0; i < count; i++)
			expect("node of a page", status[i], expected);
	}
}

/* The kernel's own sums agree. */
static void check_residency(unsigned int node)
{
	static struct pm_residency sums;
	int file = open("/proc/self/numa_maps", O_RDONLY);

	expect("numa_maps", file < 0, 0);
	expect("residency", pm_residency_read(file, page_size, "", 0, &sums), 0);
	close(file);
	expect("pages on the node", sums.pages[PM_ANONYMOUS][node] >= PAGES, 1);
}

static void check_mems_allowed(void)
{
	unsigned long words[1024 / CHAR_BIT / sizeof(unsigned long)] = {0};

	expect("get_mempolicy", pm_get_mempolicy(NULL, words, 1025, NULL, PM_MPOL_F_MEMS_ALLOWED),
	       0);
	expect("nodes 0 and 1 in the first word", words[0] & 3, 3);
}

static void migrate(uint8_t from, uint8_t to, size_t size)
{
	uint8_t old_nodes[16] = {0}, new_nodes[16] = {0};

	old_nodes[0] = (uint8_t)(1 << from);
	new_nodes[0] = (uint8_t)(1 << to);
	expect("migrate_pages", pm_migrate(0, old_nodes, size, new_nodes, 1), 0);
	each_page(NULL, to);
	check_residency(to);
	check_content();
}

static void tell(void)
{
	const union {
		unsigned int number;
		unsigned char first;
	} one = {.number = 1};
	struct utsname name;

	uname(&name);
	printf("platform {\"machine\": \"%s\", \"kernel\": \"%s\", \"page\": %lu, \"bits\": %d, "
	       "\"byteorder\": \"%s\", \"pages\": %d}\n",
	       name.machine, name.release, (unsigned long)page_size,
	       (int)sizeof(unsigned long) * CHAR_BIT, one.first ? "little" : "big", PAGES);
}

static void switch_off(void)
{
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
}

int main(void)
{
	const int first = 0;

	if (getpid() == 1) {
		atexit(switch_off);
		mkdir("/proc", 0555);
		mount("proc", "/proc", "proc", 0, NULL);
	}
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	make_memory();
	each_page(&first, 0);
	check_mems_allowed();
	migrate(0, 1, 1);
	migrate(1, 0, 9);
	migrate(0, 1, 16);
	tell();
	return 0;
}
