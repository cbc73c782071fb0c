/*
 * A process that holds memory on one node and does nothing more.
 *
 *   target NODE PAGES SIZE COUNT
 *
 * PAGES: "small" (base pages), "huge" (transparent huge pages), "noise" (base pages of random bytes),
 * "scattered" (COUNT mappings of one base page each), "mirrored" (SIZE bytes of shared memory, mapped
 * COUNT times). Writes the address of its memory, or of its first mapping. For each line of its
 * standard input it reads all pages and writes a line; it ends with that input.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALIGNMENT (64UL << 20) /* so that batches begin and end alike, whoever makes them */

enum {
	MPOL_DEFAULT = 0,
	MPOL_BIND = 2
};

static void check(int right, const char *what)
{
	if (right)
		return;
	perror(what);
	exit(1);
}

/* Addresses that begin at a multiple of ALIGNMENT. */
static char *reserve(size_t size)
{
	char *room = mmap(NULL, size + ALIGNMENT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(room != MAP_FAILED, "mmap");
	return (char *)(((uintptr_t)room + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

static char *hold(size_t size, int advice)
{
	char *memory = mmap(reserve(size), size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	check(memory != MAP_FAILED && madvise(memory, size, advice) == 0, "mmap");
	memset(memory, 1, size);
	return memory;
}

/* What no compressed swap makes small. */
static char *hold_noise(size_t size)
{
	char *memory = hold(size, MADV_NOHUGEPAGE);
	uint64_t state = 88172645463325252; /* Marsaglia, Xorshift RNGs (2003) */

	for (size_t i = 0; i < size; i += sizeof(state)) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(memory + i, &state, sizeof(state));
	}
	return memory;
}

static void touch(const volatile char *memory, size_t size, size_t page_size)
{
	for (size_t i = 0; i < size; i += page_size)
		(void)memory[i];
}

/* Neighbours differ in what they permit, or the kernel would make one mapping of them. */
static char *scatter(size_t page_size, size_t count)
{
	char *memory = hold(count * page_size, MADV_NOHUGEPAGE);

	for (size_t i = 0; i < count; i += 2)
		check(mprotect(memory + i * page_size, page_size, PROT_READ) == 0, "mprotect");
	return memory;
}

static char *mirror(size_t size, size_t count)
{
	int file = memfd_create("mirrored", 0);
	char *memory = reserve(size * count);

	check(file >= 0 && ftruncate(file, (off_t)size) == 0, "memfd");
	for (size_t i = 0; i < count; i++) {
		char *part = mmap(memory + i * size, size, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_FIXED | MAP_POPULATE, file, 0);

		check(part != MAP_FAILED, "mmap");
	}
	return memory;
}

int main(int argc, char **argv)
{
	check(argc == 5, "target NODE PAGES SIZE COUNT");

	unsigned long nodes = 1UL << atoi(argv[1]);
	size_t size = strtoul(argv[3], NULL, 10), count = strtoul(argv[4], NULL, 10);
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	char *memory;

	check(syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 65UL) == 0, "set_mempolicy");
	if (strcmp(argv[2], "scattered") == 0)
		memory = scatter(page_size, count);
	else if (strcmp(argv[2], "mirrored") == 0)
		memory = mirror(size, count);
	else if (strcmp(argv[2], "noise") == 0)
		memory = hold_noise(size);
	else
		memory = hold(size, strcmp(argv[2], "huge") ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	check(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0UL) == 0, "set_mempolicy");

	printf("%lu\n", (unsigned long)(uintptr_t)memory);
	fflush(stdout);
	while (getchar() != EOF) {
		touch(memory, size, page_size);
		puts("");
		fflush(stdout);
	}
	return 0;
}
